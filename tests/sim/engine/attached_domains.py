"""Storage domains of a data center: attached, activated, put into maintenance, detached.

Their states in time are in domain_life.py.
"""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.attachments import (
    DATA,
    PoolStatus,
    attached,
    data_center_status,
    data_centers_of,
    domain_status,
    hand_over,
    heir,
    hosts_up,
    life_of,
    master_of,
)
from sim.engine.calls import Call, Created, Operations, Performed, lookup
from sim.engine.domain_life import IN_PROCESS, DomainLife, DomainStatus
from sim.engine.messages import BareError, FaultError, NotToldError, busy, conflict, incomplete
from sim.engine.render import Item, Listing, ref
from sim.engine.routes import API
from sim.engine.shapes import Shape
from sim.engine.state import EngineState, named
from sim.engine.storage import places_of
from sim.engine.storage_domains import DomainType, domain_shown, status_illegal

_SHAPE = Shape(links=("disks",), actions=("activate", "deactivate"))
_OF_ISO = Shape(actions=_SHAPE.actions)
_MONITORED = (DomainStatus.ACTIVE, DomainStatus.INACTIVE, DomainStatus.UNKNOWN)
_LAST = (
    "Cannot remove the master Storage Domain from the Data Center without another active Storage Domain to take its "
    "place.\n-Either activate another Storage Domain in the Data Center, or remove the Data Center."
)
_NO_MORE = "Cannot attach more than one {} Storage Domain to the same Data Center."
_NO_MASTER = "Cannot {} Storage. The Master Storage Domain is not active."
_NO_HOST = "Cannot {} Storage. There is no active Host in the Data Center."


def _item(call: Call, data_center: str, value: Any) -> Item:
    href = f"{API}/datacenters/{data_center}/storagedomains/{value.id}"
    status = domain_status(call.state, data_center, value.id)
    told = domain_shown(call.state, value, status=status, data_center=ref(types.DataCenter, data_center))
    return Item(told, href, shape=_OF_ISO if value.type is DomainType.ISO else _SHAPE)


def _list(call: Call) -> Listing:
    center = call.parent(call.state.data_centers, "DataCenter")
    master_of(call.state, center.id)
    return Listing("storage_domains", [_item(call, center.id, value) for value in attached(call.state, center.id)])


def _get(call: Call) -> Item:
    center, value, _ = _the(call)
    return _item(call, center, value)


def _the(call: Call) -> tuple[str, Any, DomainLife]:
    center = call.parent(call.state.data_centers, "DataCenter").id
    master_of(call.state, center)
    life = life_of(call.state, center, call.key)
    if life is None:
        raise BareError(404)
    return center, call.state.storage_domains[call.key], life


def _attach(call: Call) -> Created:
    state = call.state
    center = call.parent(state.data_centers, "DataCenter")
    body = call.body("storage_domain", ("name",))
    if not body.id and not body.name:
        raise incomplete("StorageDomain", "id|name")
    try:
        value = lookup(state.storage_domains, body, "Storage")
    except KeyError as error:
        raise NotToldError("the attachment of a storage domain with an unknown id") from error
    if not hosts_up(state, center.id):
        raise conflict(_NO_HOST.format("attach"))
    _check_fits(state, center.id, value)
    first = data_center_status(state, center.id) is PoolStatus.UNINITIALIZED
    if first and master_of(state, center.id):
        raise busy()
    if first and value.type is not DATA:
        raise conflict("Cannot attach Storage Domain.\n-Please attach Data Domain to the Data Center first.")
    if not first:
        _check_master(state, center.id, "attach")
    if not _reachable(state, value):
        raise NotToldError("the attachment of a storage domain whose storage no host reaches")
    life = state.attachments[center.id, value.id] = DomainLife(lasting=state.storage_lasting)
    life.attach(state.now(), master=first)
    if first:
        value.master, center.storage_format = True, value.storage_format
    return Created(_item(call, center.id, value))


def _check_fits(state: EngineState, center: str, value: Any) -> None:
    if value.type is DATA:
        if data_centers_of(state, value.id):
            raise conflict(
                "Cannot attach Storage. The relevant Storage Domain is inaccessible.\n-Please handle Storage Domain "
                "issues and retry the operation."
            )
    elif any(domain.type is value.type for domain in attached(state, center)):
        raise conflict(_NO_MORE.format("ISO" if value.type is DomainType.ISO else "Import/Export"))


def _check_master(state: EngineState, center: str, verb: str) -> None:
    master = master_of(state, center)
    if master is None or domain_status(state, center, master.id) is not DomainStatus.ACTIVE:
        raise conflict(_NO_MASTER.format(verb))


def _check_status(verb: str, status: Any, allowed: tuple[Any, ...]) -> None:
    if status not in allowed:
        raise busy() if status in IN_PROCESS else status_illegal(verb, status)


def _activate(call: Call) -> Performed:
    state = call.state
    center, value, life = _the(call)
    call.body("action")
    allowed = (DomainStatus.INACTIVE, DomainStatus.UNKNOWN)
    status = domain_status(state, center, value.id)
    _check_status("activate", status, (*allowed, DomainStatus.MAINTENANCE, DomainStatus.PREPARING_FOR_MAINTENANCE))
    if not value.master:
        _check_master(state, center, "activate")
    if not hosts_up(state, center):
        raise conflict(_NO_HOST.format("activate"))
    if not _reachable(state, value):
        raise FaultError(400, "[Internal Engine Error]")
    life.activate(state.now(), master=value.master)
    return Performed()


def _deactivate(call: Call) -> Performed:
    state = call.state
    center, value, life = _the(call)
    call.body("action", ("force",))
    _check_status("deactivate", domain_status(state, center, value.id), _MONITORED)
    if state.self_hosted and value.id == state.self_hosted.domain:
        raise conflict("Cannot deactivate Storage. The storage selected contains the self hosted engine.")
    if value.master:
        _check_master_leaves(state, center, value)
        hand_over(state, center, value)
    life.deactivate(state.now())
    return Performed()


def _check_master_leaves(state: EngineState, center: str, master: Any) -> None:
    others = [(domain, domain_status(state, center, domain.id)) for domain in attached(state, center)]
    active = any(status is DomainStatus.ACTIVE for domain, status in others if domain is not master)
    if active and heir(state, center, master) is None:
        raise conflict(
            "Cannot deactivate a Master Storage Domain while there are ISO/Export active domains in the Data Center.\n"
            "-Please deactivate all ISO/Export domains first."
        )
    if any(status in IN_PROCESS for _, status in others):
        raise conflict(
            "You are trying to deactivate a Master storage domain while there are locked domains in the Data Center. "
            "Please wait for the operations on those domains to finish first."
        )


def _detach(call: Call) -> Performed:
    state = call.state
    center, value, life = _the(call)
    status = domain_status(state, center, value.id)
    _check_status("detach", status, (DomainStatus.INACTIVE, DomainStatus.MAINTENANCE))
    if value.master:
        raise conflict(_LAST)
    _check_master(state, center, "detach")
    life.detach(state.now())
    return Performed()


def _reachable(state: EngineState, value: Any) -> bool:
    return all(state.storage[place].reachable for place in places_of(value.storage))


def lose_storage(state: EngineState, name: str) -> None:
    """No host reaches the storage of a domain any more."""
    _reach(state, name, reachable=False)


def find_storage_again(state: EngineState, name: str) -> None:
    """Hosts reach the storage of a domain again."""
    _reach(state, name, reachable=True)


def _reach(state: EngineState, name: str, *, reachable: bool) -> None:
    value = named(state.storage_domains, name)
    assert value, name
    for place in places_of(value.storage):
        state.storage[place].reachable = reachable
    for center in data_centers_of(state, value.id):
        life = state.attachments[center, value.id]
        if reachable:
            life.return_to(state.now())
        else:
            life.lose(state.now())


OPERATIONS: Operations = {
    (services.AttachedStorageDomainsService, "list"): _list,
    (services.AttachedStorageDomainsService, "add"): _attach,
    (services.AttachedStorageDomainService, "get"): _get,
    (services.AttachedStorageDomainService, "activate"): _activate,
    (services.AttachedStorageDomainService, "deactivate"): _deactivate,
    (services.AttachedStorageDomainService, "remove"): _detach,
}
