"""Storage domains, wherever they are attached: made, found again on their storage, changed, removed."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.attachments import (
    data_center_status,
    data_centers_of,
    domain_status,
    hand_over,
    heir,
    master_of,
)
from sim.engine.calls import Call, Created, Operations, Performed, lookup, only
from sim.engine.domain_life import IN_PROCESS, DomainStatus
from sim.engine.host_life import Status
from sim.engine.messages import FaultError, NotToldError, busy, conflict, incomplete
from sim.engine.render import Item, Listing, ref, shown
from sim.engine.routes import API
from sim.engine.shapes import SHAPES, Shape
from sim.engine.state import EngineState, merged, named
from sim.engine.storage import BLOCK, SHARES, Kind, StoragePlace, places_of, units_of

DomainType = types.StorageDomainType
_CHANGEABLE = (
    *("name", "description", "comment", "wipe_after_delete"),
    *("warning_low_space_indicator", "critical_space_action_blocker"),
)
_OF_SHARES = ("type", "address", "path", "vfs_type", "mount_options", "nfs_version", "nfs_timeo", "nfs_retrans")
_OF_BLOCK = ("type", "logical_units", "volume_group", "override_luns")
_OF_UNITS = ("address", "port", "target", "username", "password")
_NEEDED = {
    Kind.NFS: ("address", "address"),
    Kind.POSIXFS: ("vfs_type", "vfsType"),
    Kind.GLUSTERFS: ("vfs_type", "vfsType"),
}
_STATUS = "Cannot {} Storage. The relevant Storage Domain's status is {}."
_OF_ISO = Shape(
    links=("diskprofiles", "files", "disksnapshots", "storageconnections", "permissions"),
    actions=SHAPES[types.StorageDomain].actions,
)


def status_illegal(verb: str, status: Any) -> FaultError:
    """The engine does not do this to a domain in that state, whose name it writes in one word."""
    return conflict(_STATUS.format(verb, "".join(part.capitalize() for part in status.value.split("_"))))


def domain_shown(state: EngineState, value: Any, **changes: Any) -> Any:
    """A domain with what is known of its storage, and the data centers that it is attached to."""
    behind = [state.storage[place] for place in places_of(value.storage)]
    centers = data_centers_of(state, value.id)
    told = not value.master or domain_status(state, centers[0], value.id) is not DomainStatus.MAINTENANCE
    return shown(
        value,
        available=sum(at.size - at.used for at in behind) if told else None,
        used=sum(at.used for at in behind) if told else None,
        data_centers=[ref(types.DataCenter, key) for key in centers] or None,
        **changes,
    )


def _item(call: Call, value: Any) -> Item:
    for key in data_centers_of(call.state, value.id):
        master_of(call.state, key)
    status = None if data_centers_of(call.state, value.id) else DomainStatus.UNATTACHED
    shape = _OF_ISO if value.type is DomainType.ISO else None
    return Item(domain_shown(call.state, value, status=status), f"{API}/storagedomains/{value.id}", shape=shape)


def _list(call: Call) -> Listing:
    return Listing("storage_domains", [_item(call, value) for value in call.state.storage_domains.values()])


def _add(call: Call) -> Created:
    body = call.body("storage_domain", (*_CHANGEABLE, "type", "storage", "host"))
    given = {
        "host.id|name": body.host and (body.host.id or body.host.name),
        "type": body.type,
        "storage": body.storage,
    }
    if missing := [name for name, value in given.items() if not value]:
        raise incomplete("StorageDomain", ", ".join(missing))
    try:
        host = lookup(call.state.hosts, body.host, "Hosts")
    except KeyError as error:
        raise NotToldError("a storage domain by a host with an unknown id") from error
    body.host = None
    if body.storage.id:
        raise NotToldError("a storage connection of its own")
    if body.storage.type is None:
        raise incomplete("StorageDomain", "storage.type")
    if body.storage.type in SHARES:
        made = _on_a_share(call.state, body, host)
    elif body.storage.type in BLOCK:
        made = _on_units(call.state, body, host)
    else:
        raise NotToldError(f"a storage domain on {body.storage.type.value}")
    call.state.storage_domains[made.id] = made
    for place in places_of(made.storage):
        call.state.storage[place].domain = made
    return Created(_item(call, made))


def _on_a_share(state: EngineState, body: Any, host: Any) -> Any:
    storage = body.storage
    only(storage, "storage", _OF_SHARES)
    for field, name in (("path", "path"), _NEEDED[storage.type]):
        if not getattr(storage, field):
            raise incomplete("HostStorage", name)
    if not _up(state, host):
        raise conflict("Cannot add Storage Connection. Host status must be UP.")
    (place,) = places_of(storage)
    if any(place in places_of(domain.storage) for domain in state.storage_domains.values()):
        raise conflict("Cannot add Storage Connection. Storage connection already exists.")
    if place not in state.storage or not state.storage[place].reachable:
        raise FaultError(400, "[Problem while trying to mount target]")
    if (existing := state.storage[place].domain) is None:
        return new_domain(state, body)
    if existing.type is not body.type:
        raise NotToldError(f"a domain of type {body.type.value} where one of type {existing.type.value} lies")
    _check_name(state, body.name or existing.name, "add")
    return merged(existing, body)


def _on_units(state: EngineState, body: Any, host: Any) -> Any:
    storage = body.storage
    only(storage, "storage", _OF_BLOCK)
    if body.type is not DomainType.DATA or not _up(state, host):
        raise NotToldError("a domain on block storage that is not for data, or by a host that is not up")
    units = units_of(storage)
    for unit in units:
        only(unit, "logical_unit", _OF_UNITS)
        if not unit.id:
            raise incomplete("LogicalUnit", "id")
    if not units or any(unit.id not in state.storage for unit in units):
        raise NotToldError("a domain on units of block storage that no host reaches")
    taken = {place: domain.name for domain in state.storage_domains.values() for place in places_of(domain.storage)}
    if held := [f"{unit.id} ({taken[unit.id]})" for unit in units if unit.id in taken]:
        raise conflict(
            "Cannot add Storage. The following LUNs are already part of existing storage domains: "
            f"{', '.join(sorted(held))}."
        )
    if any(storage.type is Kind.ISCSI and _shut_out(state.storage[unit.id], unit) for unit in units):
        raise FaultError(400, "[Failed to login to iSCSI node due to authorization failure]")
    if not storage.override_luns and any(state.storage[unit.id].domain for unit in units):
        raise NotToldError("a domain on units that another one was on")
    if any(state.storage[unit.id].content for unit in units):
        if storage.override_luns:
            raise NotToldError("what somebody wrote on a unit is overridden")
        raise FaultError(400, "[Failed to initialize physical device]")
    made = new_domain(state, body)
    group = state.new_id()
    shown_units = [_unit(state, unit, storage.type, made.id, group) for unit in units]
    made.storage = types.HostStorage(type=storage.type, volume_group=types.VolumeGroup(id=group))
    made.storage.volume_group.logical_units = shown_units
    return made


def _shut_out(place: StoragePlace, unit: Any) -> bool:
    return place.chap is not None and place.chap != (unit.username, unit.password)


def _unit(state: EngineState, unit: Any, kind: Any, domain: str, group: str) -> Any:
    """A unit as it is shown; those of a fibre channel have no address."""
    made = types.LogicalUnit(
        id=unit.id,
        discard_max_size=0,
        discard_zeroes_data=False,
        lun_mapping=0,
        paths=0,
        serial=f"S{unit.id}",
        size=state.storage[unit.id].size,
        storage_domain_id=domain,
        volume_group_id=group,
    )
    if kind is Kind.ISCSI and unit.address:
        port = unit.port or 3260
        made.address, made.port, made.target = unit.address, port, unit.target
        made.portal = f"{unit.address}:{port},1"
    return made


def new_domain(state: EngineState, body: Any) -> Any:
    """A domain as it is when nothing was said of it but what a body says."""
    if not body.name:
        raise incomplete("StorageDomain", "name")
    _check_name(state, body.name, "add")
    data = body.type is DomainType.DATA
    if not data and body.type not in (DomainType.ISO, DomainType.EXPORT):
        raise NotToldError(f"a storage domain of type {body.type.value}")
    made = types.StorageDomain(
        id=state.new_id(),
        name="",
        description="",
        comment="",
        backup=False,
        block_size=512,
        committed=0,
        critical_space_action_blocker=5,
        discard_after_delete=body.storage.type in BLOCK,
        external_status=types.ExternalStatus.OK,
        master=False,
        storage_format=types.StorageFormat.V5 if data else types.StorageFormat.V1,
        supports_discard=False,
        supports_discard_zeroes_data=False,
        warning_low_space_indicator=10,
        wipe_after_delete=False,
    )
    return merged(made, body)


def _check_name(state: EngineState, name: str, verb: str) -> None:
    if named(state.storage_domains, name):
        raise conflict(f"Cannot {verb} Storage. The Storage Domain name is already in use.")


def _up(state: EngineState, host: Any) -> bool:
    return state.lives[host.id].status(state.now()) is Status.UP


def _update(call: Call) -> Item:
    state = call.state
    value = call.the(state.storage_domains)
    body = call.body("storage_domain", _CHANGEABLE)
    centers = data_centers_of(state, value.id)
    status = domain_status(state, centers[0], value.id) if centers else DomainStatus.UNATTACHED
    if status is DomainStatus.LOCKED:
        raise status_illegal("edit", status)
    if body.name not in (None, value.name):
        # The name lies on the storage, too.
        if status in IN_PROCESS:
            raise busy()
        if status is not DomainStatus.ACTIVE:
            raise status_illegal("edit", status)
        if any(data_center_status(state, key) is not types.DataCenterStatus.UP for key in centers):
            raise conflict("Cannot edit Storage. Unknown Data Center status.")
        _check_name(state, body.name, "edit")
    for field in _CHANGEABLE:
        if (given := getattr(body, field)) is not None:
            setattr(value, field, given)
    return _item(call, value)


def _remove(call: Call) -> Performed:
    state, query = call.state, call.request.query
    value = call.the(state.storage_domains)
    centers = data_centers_of(state, value.id)
    if call.flag("destroy"):
        _check_destroyed(state, value, centers)
    else:
        host = _host(state, query.get("host"))
        if centers:
            raise conflict(
                "Cannot remove Storage. The relevant Storage Domain is inaccessible.\n-Please handle Storage Domain "
                "issues and retry the operation."
            )
        if not _up(state, host):
            raise NotToldError("the removal of a storage domain by a host that is not up")
        if call.flag("format"):
            for place in places_of(value.storage):
                state.storage[place].domain = None
    state.attachments = {at: life for at, life in state.attachments.items() if at[1] != value.id}
    del state.storage_domains[value.id]
    return Performed()


def _host(state: EngineState, given: str | None) -> Any:
    """The host that removes a domain, by its id or its name."""
    if given is None:
        raise FaultError(400, "", "host parameter is missing")
    found = state.hosts.get(given) or named(state.hosts, given)
    if found is None:
        raise FaultError(404, f"Entity not found: {given}")
    return found


def _check_destroyed(state: EngineState, value: Any, centers: list[str]) -> None:
    for key in centers:
        status = domain_status(state, key, value.id)
        if status is DomainStatus.ACTIVE:
            raise status_illegal("destroy", status)
        if value.master and heir(state, key, value) is None:
            raise conflict(
                "Cannot destroy the master Storage Domain from the Data Center without another active Storage Domain "
                "to take its place."
            )
        if value.master:
            hand_over(state, key, value)


OPERATIONS: Operations = {
    (services.StorageDomainsService, "list"): _list,
    (services.StorageDomainsService, "add"): _add,
    (services.StorageDomainService, "get"): lambda call: _item(call, call.the(call.state.storage_domains)),
    (services.StorageDomainService, "update"): _update,
    (services.StorageDomainService, "remove"): _remove,
}
