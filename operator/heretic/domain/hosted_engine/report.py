"""What a HostedEngine says of its engine: status fields and conditions, all of them on every pass."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.hosted_engine import EngineHostStatus, HostedEngineStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.engine.facts import EngineCluster, EngineFacts, EngineHost, EngineView
from heretic.domain.engine.parse import states
from heretic.domain.engine.site import cluster_of, data_center_of, hosts_of, is_other_engine
from heretic.domain.errors import Failure, NeedsUser, Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.facts import HostView
from heretic.domain.hosted_engine.health import (
    MachineState,
    agents_in_trouble,
    global_maintenance,
    machine_health,
    scores,
)
from heretic.domain.hosted_engine.mac_pool import pool_of
from heretic.domain.hosted_engine.maintenance import maintenance_condition
from heretic.domain.hosted_engine.storage import domains_in_trouble
from heretic.domain.plan import Plan
from heretic.domain.report import Report, condition_of

READY = frozenset({ConditionType.ENGINE_UP, ConditionType.CLUSTER_READY})
"""What a HostedEngine's Ready is made of."""

EXPIRES_SOON = timedelta(days=30)
"""A certificate that is valid for less than this is told of."""

_FINE = frozenset({states.UP, states.MAINTENANCE, *states.ON_ITS_WAY})


def report_engine(engine: HostedEngine, seen: EngineView, plan: Plan, on: Mapping[str, HostView]) -> Report:
    """Says how the engine is.

    What was recorded of it stays in status while it cannot be seen, and every condition that depends on seeing it is
    Unknown.

    Args:
        engine: The object as stored, with its last status.
        seen: What is known of the engine.
        plan: What is done next around the engine.
        on: What is known of the hosts that may run the engine's machine, by Node.
    """
    if not isinstance(seen, EngineFacts):
        unseen = f"the engine cannot be observed ({seen.reason.value})"
        return Report(
            status=_as_hosts_say(engine.status, on),
            conditions=(
                _not_up(seen, on),
                Condition(ConditionType.CLUSTER_READY, State.UNKNOWN, seen.reason, unseen),
                _maintenance_of_unseen(seen, on),
                _degraded_by_agents(on, ()) or Condition(ConditionType.DEGRADED, State.UNKNOWN, seen.reason, unseen),
            ),
            ready=READY,
        )
    other = is_other_engine(engine, seen)
    if other:
        unseen = "another engine answers than the recorded one"
        return Report(
            status=engine.status,
            conditions=(
                Condition(ConditionType.ENGINE_UP, State.FALSE, other.reason, other.message),
                Condition(ConditionType.CLUSTER_READY, State.UNKNOWN, other.reason, unseen),
                Condition(ConditionType.GLOBAL_MAINTENANCE, State.UNKNOWN, other.reason, unseen),
                Condition(ConditionType.DEGRADED, State.UNKNOWN, other.reason, unseen),
            ),
            ready=READY,
        )
    return _seen(engine, seen, plan, on)


def _not_up(why: Failure, on: Mapping[str, HostView]) -> Condition:
    """Of an engine that was not seen: the hosts that run its machine may know more (rule:engine-good)."""
    kind, machine = ConditionType.ENGINE_UP, machine_health(on)
    if isinstance(why, NeedsUser):
        return Condition(kind, State.FALSE, why.reason, why.message)
    if machine.state is MachineState.DOWN:
        return Condition(kind, State.FALSE, Reason.ENGINE_DOWN, machine.why)
    more = f"; {machine.why}" if on else ""
    return Condition(kind, State.UNKNOWN, why.reason, f"{why.message}{more}")


def _maintenance_of_unseen(why: Failure, on: Mapping[str, HostView]) -> Condition:
    kind = ConditionType.GLOBAL_MAINTENANCE
    match global_maintenance(on):
        case None:
            return Condition(kind, State.UNKNOWN, why.reason, f"the engine cannot be observed ({why.reason.value})")
        case True:
            return Condition(kind, State.TRUE, Reason.AS_DECLARED, "nobody restarts the engine's machine: hosts say so")
        case False:
            return Condition(kind, State.FALSE, Reason.AS_DECLARED, "the hosts look after the engine's machine")


def _as_hosts_say(status: HostedEngineStatus, on: Mapping[str, HostView]) -> HostedEngineStatus:
    """The last status with the scores and the maintenance that the hosts tell now, which the engine cannot."""
    said = scores(on)
    hosts = [host.model_copy(update={"score": said.get(host.name)}) for host in status.hosts]
    return status.model_copy(update={"hosts": hosts, "global_maintenance": global_maintenance(on)})


def _seen(engine: HostedEngine, facts: EngineFacts, plan: Plan, on: Mapping[str, HostView]) -> Report:
    cluster = cluster_of(engine, facts)
    hosts = hosts_of(cluster, facts)
    version = facts.identity.version
    up = f"the engine {version} answers" if version else "the engine answers, and does not tell its version"
    status = _status(engine, facts, cluster, hosts, scores(on))
    return Report(
        status=status,
        conditions=(
            Condition(ConditionType.ENGINE_UP, State.TRUE, Reason.AS_DECLARED, up),
            condition_of(ConditionType.CLUSTER_READY, plan),
            maintenance_condition(engine, hosts),
            _degraded(facts, hosts, domains_in_trouble(engine, facts), on),
        ),
        ready=READY,
        summary=_summary(facts.identity.version, hosts, status.global_maintenance),
    )


def _status(
    engine: HostedEngine,
    facts: EngineFacts,
    cluster: Fact[EngineCluster],
    hosts: Fact[tuple[EngineHost, ...]],
    said: Mapping[str, int],
) -> HostedEngineStatus:
    data_center = data_center_of(engine, facts)
    changes: dict[str, object] = {"engine_id": facts.identity.instance, "version": facts.identity.version}
    if facts.certificate_until is not None:
        changes["certificate_until"] = f"{facts.certificate_until:%Y-%m-%d}"
    if isinstance(data_center, Known):
        changes["data_center_id"] = data_center.value.id
    if isinstance(cluster, Known):
        changes |= {"cluster_id": cluster.value.id, "level": cluster.value.level}
    pool = pool_of(engine, facts)
    if isinstance(pool, Known):
        changes["mac_pool_id"] = pool.value.id
    if isinstance(hosts, Known):
        changes["hosts"] = [_host(host, said) for host in sorted(hosts.value, key=lambda host: host.name)]
        changes["global_maintenance"] = _global_maintenance(hosts.value)
    return engine.status.model_copy(update=changes)


def _host(host: EngineHost, said: Mapping[str, int]) -> EngineHostStatus:
    """What the hosts' agents say now is newer than what the engine heard of them."""
    score = said.get(host.name, host.hosted_engine.score if host.hosted_engine else None)
    return EngineHostStatus(name=host.name, state=states.shown(host.status), score=score)


def _global_maintenance(hosts: tuple[EngineHost, ...]) -> bool | None:
    """What the hosts that are up and may run the engine's machine say; None where they say different things."""
    said = {host.hosted_engine.global_maintenance for host in hosts if host.hosted_engine and host.status == states.UP}
    return said.pop() if len(said) == 1 else None


def _degraded_by_agents(on: Mapping[str, HostView], in_service: Collection[str]) -> Condition | None:
    found = list(agents_in_trouble(on, in_service))
    return Condition(ConditionType.DEGRADED, State.TRUE, found[0][0], "; ".join(w for _, w in found)) if found else None


def _degraded(
    facts: EngineFacts, hosts: Fact[tuple[EngineHost, ...]], domains: list[str], on: Mapping[str, HostView]
) -> Condition:
    kind = ConditionType.DEGRADED
    if not isinstance(hosts, Known):
        cause = hosts.cause if isinstance(hosts, Unknown) else "they were not listed"
        return Condition(kind, State.UNKNOWN, Reason.NOT_OBSERVED, f"the hosts of the cluster are not known: {cause}")
    wrong = [
        f"{h.name} is {states.shown(h.status)}{f' ({h.detail})' if h.detail else ''}"
        for h in hosts.value
        if h.status not in _FINE
    ]
    if wrong or domains:
        reason = Reason.HOSTS_NOT_UP if wrong else Reason.STORAGE_DOMAIN_NOT_ACTIVE
        return Condition(kind, State.TRUE, reason, "; ".join([*sorted(wrong), *domains]))
    if agents := _degraded_by_agents(on, {h.name for h in hosts.value if h.status == states.UP}):
        return agents
    if (end := facts.certificate_until) and facts.identity.time and end - facts.identity.time < EXPIRES_SOON:
        told = f"its certificate is valid until {end:%Y-%m-%d}, by the engine's clock it is {facts.identity.time:%F}"
        return Condition(kind, State.TRUE, Reason.ENGINE_CERTIFICATE_EXPIRES, told)
    return Condition(kind, State.FALSE, Reason.AS_DECLARED, "no host and no storage domain is in trouble")


def _summary(version: str, hosts: Fact[tuple[EngineHost, ...]], maintenance: bool | None) -> str:
    engine = f"engine {version}".rstrip()
    if not isinstance(hosts, Known):
        return engine
    up = sum(host.status == states.UP for host in hosts.value)
    return f"{engine}, {up}/{len(hosts.value)} hosts up{', global maintenance' if maintenance else ''}"
