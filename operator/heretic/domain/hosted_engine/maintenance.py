"""Global maintenance: whether the hosts leave the engine's own machine alone, as it is declared."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.engine.call import BodyElement, EngineCall, EngineRequest, EngineStep, Expectation, Thing
from heretic.domain.engine.facts import OWN_MACHINE, EngineFacts, EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.engine.self_hosted import roles_are_told
from heretic.domain.engine.site import LATER
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, Wait

_SETTLE = 30
"""Seconds within which hosts tell of a change: their agents write down every 10 s how they are."""


@dataclass(frozen=True, kw_only=True)
class SetGlobalMaintenance(EngineStep):
    """Lets the hosts leave the engine's machine alone, or look after it again. The machine itself runs on.

    Attributes:
        machine: Id of the engine's own machine.
        on: Whether they leave it alone.
        hosts: Ids of the hosts that must say so afterwards; a change is sometimes lost, and then set again.
    """

    verb: ClassVar[str] = "SetGlobalMaintenance"

    machine: str
    on: bool
    hosts: tuple[str, ...]

    def call(self) -> EngineCall:
        """Is done when every host that answers says so (rule:engine-in-global-maintenance)."""
        said = (("hosted_engine.global_maintenance", self.on),)
        return EngineCall(
            done=tuple(Expectation(Thing("hosts", id=host, all_content=True), fields=said) for host in self.hosts),
            guards=(Expectation(Thing("vms", id=self.machine), fields=(("origin", OWN_MACHINE),)),),
            request=EngineRequest(
                "maintenance",
                f"vms/{self.machine}",
                BodyElement("action", (BodyElement("maintenance_enabled", self.on),)),
            ),
            settle=_SETTLE,
        )


def plan_maintenance(
    engine: HostedEngine, facts: EngineFacts, hosts: Fact[tuple[EngineHost, ...]], *, wanted: bool | None
) -> SetGlobalMaintenance | Obstacle | None:
    """What to do for global maintenance.

    Args:
        engine: The object.
        facts: What the engine showed.
        hosts: Of the site's cluster.
        wanted: Whether it shall be on; None = nothing is declared.

    Returns:
        None where it is so, or nothing is declared.
    """
    if wanted is None:
        return None
    if not isinstance(hosts, Known):
        return Wait(Reason.NOT_OBSERVED, "whether global maintenance is on is not known: the hosts are not", LATER)
    if not able_hosts(hosts.value):
        return _nobody_to_ask(hosts.value)
    live = live_hosts(hosts.value)
    if not live:
        return Wait(Reason.HOSTS_NOT_UP, "no host that may run the engine's machine is up and says how it is", LATER)
    said = said_by(live)
    if None in said.values():
        untold = ", ".join(sorted(name for name, on in said.items() if on is None))
        return Wait(Reason.NOT_OBSERVED, f"whether global maintenance is on was not told by {untold}", LATER)
    different = sorted(name for name, on in said.items() if on is not wanted)
    if not different:
        return None
    if not isinstance(facts.own_machine, Known):
        cause = facts.own_machine.cause if isinstance(facts.own_machine, Unknown) else "it lists none"
        return Wait(Reason.NOT_OBSERVED, f"the engine's own machine is not known: {cause}", LATER)
    why = f"global maintenance is {_word(not wanted)} on {', '.join(different)}, {_word(wanted)} is declared"
    if facts.own_machine.value is None:
        mode = "global" if wanted else "none"
        return Blocked(
            Reason.ENGINE_REFUSES,
            f"{why}, and the engine does not know its own machine yet, through which it is set. On one of the hosts: "
            f"hosted-engine --set-maintenance --mode={mode}",
        )
    ids = tuple(sorted(host.id for host in live))
    return SetGlobalMaintenance(
        engine=engine.metadata.name, why=why, machine=facts.own_machine.value.id, on=wanted, hosts=ids
    )


def able_hosts(hosts: tuple[EngineHost, ...]) -> tuple[EngineHost, ...]:
    """The hosts that may run the engine's machine; none where it is not self-hosted."""
    return tuple(
        host for host in hosts if host.hosted_engine is not None and host.hosted_engine.configured is not False
    )


def live_hosts(hosts: tuple[EngineHost, ...]) -> tuple[EngineHost, ...]:
    """Those whose agent works: what others said last is old."""
    return tuple(h for h in able_hosts(hosts) if h.status == states.UP and h.hosted_engine and h.hosted_engine.active)


_UNTOLD = "the engine leaves out which of its hosts may run its own machine"


def said_by(hosts: tuple[EngineHost, ...]) -> dict[str, bool | None]:
    """What each host says, by name."""
    return {host.name: host.hosted_engine.global_maintenance for host in hosts if host.hosted_engine}


def _nobody_to_ask(hosts: tuple[EngineHost, ...]) -> Obstacle:
    if not any(host.status == states.UP for host in hosts):
        return Wait(Reason.HOSTS_NOT_UP, "no host is up that could say whether global maintenance is on", LATER)
    if not roles_are_told(hosts):
        return Wait(Reason.NOT_OBSERVED, f"whether global maintenance is on is not known: {_UNTOLD}", LATER)
    return Blocked(
        Reason.INVALID_SPEC,
        "spec.globalMaintenance is declared, and no host of the cluster may run the engine's machine: the engine is "
        "not self-hosted. Remove spec.globalMaintenance, or give hosts that part in the engine",
    )


def _word(on: bool) -> str:
    return "on" if on else "off"


def maintenance_condition(engine: HostedEngine, hosts: Fact[tuple[EngineHost, ...]]) -> Condition:
    """Whether nobody looks after the engine's machine; neither good nor bad in itself.

    Args:
        engine: The object.
        hosts: Of the site's cluster.
    """
    kind, declared = ConditionType.GLOBAL_MAINTENANCE, engine.spec.global_maintenance
    if not isinstance(hosts, Known):
        cause = hosts.cause if isinstance(hosts, Unknown) else "they were not listed"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"the hosts of the cluster are not known: {cause}")
    if hosts.value and not roles_are_told(hosts.value):
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, _UNTOLD)
    if not able_hosts(hosts.value):
        why = "no host of the cluster may run the engine's machine"
        return Condition(kind, State.FALSE, Reason.ENGINE_NOT_DECLARED, why)
    said = said_by(live_hosts(hosts.value))
    on, off = (sorted(name for name, says in said.items() if says is value) for value in (True, False))
    if len(on) + len(off) < len(said) or not said or (on and off):
        told = f"on says {', '.join(on) or 'nobody'}, off {', '.join(off) or 'nobody'}"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"the hosts that are up do not agree: {told}")
    state = State.TRUE if on else State.FALSE
    left = f", and {_word(declared)} is declared" if declared is not None and declared is not bool(on) else ""
    reason = Reason.WORK_IN_PROGRESS if left else Reason.AS_DECLARED
    if on and declared is None and engine.status.upgrade.stage in ("", "done"):
        why = "nobody restarts the engine's machine: its hosts say so, and nothing declares it"
        return Condition(kind, state, Reason.MAINTENANCE_LEFT_ON, why)
    if on:
        return Condition(kind, state, reason, f"nobody restarts the engine's machine: its hosts say so{left}")
    return Condition(kind, state, reason, f"the hosts look after the engine's machine{left}")
