"""Fence agents of hosts: how the engine switches their power."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import BareError, NotToldError, incomplete, invalid
from sim.engine.power import agents_of
from sim.engine.render import Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import merged

AGENT_TYPES = frozenset(
    (
        *("amt_ws", "apc", "apc_snmp", "bladecenter", "cisco_ucs", "drac5", "drac7", "eps", "hpblade", "ilo", "ilo2"),
        *("ilo3", "ilo4", "ilo_ssh", "ipmilan", "redfish", "rsa", "rsb", "wti"),
    )
)
"""The types of agents that an engine 4.5 knows."""
_REQUIRED = ("address", "order", "type", "username", "password")
_SETTABLE = (*_REQUIRED, "port", "options", "encrypt_options", "concurrent")


def _item(value: Any) -> Item:
    """An agent without its password, which the engine keeps for itself."""
    return Item(shown(value, password=None), f"{API}/hosts/{value.host.id}/fenceagents/{value.id}")


def _list(call: Call) -> Listing:
    host = call.parent(call.state.hosts, "Host")
    return Listing("agents", [_item(value) for value in agents_of(call.state, host.id)])


def _add(call: Call) -> Created:
    host = call.parent(call.state.hosts, "Host")
    body = _read(call)
    if missing := [name for name in _REQUIRED if getattr(body, name) is None]:
        raise incomplete("Agent", ", ".join(missing))
    _check(body, "add")
    made = types.Agent(
        **{name: getattr(body, name) for name in _SETTABLE},
        host=types.Host(id=host.id),
    )
    made.concurrent = False
    made.encrypt_options = bool(body.encrypt_options)
    return Created(_item(call.state.insert(call.state.fence_agents, made)))


def _update(call: Call) -> Item:
    value = _the_agent(call)
    body = _read(call)
    _check(body, "edit")
    call.state.fence_agents[value.id] = merged(value, body)
    return _item(call.state.fence_agents[value.id])


def _remove(call: Call) -> Performed:
    """Also the last one of a host whose power management is enabled: then nothing can be done with it."""
    del call.state.fence_agents[_the_agent(call).id]
    return Performed()


def _read(call: Call) -> Any:
    body = call.body("agent", _SETTABLE)
    if body.concurrent:
        raise NotToldError("fence agents that work at the same time")
    return body


def _check(body: Any, verb: str) -> None:
    if body.type is not None and body.type not in AGENT_TYPES:
        raise invalid(f"Cannot {verb} Fence Agent. Selected Power Management Agent is not supported.")


def _the_agent(call: Call) -> Any:
    host = call.parent(call.state.hosts, "Host")
    value = call.the(call.state.fence_agents)
    if value.host.id != host.id:
        raise BareError(404)
    return value


OPERATIONS: Operations = {
    (services.FenceAgentsService, "list"): _list,
    (services.FenceAgentsService, "add"): _add,
    (services.FenceAgentService, "get"): lambda call: _item(_the_agent(call)),
    (services.FenceAgentService, "update"): _update,
    (services.FenceAgentService, "remove"): _remove,
}
