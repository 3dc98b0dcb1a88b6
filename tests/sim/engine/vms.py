"""Virtual machines: listed, made from nothing, changed, removed. What makes them run is in vm_actions.py."""

from datetime import UTC
from typing import Any

from ovirtsdk4 import services, types

from sim.engine.attachments import PoolStatus, data_center_status
from sim.engine.calls import Call, Created, Operations, Performed, lookup, only
from sim.engine.hosted_engine import is_hosted_engine
from sim.engine.messages import NotToldError, conflict, incomplete
from sim.engine.placements import host_of, vm_status
from sim.engine.render import EngineTime, Item, Listing, ref, shown
from sim.engine.routes import API
from sim.engine.state import EngineState, merged, named
from sim.engine.vm_defaults import BLANK, new_vm
from sim.engine.vm_life import VmStatus

_ALWAYS = ("name", "description", "comment")
_SETTABLE = (
    *(*_ALWAYS, "cluster", "template", "memory", "memory_policy", "cpu", "type", "placement_policy"),
    *("high_availability", "delete_protected"),
)
_INSIDE = {
    "cpu": ("topology",),
    "memory_policy": ("guaranteed", "max"),
    "placement_policy": ("affinity", "hosts"),
    "high_availability": ("enabled", "priority"),
}
_OF_HOSTED_ENGINE = (*_ALWAYS, "memory", "memory_policy", "cpu", "placement_policy")


def _item(call: Call, value: Any) -> Item:
    state = call.state
    host, life = host_of(state, value), state.vm_lives[value.id]
    now: dict[str, Any] = {"status": vm_status(state, value)}
    since = EngineTime.fromtimestamp(life.hosts.since(state.now()).timestamp(), UTC)
    if host:
        now |= {"host": ref(types.Host, host), "run_once": False, "start_time": since}
    elif life.ended(state.now()):
        now["stop_time"] = since
    return Item(shown(value, **now), f"{API}/vms/{value.id}")


def _list(call: Call) -> Listing:
    return Listing("vms", [_item(call, value) for value in call.state.vms.values()])


def _add(call: Call) -> Created:
    state = call.state
    body = call.body("vm", _SETTABLE)
    if not body.cluster or not (body.cluster.id or body.cluster.name):
        raise incomplete("Vm", "cluster.id|name")
    try:
        cluster = lookup(state.clusters, body.cluster, "Cluster")
    except KeyError as error:
        raise NotToldError("a virtual machine in a cluster with an unknown id") from error
    _check(body)
    body.cluster = None
    with call.job(f"Creating VM {body.name} in Cluster {cluster.name}"):
        if cluster.data_center and data_center_status(state, cluster.data_center.id) is not PoolStatus.UP:
            raise conflict("Cannot add VM. Unknown Data Center status.")
        if not cluster.data_center or not body.name or not _blank(body.template):
            raise NotToldError("a virtual machine without a data center, a name or the template Blank")
        body.template = None
        _check_name(state, body.name, "add")
        made = new_vm(state, body.name, cluster.id, **({"memory": body.memory} if body.memory else {}))
        state.vms[made.id] = merged(made, body)
    return Created(_item(call, state.vms[made.id]))


def _blank(template: Any) -> bool:
    return bool(template and (template.id == BLANK or (not template.id and template.name == "Blank")))


def _check(body: Any) -> None:
    for field, inside in _INSIDE.items():
        if given := getattr(body, field):
            only(given, field, inside)


def _check_name(state: EngineState, name: str, verb: str) -> None:
    if named(state.vms, name):
        raise conflict(f"Cannot {verb} VM. The VM name is already in use.")


def _update(call: Call) -> Item:
    state = call.state
    value = call.the(state.vms)
    if is_hosted_engine(state, value):
        body = call.body("vm", (name.removeprefix("_") for name in vars(types.Vm())))
        _check_hosted_engine(value, body)
    else:
        body = call.body("vm", set(_SETTABLE) - {"cluster", "template"})
    _check(body)
    changed = {name.removeprefix("_") for name, given in vars(body).items() if given is not None} - {"id", "href"}
    if not is_hosted_engine(state, value) and vm_status(state, value) is not VmStatus.DOWN and changed - {*_ALWAYS}:
        raise NotToldError(f"{', '.join(sorted(changed))} of a virtual machine that runs")
    if body.name not in (None, value.name):
        _check_name(state, body.name, "edit")
    state.vms[value.id] = merged(value, body)
    return _item(call, state.vms[value.id])


def _check_hosted_engine(value: Any, body: Any) -> None:
    """Most of the engine's own machine is fixed; what says what is there already is no change."""
    for name, given in vars(body).items():
        field = name.removeprefix("_")
        if given is None or field in (*_OF_HOSTED_ENGINE, "id", "href") or given == getattr(value, field):
            continue
        raise conflict("There was an attempt to change Hosted Engine VM values that are locked.")
    if body.cpu and body.cpu.topology and (body.cpu.topology.cores or body.cpu.topology.threads):
        raise NotToldError("cores or threads of the engine's own machine, which runs")


def _remove(call: Call) -> Performed:
    state = call.state
    value = call.the(state.vms)
    if value.delete_protected:
        raise conflict("Cannot remove VM. Delete protection is enabled. In order to delete, disable Delete protection.")
    if vm_status(state, value) is not VmStatus.DOWN:
        raise conflict("Cannot remove VM. VM is running.")
    del state.vms[value.id], state.vm_lives[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.VmsService, "list"): _list,
    (services.VmsService, "add"): _add,
    (services.VmService, "get"): lambda call: _item(call, call.the(call.state.vms)),
    (services.VmService, "update"): _update,
    (services.VmService, "remove"): _remove,
}
