"""What the roles of a Node bring to its host, and what they do not."""

import pytest

from heretic.api.v1alpha1.node import Role
from heretic.domain.disks import multipath, thin_profile
from heretic.domain.disks.brick_folders import BRICK_FOLDERS
from heretic.domain.host.feature import Feature, chosen
from heretic.domain.host.probes import questions
from heretic.domain.host.profiles import DEBIAN_13, Family
from heretic.domain.host.steps import InstallPackages
from heretic.domain.hosted_engine.agent import AGENT
from heretic.domain.hosted_engine.running import RUNNING
from heretic.domain.plan import Converged, Plan, steps_of
from heretic.domain.pool import glusterd
from heretic.domain.pool.member import MEMBER
from heretic.domain.shares.feature import FILE_SERVER
from heretic.domain.wiring.manager import KEPT_LINKS
from heretic.domain.wiring.section import WIRES
from heretic.kinds import KINDS
from sim.one_host import OneHost, node_resource

OF_GLUSTER = {glusterd.PACKAGE, glusterd.SERVICE, glusterd.DROP_IN, thin_profile.FILE, multipath.EXCLUSION}


@pytest.mark.parametrize("feature", KINDS.features, ids=lambda f: f.name)
def test_every_feature_names_its_packages_for_every_family(feature: Feature) -> None:
    assert feature.packages.keys() == set(Family)


@pytest.mark.parametrize(
    ("role", "brings"),
    [(Role.HYPERVISOR, set()), (Role.FILE_SERVER, set(FILE_SERVER.packages_on(DEBIAN_13)))],
)
def test_a_host_that_does_not_store_gets_nothing_of_glusters_server(role: Role, brings: set[str]) -> None:
    host = OneHost(node=node_resource(roles=[role.value]))
    plans: list[Plan] = []
    while not plans or not isinstance(plans[-1], Converged):
        plans.append(host.run_pass())
        assert len(plans) < 12, plans
    installed = {p for plan in plans for s in steps_of(plan) if isinstance(s, InstallPackages) for p in s.packages}
    assert installed == {"chrony"} | brings
    assert OF_GLUSTER & {word for effect in host.machine.effects for word in effect} == set()
    assert OF_GLUSTER & host.machine.files.keys() == set()


def test_it_is_asked_who_its_peers_are_and_not_of_bricks() -> None:
    asked = questions(KINDS.features, KINDS.sections, (Role.HYPERVISOR,))
    assert asked.sections == (WIRES, KEPT_LINKS, MEMBER, AGENT, RUNNING)
    assert OF_GLUSTER & {word for probe in asked.probes for word in probe.argv} == set()
    stores = questions(KINDS.features, KINDS.sections, (Role.HYPERVISOR, Role.STORAGE))
    assert stores.sections == (WIRES, KEPT_LINKS, MEMBER, BRICK_FOLDERS, AGENT, RUNNING)
    assert {word for probe in stores.probes for word in probe.argv} >= OF_GLUSTER


def test_the_same_roles_are_asked_the_same_in_any_order() -> None:
    both = (Role.HYPERVISOR, Role.STORAGE)
    one, other = (questions(KINDS.features, KINDS.sections, roles) for roles in (both, both[::-1]))
    assert one is other
    assert chosen(KINDS.features, both) == chosen(KINDS.features, both[::-1])
