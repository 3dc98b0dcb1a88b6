"""Storage domains of a data center in the simulated engine: states in time, and what each forbids."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from sim.engine.attached_domains import find_storage_again, lose_storage
from sim.engine.domain_life import DomainLife, DomainStatus, StorageLasting
from sim.engine.engine import DEFAULT_DATA_CENTER
from unit.simulators.engine_site import START, EngineSite, states
from unit.simulators.storage_site import Purpose, StorageSite, gluster, nfs

LASTING = StorageLasting(attach=8, activate=5, deactivate=10, detach=3, doubt=300)
Center = types.DataCenterStatus


def active() -> DomainLife:
    life = DomainLife(LASTING)
    life.go(START, (0, DomainStatus.ACTIVE))
    return life


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda life: life.attach(START, master=True), [(0, "locked"), (8, "active")]),
        (lambda life: life.attach(START, master=False), [(0, "locked"), (8, "activating"), (13, "active")]),
        (lambda life: life.deactivate(START), [(0, "preparing_for_maintenance"), (10, "maintenance")]),
        (lambda life: life.activate(START, master=True), [(0, "locked"), (5, "active")]),
        (lambda life: life.activate(START, master=False), [(0, "activating"), (5, "active")]),
        (lambda life: life.detach(START), [(0, "detaching"), (3, "unattached")]),
        (lambda life: life.lose(START), [(0, "active"), (300, "inactive")]),
    ],
)
def test_a_domain_changes_in_time(change: Callable[[DomainLife], None], expected: list[tuple[int, str]]) -> None:
    life = active()
    change(life)
    assert states(life, START) == expected


def test_a_domain_that_was_lost_for_a_moment_was_never_inactive() -> None:
    life = active()
    life.lose(START)
    back = START + timedelta(minutes=4)
    life.return_to(back)
    assert states(life, back) == [(0, "active")]
    life.lose(back)
    later = back + timedelta(minutes=6)
    life.return_to(later)
    assert states(life, later) == [(0, "inactive"), (5, "active")]


def test_a_domain_in_maintenance_is_not_missed() -> None:
    life = DomainLife(LASTING)
    life.go(START, (0, DomainStatus.MAINTENANCE))
    life.lose(START)
    life.return_to(START)
    assert states(life, START) == [(0, "maintenance")]


def center(stores: StorageSite) -> Any:
    return stores.system.data_centers_service().data_center_service(DEFAULT_DATA_CENTER)


def status(stores: StorageSite) -> Any:
    return center(stores).get().status


def shown(stores: StorageSite) -> dict[str, tuple[str, bool]]:
    return {found.name: (found.status.value, found.master) for found in stores.attached.list()}


def test_the_first_data_domain_brings_a_data_center_up(stores: StorageSite) -> None:
    made = stores.add("engine", gluster("engine"))
    assert status(stores) is Center.UNINITIALIZED
    attached = stores.attached.add(types.StorageDomain(name="engine"))
    assert attached.href.startswith(f"/ovirt-engine/api/datacenters/{DEFAULT_DATA_CENTER}/storagedomains/")
    assert (attached.status, status(stores)) == (DomainStatus.LOCKED, Center.UNINITIALIZED)
    stores.site.clock.go(seconds=8)
    assert shown(stores) == {"engine": ("active", True)}
    assert status(stores) is Center.UP
    found = stores.domain(made.id).get()
    assert (found.status, found.master, [one.id for one in found.data_centers]) == (None, True, [DEFAULT_DATA_CENTER])
    stores.attach("vmstore", gluster("vmstore"))
    assert shown(stores) == {"engine": ("active", True), "vmstore": ("active", False)}
    assert stores.system.get().summary.storage_domains.active == 2


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param(lambda s: s.attach("other", nfs("iso"), Purpose.ISO), "more than one ISO", id="second ISO domain"),
        pytest.param(lambda s: s.attached.add(types.StorageDomain(name="engine")), "inaccessible", id="attached twice"),
        pytest.param(lambda s: s.attached.add(types.StorageDomain(name="o")), "name=o", id="no such domain"),
        pytest.param(lambda s: s.attached.add(types.StorageDomain()), "required for add", id="no name"),
    ],
)
def test_an_attachment_is_refused(stores: StorageSite, change: Callable[[StorageSite], Any], text: str) -> None:
    stores.attach("engine", gluster("engine"))
    stores.attach("iso", gluster("iso"), Purpose.ISO)
    with pytest.raises(ovirtsdk4.Error, match=text):
        change(stores)
    assert set(shown(stores)) == {"engine", "iso"}


def test_an_iso_domain_does_not_come_first(stores: StorageSite) -> None:
    with pytest.raises(ovirtsdk4.Error, match="Data Domain to the Data Center first") as refused:
        stores.attach("iso", gluster("iso"), Purpose.ISO)
    assert refused.value.code == 409


def test_without_a_host_nothing_is_attached(stores: StorageSite) -> None:
    stores.add("engine", gluster("engine"))
    stores.host.deactivate()
    with pytest.raises(ovirtsdk4.Error, match="no active Host") as refused:
        stores.attached.add(types.StorageDomain(name="engine"))
    assert refused.value.code == 409


def test_a_domain_goes_to_maintenance_and_comes_back(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    domain = stores.attach("vmstore", gluster("vmstore"))
    domain.deactivate()
    assert domain.get().status is DomainStatus.PREPARING_FOR_MAINTENANCE
    stores.site.clock.go(seconds=10)
    assert domain.get().status is DomainStatus.MAINTENANCE
    domain.activate()
    assert domain.get().status is DomainStatus.ACTIVATING
    stores.site.clock.go(seconds=5)
    assert (domain.get().status, status(stores)) == (DomainStatus.ACTIVE, Center.UP)


def test_a_master_hands_over_when_it_leaves_and_the_last_one_takes_the_data_center_along(stores: StorageSite) -> None:
    first, second = stores.attach("engine", gluster("engine")), stores.attach("vmstore", gluster("vmstore"))
    first.deactivate()
    stores.site.clock.go(minutes=1)
    assert shown(stores) == {"engine": ("maintenance", False), "vmstore": ("active", True)}
    assert status(stores) is Center.UP
    second.deactivate()
    stores.site.clock.go(minutes=1)
    assert shown(stores) == {"engine": ("maintenance", False), "vmstore": ("maintenance", True)}
    assert (status(stores), second.get().available) == (Center.MAINTENANCE, None)
    with pytest.raises(ovirtsdk4.Error, match="Master Storage Domain is not active"):
        first.activate()
    second.activate()
    assert (second.get().status, status(stores)) == (DomainStatus.LOCKED, Center.MAINTENANCE)
    stores.site.clock.go(minutes=1)
    assert status(stores) is Center.UP


def test_a_master_does_not_leave_an_iso_domain_alone(stores: StorageSite) -> None:
    master = stores.attach("engine", gluster("engine"))
    stores.attach("iso", gluster("iso"), Purpose.ISO)
    with pytest.raises(ovirtsdk4.Error, match="ISO/Export active domains") as refused:
        master.deactivate()
    assert refused.value.code == 409
    assert status(stores) is Center.UP


def test_a_master_does_not_leave_while_another_domain_is_worked_on(stores: StorageSite) -> None:
    master, other = stores.attach("engine", gluster("engine")), stores.attach("vmstore", gluster("vmstore"))
    other.deactivate()
    with pytest.raises(ovirtsdk4.Error, match="locked domains"):
        master.deactivate()


@pytest.mark.parametrize(
    ("after", "change", "text"),
    [
        ("attach", "activate", "currently in progress"),
        ("attach", "deactivate", "currently in progress"),
        ("attach", "remove", "currently in progress"),
        ("active", "activate", "status is Active"),
        ("active", "remove", "status is Active"),
        ("deactivate", "deactivate", "currently in progress"),
        ("deactivate", "remove", "currently in progress"),
        ("maintenance", "deactivate", "status is Maintenance"),
    ],
)
def test_a_state_forbids_what_does_not_fit(stores: StorageSite, after: str, change: str, text: str) -> None:
    stores.attach("engine", gluster("engine"))
    if after == "attach":
        made = stores.attached.add(types.StorageDomain(id=stores.add("vmstore", gluster("vmstore")).id))
        domain = stores.attached.storage_domain_service(made.id)
    else:
        domain = stores.attach("vmstore", gluster("vmstore"))
    if after in ("deactivate", "maintenance"):
        domain.deactivate()
    stores.site.clock.go(minutes=1 if after == "maintenance" else 0)
    before = shown(stores)
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        getattr(domain, change)()
    assert refused.value.code == 409
    assert shown(stores) == before


def test_a_detached_domain_can_be_attached_again_or_removed(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    domain = stores.attach("vmstore", gluster("vmstore"))
    key = domain.get().id
    domain.deactivate()
    stores.site.clock.go(minutes=1)
    domain.remove()
    assert domain.get().status is DomainStatus.DETACHING
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.NotFoundError):
        domain.get()
    assert stores.domain(key).get().status is DomainStatus.UNATTACHED
    stores.attached.add(types.StorageDomain(id=key))
    stores.site.clock.go(minutes=1)
    domain.deactivate()
    stores.site.clock.go(minutes=1)
    domain.remove()
    stores.site.clock.go(minutes=1)
    stores.domain(key).remove(host="node1", format=True)
    assert stores.site.names("storage_domains") == ["engine"]


def test_the_last_domain_is_not_detached(stores: StorageSite) -> None:
    master = stores.attach("engine", gluster("engine"))
    master.deactivate()
    stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="remove the master Storage Domain") as refused:
        master.remove()
    assert refused.value.code == 409


def test_without_an_active_master_nothing_is_detached(stores: StorageSite) -> None:
    master, other = stores.attach("engine", gluster("engine")), stores.attach("vmstore", gluster("vmstore"))
    for domain in (other, master):
        domain.deactivate()
        stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match="Master Storage Domain is not active") as refused:
        other.remove()
    assert refused.value.code == 409


def test_a_second_domain_waits_for_the_first(stores: StorageSite) -> None:
    for name in ("engine", "vmstore"):
        stores.add(name, gluster(name))
    stores.attached.add(types.StorageDomain(name="engine"))
    with pytest.raises(ovirtsdk4.Error, match="currently in progress") as refused:
        stores.attached.add(types.StorageDomain(name="vmstore"))
    assert refused.value.code == 409


def test_without_a_host_nothing_is_activated(stores: StorageSite) -> None:
    master = stores.attach("engine", gluster("engine"))
    master.deactivate()
    stores.site.clock.go(minutes=1)
    stores.host.deactivate()
    with pytest.raises(ovirtsdk4.Error, match="no active Host") as refused:
        master.activate()
    assert refused.value.code == 409


def test_a_lost_domain_is_inactive_after_a_while_and_comes_back(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    domain = stores.attach("vmstore", gluster("vmstore"))
    lose_storage(stores.state, "vmstore")
    stores.site.clock.go(minutes=4)
    assert domain.get().status is DomainStatus.ACTIVE
    stores.site.clock.go(minutes=2)
    assert (domain.get().status, status(stores)) == (DomainStatus.INACTIVE, Center.UP)
    with pytest.raises(ovirtsdk4.Error) as refused:
        domain.activate()
    assert refused.value.code == 400
    find_storage_again(stores.state, "vmstore")
    stores.site.clock.go(minutes=1)
    assert domain.get().status is DomainStatus.ACTIVE


def test_a_lost_master_gives_way_and_without_another_the_data_center_is_problematic(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    stores.attach("vmstore", gluster("vmstore"))
    lose_storage(stores.state, "engine")
    stores.site.clock.go(minutes=6)
    assert shown(stores) == {"engine": ("inactive", False), "vmstore": ("active", True)}
    lose_storage(stores.state, "vmstore")
    stores.site.clock.go(minutes=6)
    assert (shown(stores)["vmstore"], status(stores)) == (("inactive", True), Center.PROBLEMATIC)


def test_without_a_host_nobody_knows_of_a_domain(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    stores.host.deactivate()
    assert (shown(stores)["engine"], status(stores)) == (("unknown", True), Center.PROBLEMATIC)
    stores.site.clock.go(minutes=1)
    stores.host.activate()
    stores.site.clock.go(minutes=1)
    assert (shown(stores)["engine"], status(stores)) == (("active", True), Center.UP)


@pytest.mark.parametrize(
    ("in_maintenance", "host_up", "text"),
    [
        ((), True, "active Data Center"),
        (("vmstore",), True, "active Data Center"),
        (("vmstore", "engine"), True, "more than one"),
        ((), False, "no active Host"),
        (("vmstore", "engine"), False, "no active Host"),
    ],
)
def test_a_data_center_with_storage_is_not_removed(
    stores: StorageSite, in_maintenance: tuple[str, ...], host_up: bool, text: str
) -> None:
    domains = {name: stores.attach(name, gluster(name)) for name in ("engine", "vmstore")}
    for name in in_maintenance:
        domains[name].deactivate()
        stores.site.clock.go(minutes=1)
    if not host_up:
        stores.host.deactivate()
        stores.site.clock.go(minutes=1)
    with pytest.raises(ovirtsdk4.Error, match=text) as refused:
        center(stores).remove()
    assert refused.value.code == 409
    assert stores.site.names("data_centers") == ["Default"]


def test_a_data_center_whose_domain_is_only_about_to_rest_is_not_removed(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine")).deactivate()
    with pytest.raises(ovirtsdk4.Error, match="active/locked Storage Domains"):
        center(stores).remove()


def test_a_data_center_goes_when_its_last_domain_rests_and_leaves_that_behind(stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine")).deactivate()
    stores.site.clock.go(minutes=1)
    center(stores).remove()
    (left,) = stores.system.storage_domains_service().list()
    assert (left.name, left.status, left.master) == ("engine", DomainStatus.UNATTACHED, False)
    assert left.available is not None


def test_a_domain_is_told_by_a_restarted_engine(told: EngineSite, stores: StorageSite) -> None:
    stores.attach("engine", gluster("engine"))
    told.server.restart()
    again = told.connect().data_centers_service().data_center_service(DEFAULT_DATA_CENTER)
    assert [found.name for found in again.storage_domains_service().list()] == ["engine"]
