"""Changes of a host's networks: as a whole, with a way back, and saved or not."""

from ovirtsdk4 import services

from sim.engine.calls import Call, Operations, Performed
from sim.engine.host_calls import the_host
from sim.engine.host_life import HostTrouble
from sim.engine.host_net import CONFIGURABLE, net_of, synchronise
from sim.engine.messages import FaultError, conflict, invalid
from sim.engine.network_plan import HostNetworkPlan
from sim.engine.treatment import watch

_READ = (
    *("modified_network_attachments", "removed_network_attachments", "synchronized_network_attachments"),
    *("modified_bonds", "removed_bonds", "modified_labels", "removed_labels"),
    *("check_connectivity", "connectivity_timeout", "commit_on_success"),
)


def _setup(call: Call) -> Performed:
    host, life, status = the_host(call)
    body = call.body("action", _READ)
    if status not in CONFIGURABLE:
        raise _wrong_state(status.value)
    net = net_of(call.state, host)
    plan = HostNetworkPlan(call.state, host, net)
    plan.read(body)
    plan.check()
    plan.settle()
    if plan.wiring == net.now:
        # Nothing was changed, so nothing can go wrong.
        return Performed()
    if net.cuts and body.check_connectivity:
        net.cuts = False
        raise invalid("Host lost connectivity, the change of its networks was rolled back.")
    net.change(plan.wiring, call.state.now())
    if net.cuts:
        net.cuts = False
        life.lose(call.state.now(), HostTrouble())
        watch(call.state, host.id)
    elif body.commit_on_success:
        net.save()
    return Performed()


def _commit(call: Call) -> Performed:
    host, _, status = the_host(call)
    call.body("action")
    if status not in CONFIGURABLE:
        raise _wrong_state(status.value)
    net_of(call.state, host).save()
    return Performed()


def _synchronise(call: Call) -> Performed:
    host, _, status = the_host(call)
    call.body("action")
    if status not in CONFIGURABLE:
        raise _wrong_state(status.value)
    net = net_of(call.state, host)
    synchronise(call.state, host)
    # The engine saves what it has synchronised.
    net.save()
    return Performed()


def _wrong_state(state: str) -> FaultError:
    return conflict(f"Cannot setup Networks. Operation can not be performed while Host is {state}.")


OPERATIONS: Operations = {
    (services.HostService, "setup_networks"): _setup,
    (services.HostService, "commit_net_config"): _commit,
    (services.HostService, "sync_all_networks"): _synchronise,
}
