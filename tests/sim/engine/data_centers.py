"""Data centers, and the MAC pools that their clusters take addresses from."""

import re
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.attachments import PoolStatus, attached, data_center_status, domain_status, hosts_up
from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.domain_life import IN_PROCESS, DomainStatus
from sim.engine.messages import NotToldError, conflict, invalid, mandatory
from sim.engine.networks import add_management_network
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, merged, named

_NAME = re.compile(r"[\w-]+", re.ASCII)
_CHANGEABLE = ("name", "description", "comment")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
_BAD_MAC = (
    'MAC address must be in format "HH:HH:HH:HH:HH:HH" where H is a hexadecimal character '
    "(either a digit or A-F, case is insignificant)., Attribute: macPool.ranges[{}].macFrom"
)
LEVEL = (4, 8)
"""The highest level of clusters and data centers."""


def version(level: tuple[int, int] = LEVEL) -> Any:
    """A level as the API writes it."""
    return types.Version(major=level[0], minor=level[1])


def new_data_center(state: EngineState, name: str, key: str = "", **values: Any) -> Any:
    """A data center as it is when it was just made, with its management network."""
    made = types.DataCenter(
        name=name,
        local=False,
        quota_mode=types.QuotaModeType.DISABLED,
        supported_versions=[version()],
        version=version(),
    )
    state.insert(state.data_centers, made, key)
    for field, value in values.items():
        setattr(made, field, value)
    return made


def _item(call: Call, value: Any) -> Item:
    status = data_center_status(call.state, value.id)
    return Item(shown(value, status=status), f"{API}/datacenters/{value.id}")


def _list(call: Call) -> Listing:
    return Listing("data_centers", [_item(call, value) for value in call.state.data_centers.values()])


def _get(call: Call) -> Item:
    return _item(call, call.the(call.state.data_centers))


def _add(call: Call) -> Created:
    body = call.body("data_center", (*_CHANGEABLE, "local"))
    for name in ("local", "name"):
        if getattr(body, name) is None:
            raise mandatory(f"Parameter 'data_center.{name}' is mandatory but was not provided.")
    if body.local:
        raise NotToldError("a data center with local storage")
    _check_name(call.state, body.name, "create")
    given = {name: getattr(body, name) for name in ("description", "comment") if getattr(body, name) is not None}
    made = new_data_center(call.state, body.name, **given)
    add_management_network(call.state, made.id)
    return Created(_item(call, made))


def _update(call: Call) -> Item:
    value = call.the(call.state.data_centers)
    body = call.body("data_center", _CHANGEABLE)
    with call.job(f"Editing Data Center {value.name} properties"):
        if body.name not in (None, value.name):
            _check_name(call.state, body.name, "edit")
        call.state.data_centers[value.id] = merged(value, body)
    return _item(call, call.state.data_centers[value.id])


def _remove(call: Call) -> Performed:
    value = call.the(call.state.data_centers)
    state = call.state
    with call.job(f"Removing Data Center {value.name}") as job:
        _check_unused(state, value)
        for domain in attached(state, value.id):
            domain.master = False
            del state.attachments[value.id, domain.id]
        for cluster in state.clusters.values():
            if cluster.data_center and cluster.data_center.id == value.id:
                # Its clusters stay, without a data center.
                cluster.data_center = None
        networks = [key for key, network in state.networks.items() if network.data_center.id == value.id]
        for key in networks:
            del state.networks[key]
        state.cluster_networks = {at: of for at, of in state.cluster_networks.items() if at[1] not in networks}
        state.vnic_profiles = {k: v for k, v in state.vnic_profiles.items() if v.network.id not in networks}
        del state.data_centers[value.id]
    return Performed(job)


def _check_unused(state: EngineState, value: Any) -> None:
    status = data_center_status(state, value.id)
    if status is PoolStatus.UP:
        raise conflict("Cannot remove an active Data Center.")
    if status is not PoolStatus.UNINITIALIZED and not hosts_up(state, value.id):
        raise conflict("Cannot remove Data Center. There is no active Host in the Data Center.")
    domains = attached(state, value.id)
    if any(domain_status(state, value.id, domain.id) in (DomainStatus.ACTIVE, *IN_PROCESS) for domain in domains):
        raise conflict(
            "Cannot remove Data Center which contains active/locked Storage Domains.\n-Please deactivate all domains "
            "and wait for tasks to finish before removing the Data Center."
        )
    if len(domains) > 1:
        raise conflict("Cannot remove Data Center while there are more than one Storage Domains attached.")
    clusters = [key for key, at in state.clusters.items() if at.data_center and at.data_center.id == value.id]
    if domains and any(vm.cluster.id in clusters for vm in state.vms.values()):
        raise NotToldError("the removal of a data center with virtual machines")


def _check_name(state: EngineState, name: str, verb: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid(
            "Data Center name may only contain letters, numbers, '-', or '_'., Attribute: privateStoragePool.name"
        )
    if named(state.data_centers, name):
        raise conflict(f"Cannot {verb} Data Center. The Data Center name is already in use.")


def new_mac_pool(state: EngineState, name: str, ranges: list[Any], key: str = "", **values: Any) -> Any:
    """A pool of MAC addresses."""
    return state.insert(state.mac_pools, types.MacPool(name=name, ranges=ranges, **values), key)


def _pool_item(value: Any) -> Item:
    return Item(shown(value), f"{API}/macpools/{value.id}")


def _list_pools(call: Call) -> Listing:
    return Listing("mac_pools", [_pool_item(value) for value in call.state.mac_pools.values()])


def _add_pool(call: Call) -> Created:
    body = call.body("mac_pool", ("name", "description", "ranges", "allow_duplicates"))
    if not body.name or not body.ranges:
        raise NotToldError("a MAC pool without a name or a range")
    if named(call.state.mac_pools, body.name):
        raise NotToldError("a MAC pool whose name is taken")
    for number, given in enumerate(body.ranges):
        # The engine says the same of both ends.
        wrong = [_BAD_MAC.format(number) for end in (given.from_, given.to) if not _MAC.fullmatch(end or "")]
        if wrong:
            raise invalid(", ".join(wrong))
    made = new_mac_pool(
        call.state,
        body.name,
        body.ranges,
        description=body.description,
        allow_duplicates=bool(body.allow_duplicates),
        default_pool=False,
    )
    return Created(_pool_item(made))


def _update_pool(call: Call) -> Item:
    value = call.the(call.state.mac_pools)
    body = call.body("mac_pool", ("name", "description", "ranges", "allow_duplicates"))
    if body.name != value.name and named(call.state.mac_pools, body.name):
        raise NotToldError("a MAC pool whose name is taken")
    call.state.mac_pools[value.id] = merged(value, body)
    return _pool_item(call.state.mac_pools[value.id])


OPERATIONS: Operations = {
    (services.DataCentersService, "list"): _list,
    (services.DataCentersService, "add"): _add,
    (services.DataCenterService, "get"): _get,
    (services.DataCenterService, "update"): _update,
    (services.DataCenterService, "remove"): _remove,
    (services.MacPoolsService, "list"): _list_pools,
    (services.MacPoolsService, "add"): _add_pool,
    (services.MacPoolService, "update"): _update_pool,
    (services.MacPoolService, "get"): lambda call: _pool_item(call.the(call.state.mac_pools)),
}
