"""What to do next for one storage domain, by what the engine shows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.conditions import State
from heretic.domain.engine.facts import (
    AttachedDomain,
    DataCenter,
    EngineCluster,
    EngineFacts,
    EngineHost,
    EngineIdentity,
    FencingFlags,
    StorageDomain,
)
from heretic.domain.engine.site import EngineSite
from heretic.domain.engine.storage.plan import JudgedDomain, judge_domain
from heretic.domain.engine.storage.report import domain_condition
from heretic.domain.engine.storage.values import DomainPlace, Portal, WantedDomain
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.plan import Risk, Step
from sim.site_rules import resource

CENTER = DataCenter("dc", "Default", "up", local=False)
CLUSTER = EngineCluster(
    "cl", "Default", "dc", "", "4.8", True, True, FencingFlags(None, None, None, None, None, None), "", None
)
HOST = EngineHost("h", "node1", "198.18.10.11", "up", "", "cl", None, None)
PLACE = DomainPlace(
    "glusterfs",
    "node1.gluster.private",
    "/vmstore",
    names=("node1", "node2.gluster.private"),
    vfs_type="glusterfs",
    options="backup-volfile-servers=node2.gluster.private",
)
WANTED = WantedDomain("vmstore", "data", PLACE)
THERE = StorageDomain(
    id="d1",
    name="vmstore",
    purpose="data",
    status="",
    storage="glusterfs",
    address="node1.gluster.private",
    path="/vmstore",
    mount_options="backup-volfile-servers=node2.gluster.private",
    units=None,
    comment="",
    description="",
    warning=10,
    master=True,
    available=None,
    used=None,
)
NFS = replace(THERE, id="d2", name="nas", storage="nfs", address="nas", path="/export", mount_options="")
ACTIVE = AttachedDomain("d1", "vmstore", "active", master=True)


def site(
    domains: Sequence[StorageDomain] = (THERE,),
    attached: Sequence[AttachedDomain] = (ACTIVE,),
    *,
    center: str = "up",
    hosts: Sequence[EngineHost] = (HOST,),
    **more: Any,
) -> EngineSite:
    """An engine that shows this."""
    here = replace(CENTER, status=center)
    other = DataCenter("dc2", "other", "up", local=False)
    facts = EngineFacts(
        identity=EngineIdentity("e", "4.5.7", None),
        data_centers=Known((here, other)),
        clusters=Known((CLUSTER,)),
        hosts=Known(tuple(hosts)),
        storage_domains=Known(tuple(domains)),
        attached={"dc": Known(tuple(attached)), "dc2": Known(more.pop("elsewhere", ()))},
    )
    spec = {"fqdn": "engine.example.test", "deployment": "Existing"}
    return EngineSite(resource(HostedEngine, "engine", spec), replace(facts, **more), here, CLUSTER)


def said(judged: JudgedDomain) -> list[str]:
    """Verbs of steps, reasons of obstacles."""
    return [item.verb if isinstance(item, Step) else item.reason.value for item in judged.items]


def attached(status: str, *, master: bool = True) -> tuple[AttachedDomain, ...]:
    return (AttachedDomain("d1", "vmstore", status, master),)


@pytest.mark.parametrize(
    ("there", "wanted", "items", "state"),
    [
        pytest.param(site(), WANTED, [], State.TRUE, id="as declared"),
        pytest.param(site((), ()), WANTED, ["AddStorageDomain"], State.FALSE, id="nothing there"),
        pytest.param(site((), (), hosts=()), WANTED, ["HostsNotUp"], State.FALSE, id="no host"),
        pytest.param(
            site((), (), hosts=(replace(HOST, status="maintenance"),)),
            WANTED,
            ["HostsNotUp"],
            State.FALSE,
            id="a host in maintenance",
        ),
        pytest.param(
            site((), (), hosts=(replace(HOST, cluster="other"),)),
            WANTED,
            ["HostsNotUp"],
            State.FALSE,
            id="a host of another cluster",
        ),
        pytest.param(
            site(attached=(), center="uninitialized"),
            WANTED,
            ["AttachStorageDomain"],
            State.FALSE,
            id="the first of its data center",
        ),
        pytest.param(
            site((replace(THERE, purpose="iso"),), (), center="uninitialized"),
            replace(WANTED, purpose="iso"),
            ["DataCenterNotReady"],
            State.FALSE,
            id="ISO is never the first",
        ),
        pytest.param(
            site((THERE, NFS), (AttachedDomain("d2", "nas", "locked", True),), center="uninitialized"),
            WANTED,
            ["DataCenterNotReady"],
            State.FALSE,
            id="another one is being attached as the first",
        ),
        pytest.param(
            site(attached=(), center="problematic"),
            WANTED,
            ["DataCenterNotReady"],
            State.FALSE,
            id="the data center is broken",
        ),
        pytest.param(
            site(attached=attached("maintenance"), center="maintenance"),
            WANTED,
            ["ActivateStorageDomain"],
            State.FALSE,
            id="the master in maintenance",
        ),
        pytest.param(
            site(attached=attached("maintenance", master=False), center="maintenance"),
            WANTED,
            ["DataCenterNotReady"],
            State.FALSE,
            id="in maintenance, as its master is",
        ),
        *(
            pytest.param(site(attached=attached(s)), WANTED, ["StorageDomainBusy"], State.FALSE, id=s)
            for s in ("locked", "activating", "detaching", "preparing_for_maintenance")
        ),
        *(
            pytest.param(site(attached=attached(s)), WANTED, ["StorageDomainNotActive"], State.FALSE, id=s)
            for s in ("inactive", "unknown", "odd")
        ),
        pytest.param(
            site((replace(THERE, address="NODE1", path="vmstore"),)), WANTED, [], State.TRUE, id="in other words"
        ),
        pytest.param(
            site((replace(THERE, name="old"),)), WANTED, ["UpdateStorageDomain"], State.TRUE, id="under another name"
        ),
        pytest.param(
            site((replace(THERE, name="old"), replace(NFS, name="vmstore"))),
            WANTED,
            ["StorageDomainDiffers"],
            State.FALSE,
            id="under another name, and its own is taken",
        ),
        pytest.param(
            site((replace(NFS, name="vmstore"),), ()), WANTED, ["StorageDomainDiffers"], State.FALSE, id="a namesake"
        ),
        pytest.param(
            site((THERE, replace(NFS, name="vmstore"))), WANTED, [], State.TRUE, id="a namesake beside the right one"
        ),
        pytest.param(
            site((THERE, replace(THERE, id="d3", name="twin", address="node1"))),
            WANTED,
            ["EngineNameAmbiguous"],
            State.FALSE,
            id="two in one place",
        ),
        pytest.param(
            site((replace(THERE, purpose="export"),)),
            WANTED,
            ["StorageDomainDiffers"],
            State.FALSE,
            id="for something else",
        ),
        pytest.param(
            site(attached=(), elsewhere=(ACTIVE,)),
            WANTED,
            ["StorageDomainDiffers"],
            State.FALSE,
            id="in another data center",
        ),
        pytest.param(
            site(),
            replace(WANTED, settings=(("comment", "x"), ("warning_low_space_indicator", 10))),
            ["UpdateStorageDomain"],
            State.TRUE,
            id="another comment",
        ),
        pytest.param(
            site(storage_domains=Unknown("busy")), WANTED, ["WaitingForEngine"], State.UNKNOWN, id="domains not known"
        ),
        pytest.param(
            site(attached=(), data_centers=Known((CENTER, DataCenter("dc3", "third", "up", local=False)))),
            WANTED,
            ["WaitingForEngine"],
            State.UNKNOWN,
            id="a data center was not asked",
        ),
    ],
)
def test_what_is_done_next(there: EngineSite, wanted: WantedDomain, items: list[str], state: State) -> None:
    judged = judge_domain(wanted, "", there)
    assert said(judged) == items
    assert domain_condition(judged).state is state


def test_the_recorded_domain_is_meant_whatever_is_in_the_place_of_its_name() -> None:
    moved = replace(THERE, path="/elsewhere")
    judged = judge_domain(WANTED, "d1", site((moved, replace(NFS, id="d9", name="vmstore"))))
    assert said(judged) == [Reason.STORAGE_DOMAIN_DIFFERS]
    assert "cannot be moved" in domain_condition(judged).message


def test_a_recorded_domain_that_is_gone_is_made_anew() -> None:
    assert said(judge_domain(WANTED, "gone", site((NFS,), ()))) == ["AddStorageDomain"]


@pytest.mark.parametrize(
    ("address", "options", "note"),
    [
        ("node1.gluster.private", "backup-volfile-servers=node2.gluster.private", ""),
        ("node2.gluster.private", "backup-volfile-servers=node1.gluster.private", ""),
        ("node1.gluster.private", "backup-volfile-servers=node3:node2.gluster.private,log-level=WARNING", ""),
        ("node1.gluster.private", "", "does not name node2.gluster.private as a server"),
        ("node1.gluster.private", "log-level=WARNING", "does not name node2.gluster.private as a server"),
    ],
)
def test_a_mount_that_lacks_a_server_is_noted(address: str, options: str, note: str) -> None:
    judged = judge_domain(WANTED, "", site((replace(THERE, address=address, mount_options=options),)))
    assert judged.items == ()
    assert bool(judged.note) == bool(note)
    assert note in judged.note


BLOCK = DomainPlace("iscsi", units=("a", "b"), portal=Portal("192.0.2.1", 3260, "iqn.2026-01.test:a"))


@pytest.mark.parametrize(
    ("units", "items"),
    [
        (frozenset("ab"), []),
        (frozenset("a"), ["StorageDomainDiffers"]),
        (frozenset("abc"), ["StorageDomainDiffers"]),
        (None, ["StorageDomainDiffers"]),
    ],
)
def test_a_domain_on_block_storage_is_known_by_all_its_units(units: frozenset[str] | None, items: list[str]) -> None:
    there = replace(THERE, storage="iscsi", address="", path="", units=units)
    assert said(judge_domain(replace(WANTED, place=BLOCK), "", site((there,)))) == items


def test_units_that_the_engine_does_not_tell_are_no_proof_against_the_recorded_domain() -> None:
    there = replace(THERE, storage="iscsi", address="", path="", units=None)
    assert said(judge_domain(replace(WANTED, place=BLOCK), "d1", site((there,)))) == []


def test_a_domain_that_is_active_and_yet_another_one_is_not_called_active() -> None:
    judged = judge_domain(WANTED, "", site((replace(THERE, purpose="iso"),)))
    assert domain_condition(judged).reason is Reason.STORAGE_DOMAIN_DIFFERS


def test_units_that_are_named_are_the_word_for_taking_them() -> None:
    (step,) = judge_domain(replace(WANTED, place=BLOCK), "", site((), ())).items
    assert isinstance(step, Step)
    assert (step.verb, step.risk, step.needs_approval) == ("AddBlockDomain", Risk.DESTRUCTIVE, False)
    assert step.declared == "the units a, b are named for it"
