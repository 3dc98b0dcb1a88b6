"""Which addresses of an earlier declaration a host keeps, and where its address is not changed at all."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare, Node
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import FileContent, HostFacts, HostView
from heretic.domain.host.interfaces import Interface
from heretic.domain.kind import Observed
from heretic.domain.node.links import plan_links
from heretic.domain.plan import Blocked, obstacles_of
from heretic.domain.wiring.classify import How
from heretic.domain.wiring.link_steps import ChangeLinks
from heretic.domain.wiring.manager import Manager
from heretic.domain.wiring.profiles import KEPT, LinkProfile
from heretic.domain.wiring.renumber import Former, former_addresses, has_former, renumbering_refused
from heretic.domain.wiring.wanted import LinkGroup, link_groups
from heretic.domain.wiring.wiring import Wiring
from heretic.kinds import KINDS
from sim.declared import node
from sim.declared import site as declared_site
from sim.site_rules import resource
from unit.wiring.link_hosts import MANAGEMENT, SSH, STORAGE, leads, networks, port
from unit.wiring.test_node_links import facts

NEW, HOSTS = "172.20.11.21", "/etc/hosts"
GLUSTER = port(2, f"{STORAGE}/24", mtu=9000)


def renumbered(address: str = NEW, **spec: Any) -> Node:
    return node("n1", 11, addresses=[{"network": "gluster", "address": address}], configureLinks=True, **spec)


def site(of: Node, *more: Any) -> SiteView:
    return SiteView.holding([declared_site(), of, node("n2", 12), *networks(), *more])


def share(line_of: str) -> FileShare:
    status = {"servers": [{"number": 0, "node": line_of, "address": STORAGE}]}
    spec = {"protocol": "NFS", "volume": "users", "network": "lan", "addresses": ["172.20.11.31"]}
    found: FileShare = resource(FileShare, "s", spec | {"folders": [{"name": "all"}]}, status)
    return found


def own(*links: Interface, ours: str = f"{STORAGE}/24") -> HostFacts:
    """A host with an address that a profile of ours has given it."""
    files = {f"{KEPT}/heretic-eno2.nmconnection": f"[ipv4]\naddress1={ours}\n"}
    return facts(Known(Manager(runs=True, files=files)), links=links)


def host(name: str, file: Fact[FileContent]) -> HostFacts:
    return HostFacts(name, files={HOSTS: file})


def knows(name: str, address: str) -> HostFacts:
    text = f"127.0.0.1 localhost\n{address} n1.gluster.private # by Heretic\n"
    return host(name, Known(FileContent(text, "0644", "")))


@pytest.mark.parametrize(
    ("hosts", "users"),
    [
        pytest.param({"n1": knows("n1", NEW), "n2": knows("n2", NEW)}, (), id="nobody"),
        pytest.param({"n1": knows("n1", NEW), "n2": knows("n2", STORAGE)}, ("/etc/hosts of n2",), id="another host"),
        pytest.param({"n1": knows("n1", STORAGE), "n2": knows("n2", NEW)}, ("/etc/hosts of n1",), id="itself"),
        pytest.param(
            {"n1": knows("n1", NEW)}, ("perhaps n2, whose /etc/hosts is not known",), id="one that was not asked"
        ),
        pytest.param(
            {"n1": knows("n1", NEW), "n2": host("n2", Unknown("cat exited 5"))},
            ("perhaps n2, whose /etc/hosts is not known",),
            id="one whose file was not read",
        ),
        pytest.param(
            {"n1": knows("n1", NEW), "n2": Transient(Reason.UNREACHABLE, "no answer")},
            ("perhaps n2, whose /etc/hosts is not known",),
            id="one that is away",
        ),
    ],
)
def test_an_address_of_before_stays_while_somebody_may_go_by_it(
    hosts: dict[str, HostView], users: tuple[str, ...]
) -> None:
    of = renumbered()
    assert former_addresses(of, site(of), own(SSH, GLUSTER), hosts) == (Former("gluster", f"{STORAGE}/24", users),)


def test_the_address_of_ssh_stays_beside_the_one_that_is_declared_in_the_network() -> None:
    of = node("n1", 11, addresses=[{"network": "mgmt", "address": "172.20.10.21"}], configureLinks=True)
    (found,) = former_addresses(of, site(of), own(SSH), {})
    assert (found.address, found.users) == (f"{MANAGEMENT}/24", ("spec.address of Node n1",))


def test_where_nothing_is_renumbered_nobody_is_asked() -> None:
    of = renumbered(STORAGE)
    public = port(2, f"{STORAGE}/24", "172.20.11.31/24", "fe80::1/64")
    assert not has_former(of, site(of, share("n2")), own(SSH, public, ours="172.20.11.31/24"))
    assert has_former(renumbered(), site(renumbered()), own(SSH, GLUSTER))


def test_an_address_that_somebody_else_has_given_the_host_is_no_former_one() -> None:
    of, seen = renumbered(), own(SSH, GLUSTER, ours=f"{NEW}/24")
    assert former_addresses(of, site(of), seen, {}) == ()
    by_name = replace(seen, files=knows("n1", STORAGE).files)
    assert [former.address for former in former_addresses(of, site(of), by_name, {})] == [f"{STORAGE}/24"]


@pytest.mark.parametrize(
    ("former", "addresses"),
    [({"gluster": (f"{STORAGE}/24",)}, (f"{STORAGE}/24", f"{NEW}/24")), ({}, (f"{NEW}/24",))],
)
def test_what_is_kept_comes_before_the_new_address_so_that_packets_still_come_from_it(
    former: dict[str, tuple[str, ...]], addresses: tuple[str, ...]
) -> None:
    of = renumbered()
    (group,) = link_groups(of, site(of), (GLUSTER,), (leads(GLUSTER, "gluster", how=How.CARRIED),), {}, former)
    assert isinstance(group, LinkGroup)
    (profile,) = group.profiles
    assert isinstance(profile, LinkProfile)
    assert profile.addresses == addresses


def test_an_address_that_comes_new_must_be_nobodys_and_one_that_goes_is_taken_by_a_step_of_its_own() -> None:
    of = renumbered()
    found = Wiring((leads(SSH, "mgmt"), leads(GLUSTER, "gluster", how=How.CARRIED)), None, False, (), ())
    (step,) = plan_links(of, site(of), facts(links=(SSH, GLUSTER)), found, None).steps
    assert isinstance(step, ChangeLinks)
    assert step.fresh == (NEW,)
    assert [command.argv for command in step.guards()][1:] == [("@unused", NEW)]

    both = replace(GLUSTER, addresses=(f"{STORAGE}/24", f"{NEW}/24"))
    ours = {f"{KEPT}/{profile.file}": profile.text for profile in step.profiles}
    seen = facts(Known(Manager(runs=True, files=ours)), links=(SSH, both))
    found = replace(found, findings=(found.findings[0], leads(both, "gluster", how=How.CARRIED)))
    (step,) = plan_links(of, site(of), seen, found, None, {"n1": knows("n1", NEW), "n2": knows("n2", NEW)}).steps
    assert isinstance(step, ChangeLinks)
    assert (step.fresh, step.profiles[0].addresses) == ((), (f"{NEW}/24",))


@pytest.mark.parametrize(
    ("of", "failure", "added"),
    [
        pytest.param("172.20.10.21", Reason.UNREACHABLE, True, id="never seen there"),
        pytest.param(MANAGEMENT, Reason.UNREACHABLE, False, id="seen there"),
        pytest.param("n1.lab", Reason.UNREACHABLE, False, id="a name"),
        pytest.param("172.20.10.21", Reason.AUTHENTICATION_FAILED, False, id="somebody answers"),
    ],
)
def test_an_address_of_ssh_that_the_host_never_had_is_told_with_the_way_to_it(
    of: str, failure: Reason, added: bool
) -> None:
    seen = [{"name": "eno1", "addresses": [f"{MANAGEMENT}/24"]}]
    declared = node("n1", 11, interfaces=seen, address=of)
    told = KINDS["Node"].assess(declared, site(declared), Observed({"n1": Transient(failure, "no answer")}))
    (obstacle,) = obstacles_of(told.plan)
    assert ("declare the old one in spec.address again" in obstacle.message) is added


@pytest.mark.parametrize(
    ("of", "more", "reason"),
    [
        pytest.param(renumbered(), (), None, id="nothing against it"),
        pytest.param(renumbered("172.20.77.21"), (), Reason.ADDRESS_OUTSIDE_NETWORK, id="outside its network"),
        pytest.param(renumbered("172.20.11.200"), (), Reason.DUPLICATE_ADDRESS, id="declared for a switch"),
        pytest.param(renumbered(), (share("n1"),), Reason.IMMUTABLE_DIFFERENCE, id="CTDB knows the host by it"),
        pytest.param(renumbered(), (share("n2"),), None, id="CTDB knows another host by it"),
    ],
)
def test_an_address_is_not_changed(of: Node, more: tuple[Any, ...], reason: Reason | None) -> None:
    told, seen = site(of, *more), own(SSH, GLUSTER)
    refused = renumbering_refused(of, told, (SSH, GLUSTER), ("gluster",), former_addresses(of, told, seen, {}))
    assert (refused.reason if isinstance(refused, Blocked) else None) is reason
    if reason is Reason.IMMUTABLE_DIFFERENCE:
        assert refused is not None
        assert "Take the role FileServer from the Node first" in refused.message
        (kept,) = former_addresses(of, told, seen, {name: knows(name, NEW) for name in ("n1", "n2")})
        assert kept.users == ("the nodes file of CTDB",)
