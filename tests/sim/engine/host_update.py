"""Changes of a host that stays in its cluster."""

from typing import Any

from ovirtsdk4 import services

from sim.engine.calls import Call, Operations
from sim.engine.hosts import check_name, host_item
from sim.engine.messages import NotToldError, conflict, invalid
from sim.engine.power import NO_AGENT, agents_of
from sim.engine.render import Item
from sim.engine.state import merged, named

_SETTABLE = ("name", "comment", "power_management", "spm")
_OF_POWER = frozenset({"enabled", "automatic_pm_enabled", "kdump_detection", "pm_proxies"})


def _update(call: Call) -> Item:
    value = call.the(call.state.hosts)
    body = call.body("host", _SETTABLE)
    if body.name not in (None, value.name):
        check_name(body.name)
        if named(call.state.hosts, body.name):
            raise conflict("Cannot edit Host. The Host name is already in use.")
    made = merged(value, body)
    if body.power_management:
        _check_power(call, value, body.power_management)
    call.state.hosts[value.id] = made
    call.event(43, f"Host {made.name} configuration was updated by {call.user}.")
    return host_item(call, made)


def _check_power(call: Call, value: Any, given: Any) -> None:
    for name, inner in vars(given).items():
        if inner is not None and name.removeprefix("_") not in {*_OF_POWER, "href", "id"}:
            raise NotToldError(f"{name.removeprefix('_')} of power_management")
    if given.enabled and not agents_of(call.state, value.id):
        raise invalid(f"Cannot edit Host. {NO_AGENT}")


OPERATIONS: Operations = {(services.HostService, "update"): _update}
