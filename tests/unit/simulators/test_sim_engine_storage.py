"""Storage domains in the simulated engine: what they lie on, and how they are made, changed and removed."""

from collections.abc import Callable
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.attached_domains import lose_storage
from sim.engine.domain_life import DomainStatus
from sim.engine.engine import DEFAULT_DATA_CENTER
from sim.engine.storage import GIB
from unit.simulators.engine_site import elements, recorded_43
from unit.simulators.storage_site import LUN, Kind, Purpose, StorageSite, gluster, nfs, posix, units


@pytest.mark.parametrize(
    ("storage", "purpose", "form"),
    [
        (gluster("vmstore", mount_options="backup-volfile-servers=node2:node3"), Purpose.DATA, "v5"),
        (nfs("vmstore"), Purpose.DATA, "v5"),
        (posix("vmstore"), Purpose.DATA, "v5"),
        (gluster("iso"), Purpose.ISO, "v1"),
        (nfs("export"), Purpose.EXPORT, "v1"),
    ],
)
def test_a_domain_on_a_share_is_shown_with_its_connection(
    stores: StorageSite, storage: Any, purpose: Any, form: str
) -> None:
    made = stores.add("d", storage, purpose)
    for shown in (made, stores.domain(made.id).get(), stores.system.storage_domains_service().list()[0]):
        assert (shown.name, shown.type, shown.storage_format.value) == ("d", purpose, form)
        assert (shown.status, shown.master, shown.available) == (DomainStatus.UNATTACHED, False, 90 * GIB)
        for field in ("type", "address", "path", "vfs_type", "mount_options"):
            assert getattr(shown.storage, field) == getattr(storage, field), field


@pytest.mark.parametrize(("kind", "address"), [(Kind.ISCSI, "192.0.2.43"), (Kind.FCP, None)])
def test_a_domain_on_block_storage_is_shown_with_its_units(stores: StorageSite, kind: Any, address: str | None) -> None:
    made = stores.add("d", units(kind, LUN, f"{LUN}1"))
    found = stores.domain(made.id).get()
    assert (found.storage.type, found.available, found.used) == (kind, 38 * GIB, 2 * GIB)
    shown = found.storage.volume_group.logical_units
    assert [(unit.id, unit.address, unit.storage_domain_id) for unit in shown] == [
        (LUN, address, made.id),
        (f"{LUN}1", address, made.id),
    ]


@pytest.mark.parametrize(
    ("again", "code", "text"),
    [
        pytest.param(lambda site: site.add("vmstore", nfs("vmstore")), 409, "name is already in use", id="name taken"),
        pytest.param(lambda site: site.add("other", gluster("vmstore")), 409, "already exists", id="share taken"),
        pytest.param(lambda site: site.add("other", units(Kind.FCP, LUN)), 409, "already part of", id="unit taken"),
        pytest.param(lambda site: site.add("other", gluster("nosuch")), 400, "mount", id="no such share"),
        pytest.param(lambda site: site.add("other", nfs("iso"), host="node9"), 404, "name=node9", id="no such host"),
        pytest.param(lambda site: site.add("other", None), 400, r"\[storage\] required", id="no storage"),
        pytest.param(lambda site: site.add(None, nfs("iso")), 400, r"\[name\] required", id="no name"),
        pytest.param(
            lambda site: site.add("o", types.HostStorage(path="/iso")),
            400,
            r"\[storage.type\]",
            id="no kind of storage",
        ),
        pytest.param(
            lambda site: site.add("o", types.HostStorage(type=Kind.NFS, path="/iso")), 400, "address", id="no address"
        ),
        pytest.param(
            lambda site: site.add("o", types.HostStorage(type=Kind.GLUSTERFS, address="node1", path="/iso")),
            400,
            "vfsType",
            id="no type of file system",
        ),
    ],
)
def test_a_domain_is_refused(stores: StorageSite, again: Callable[[StorageSite], Any], code: int, text: str) -> None:
    stores.add("vmstore", gluster("vmstore"))
    stores.add("block", units(Kind.ISCSI, LUN))
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        again(stores)
    assert refused.value.code == code
    assert stores.site.names("storage_domains") == ["vmstore", "block"]


def test_a_domain_needs_a_host_that_is_up(stores: StorageSite) -> None:
    stores.host.deactivate()
    with pytest.raises(ovirtsdk4.Error, match="must be UP") as refused:
        stores.add("vmstore", gluster("vmstore"))
    assert refused.value.code == 409


def test_a_share_that_no_host_reaches_cannot_be_mounted(stores: StorageSite) -> None:
    stores.state.storage["node1:/vmstore"].reachable = False
    with pytest.raises(ovirtsdk4.Error, match="mount") as refused:
        stores.add("vmstore", gluster("vmstore"))
    assert refused.value.code == 400


def test_a_domain_that_is_not_attached_keeps_its_name(stores: StorageSite) -> None:
    made = stores.add("vmstore", gluster("vmstore"))
    with pytest.raises(ovirtsdk4.Error, match="status is Unattached"):
        stores.domain(made.id).update(types.StorageDomain(name="other"))
    stores.domain(made.id).update(types.StorageDomain(comment="ours", warning_low_space_indicator=20))
    found = stores.domain(made.id).get()
    assert (found.name, found.comment, found.warning_low_space_indicator) == ("vmstore", "ours", 20)
    assert (found.critical_space_action_blocker, found.storage.path) == (5, "/vmstore")


def test_an_active_domain_gets_another_name_that_is_free(stores: StorageSite) -> None:
    active = stores.attach("engine", gluster("engine"))
    stores.add("vmstore", gluster("vmstore"))
    key = active.get().id
    with pytest.raises(ovirtsdk4.Error, match="already in use") as refused:
        stores.domain(key).update(types.StorageDomain(name="vmstore"))
    assert refused.value.code == 409
    stores.domain(key).update(types.StorageDomain(name="hosted", description="d"))
    assert (active.get().name, active.get().description) == ("hosted", "d")


def test_a_domain_that_is_worked_on_is_not_changed(stores: StorageSite) -> None:
    key = stores.add("engine", gluster("engine")).id
    stores.attached.add(types.StorageDomain(id=key))
    with pytest.raises(ovirtsdk4.Error, match="status is Locked") as refused:
        stores.domain(key).update(types.StorageDomain(comment="ours"))
    assert refused.value.code == 409


def test_a_domain_keeps_its_name_while_its_data_center_is_not_up(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    key = stores.attach("iso", gluster("iso"), Purpose.ISO).get().id
    lose_storage(stores.state, "engine")
    stores.site.clock.go(minutes=6)
    with pytest.raises(ovirtsdk4.Error, match="Data Center status") as refused:
        stores.domain(key).update(types.StorageDomain(name="other"))
    assert refused.value.code == 409


@pytest.mark.parametrize(("options", "same"), [({}, True), ({"format": True}, False), ({"destroy": True}, True)])
def test_what_was_written_stays_until_it_is_formatted_and_is_found_again(
    stores: StorageSite, options: dict[str, bool], same: bool
) -> None:
    first = stores.add("vmstore", gluster("vmstore"))
    stores.domain(first.id).remove(host=None if "destroy" in options else "node1", **options)
    assert stores.system.storage_domains_service().list() == []
    second = stores.add("again", gluster("vmstore"))
    assert (second.id == first.id) is same
    assert second.name == "again"


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({}, 400, "host parameter is missing"),
        ({"host": "node9"}, 404, "node9"),
        ({"host": "node1"}, 409, "inaccessible"),
        ({"host": "node1", "format": True}, 409, "inaccessible"),
        ({"destroy": True}, 409, "status is Active"),
    ],
)
def test_an_attached_domain_is_not_removed(stores: StorageSite, options: dict[str, Any], code: int, text: str) -> None:
    key = stores.attach("engine", gluster("engine")).get().id
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        stores.domain(key).remove(**options)
    assert refused.value.code == code
    assert stores.site.names("storage_domains") == ["engine"]


def test_a_domain_in_maintenance_can_be_destroyed_unless_it_is_the_last_one(stores: StorageSite) -> None:
    master, other = stores.attach("engine", gluster("engine")), stores.attach("vmstore", gluster("vmstore"))
    other.deactivate()
    stores.site.clock.go(minutes=1)
    stores.domain(other.get().id).remove(destroy=True)
    assert stores.site.names("storage_domains") == ["engine"]
    master.deactivate()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="another active") as refused:
        stores.domain(master.get().id).remove(destroy=True)
    assert refused.value.code == 409


def test_a_lost_master_can_be_destroyed_when_another_took_its_place(stores: StorageSite) -> None:
    lost, other = stores.attach("engine", gluster("engine")), stores.attach("vmstore", gluster("vmstore"))
    key = lost.get().id
    lose_storage(stores.state, "engine")
    stores.site.clock.go(minutes=6)
    stores.domain(key).remove(destroy=True)
    assert stores.site.names("storage_domains") == ["vmstore"]
    assert other.get().master is True


@pytest.mark.parametrize(
    ("name", "storage", "purpose", "recorded"),
    [
        ("data", nfs("vmstore"), Purpose.DATA, "venus-data-1"),
        ("iso", nfs("iso"), Purpose.ISO, "venusiso"),
        ("block", units(Kind.ISCSI, LUN), Purpose.DATA, "okscsi"),
    ],
)
def test_a_domain_has_the_elements_that_a_real_engine_showed(
    stores: StorageSite, name: str, storage: Any, purpose: Any, recorded: str
) -> None:
    stores.attach("engine", gluster("engine"))
    stores.attach(name, storage, purpose)
    at = f"datacenters/{DEFAULT_DATA_CENTER}/storagedomains"
    for path, file in (("storagedomains", "storagedomains.xml"), (at, "datacenter-storagedomains.xml")):
        assert elements(stores.site.listed(path)[name]) == elements(recorded_43(file)[recorded]), path
