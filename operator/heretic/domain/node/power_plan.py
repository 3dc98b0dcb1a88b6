"""What to do next so that the engine can switch a host's power as its Node declares."""

from collections.abc import Iterator, Mapping, Sequence

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.power import FenceAgent, PowerManagement, PowerManagementStatus
from heretic.domain.commands import SecretRef
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineHost
from heretic.domain.engine.parse import states
from heretic.domain.engine.power import SeenAgent, password_key
from heretic.domain.engine.power_questions import PASSWORD, can_be_tested, declaration_hash
from heretic.domain.engine.site import LATER, EngineSite
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.rule import Part
from heretic.domain.node.member import EngineMember, Membership
from heretic.domain.node.power_steps import AddFenceAgent, RemoveFenceAgent, SetPowerManagement, UpdateFenceAgent
from heretic.domain.plan import Blocked, Obstacle, PlanItem, Step, Wait, told_apart

SOON = 5.0
"""Seconds until what was not asked yet is asked."""

_CALM = (states.UP, states.MAINTENANCE)
"""States of a host at which nobody thinks of switching it just now."""


def plan_power(node: Node, view: SiteView, found: Membership) -> Part:
    """Plans what the engine lacks to switch the host.

    Args:
        node: The Node, with what this pass knows of its power in its status.
        view: The declared site.
        found: What it is in the engine.
    """
    power = node.spec.power_management
    if power is None or node.spec.maintenance or not isinstance(found, EngineMember) or found.host is None:
        return Part()
    if found.host.status not in _CALM:
        return Part()
    items = [*_items(node, power, found.site, found.host), *_unasked(node, power, view)]
    return Part(*told_apart(items))


def _items(node: Node, power: PowerManagement, site: EngineSite, host: EngineHost) -> Iterator[PlanItem]:
    answer = site.facts.power.get(host.id)
    match answer.agents if answer else None:
        case None:
            yield from _rotated(node, power, site, host)
        case Known(agents):
            yield from _seen(node, power, site, host, agents)
        case Unknown(cause):
            yield Wait(Reason.NOT_OBSERVED, f"the fence agents of {node.metadata.name} are not known: {cause}", LATER)


def _seen(
    node: Node, power: PowerManagement, site: EngineSite, host: EngineHost, agents: Sequence[SeenAgent]
) -> Iterator[PlanItem]:
    """Disabled first, enabled last: an engine enables nothing without an agent, and may keep the last one of a host."""
    name, kept = node.metadata.name, _kept(node)
    gone = [one for one in agents if one.id in kept and not any(_stays(wanted, one) for wanted in power.agents)]
    placed = list(_placed(node, power, site, host, agents))
    disables = host.power_enabled is True and (not power.enabled or (bool(gone) and len(gone) == len(agents)))
    if disables:
        why = "its last fence agent is another one now" if power.enabled else "spec.powerManagement.enabled is false"
        yield _flags(power, site, host, f"the engine may switch {name}, and {why}", enabled=False)
    for one in gone:
        yield _remove(node, site, host, one)
    yield from placed
    if not disables and not flags_as_declared(power, host) and not any(isinstance(item, Obstacle) for item in placed):
        why = f"the engine {'may not' if power.enabled else 'may'} switch {name}, or not as declared"
        yield _flags(power, site, host, why, enabled=power.enabled)


def _unasked(node: Node, power: PowerManagement, view: SiteView) -> Iterator[Wait]:
    """What the next look is asked is decided by what is recorded now, so that look is soon."""
    status, name = node.status.power_management or PowerManagementStatus(), node.metadata.name
    if status.applied != declaration_hash(power):
        yield Wait(Reason.WORK_IN_PROGRESS, f"the fence agents of {name} are looked at next", SOON)
    elif power.enabled and not status.tested and can_be_tested(node, view):
        yield Wait(Reason.WORK_IN_PROGRESS, f"the fence agents of {name} are tested next", SOON)


def _rotated(node: Node, power: PowerManagement, site: EngineSite, host: EngineHost) -> Iterator[PlanItem]:
    """Where nothing was asked because all was as declared, a password can still have become another one."""
    status = node.status.power_management
    if status is None or status.applied != declaration_hash(power):
        return
    ids = {one.order: one.id for one in status.agents}
    for wanted in power.agents:
        if wanted.order in ids and password_is_due(node, site, host, wanted.order):
            yield _update(node, site, host, wanted, ids[wanted.order], "its Secret has another password")


def _kept(node: Node) -> frozenset[str]:
    """Ids of the agents that are Heretic's to remove."""
    return frozenset(one.id for one in (node.status.power_management or PowerManagementStatus()).agents)


def _placed(
    node: Node, power: PowerManagement, site: EngineSite, host: EngineHost, agents: Sequence[SeenAgent]
) -> Iterator[PlanItem]:
    kept = _kept(node)
    for wanted in power.agents:
        there = next((one for one in agents if _stays(wanted, one)), None)
        if there is not None and differs(wanted, there):
            yield _update(node, site, host, wanted, there.id, "it is not as declared")
        elif there is not None and password_is_due(node, site, host, wanted.order):
            yield _update(node, site, host, wanted, there.id, "whether the engine has its password is not known")
        elif there is None:
            stranger = next((one for one in agents if one.order == wanted.order and one.id not in kept), None)
            yield (
                _add(node, site, host, wanted)
                if stranger is None
                else Blocked(
                    Reason.FENCE_AGENT_NOT_OURS,
                    f"the engine has the fence agent {stranger.type} at {stranger.address} for {node.metadata.name}, "
                    f"of order {stranger.order}, which is not the declared {wanted.type.value} at {wanted.address}. "
                    "Remove it in the engine, or declare it, or give the declared one another order",
                )
            )


def is_same(wanted: FenceAgent, there: SeenAgent) -> bool:
    """Whether an agent of the engine is a declared one: the same device in the same place."""
    same_device = (wanted.type.value, wanted.address) == (there.type, there.address.lower())
    return same_device and wanted.order == there.order


def _stays(wanted: FenceAgent, there: SeenAgent) -> bool:
    """Whether an agent can become as declared: what a change cannot name stays, and only a new agent is without it."""
    too_much = (wanted.port is None and bool(there.port)) or (not wanted.options and bool(there.options))
    return is_same(wanted, there) and not too_much


def differs(wanted: FenceAgent, there: SeenAgent) -> bool:
    """Whether what the engine shows of an agent is not as declared."""
    shown = there.username, there.port or None, there.options, bool(there.encrypt_options)
    return shown != (wanted.username, wanted.port, frozenset(_options(wanted)), wanted.encrypt_options)


def flags_as_declared(power: PowerManagement, host: EngineHost) -> bool:
    """Whether the engine may switch a host as declared; what it did not tell is no reason to change anything."""
    pairs = (power.enabled, host.power_enabled), (power.kdump_detection, host.kdump_detection)
    return all(wanted is None or there is None or wanted == there for wanted, there in pairs)


def password_is_due(node: Node, site: EngineSite, host: EngineHost, order: int) -> bool:
    """Whether the engine was last given another password than the Secret has, as far as is known.

    Args:
        node: The Node, with what this pass knows of its power in its status.
        site: Where in the engine its site lives.
        host: The Node's host there.
        order: Of the agent.
    """
    recorded = node.status.power_management or PowerManagementStatus()
    hashes: Mapping[int, str] = {one.order: one.secret for one in recorded.agents}
    declared = site.facts.passwords.get(password_key(host.id, order), "")
    return bool(declared) and hashes.get(order, "") != declared


def _options(wanted: FenceAgent) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((option.name, option.value) for option in wanted.options))


def _flags(power: PowerManagement, site: EngineSite, host: EngineHost, why: str, *, enabled: bool) -> Step:
    return SetPowerManagement(
        engine=site.name, why=why, host=host.id, enabled=enabled, kdump_detection=power.kdump_detection
    )


def _remove(node: Node, site: EngineSite, host: EngineHost, there: SeenAgent) -> Step:
    device = f"{there.type} at {there.address}"
    return RemoveFenceAgent(
        engine=site.name,
        why=f"{node.metadata.name} has the fence agent {device} of order {there.order}, and not as declared",
        host=host.id,
        id=there.id,
        device=device,
    )


def _add(node: Node, site: EngineSite, host: EngineHost, wanted: FenceAgent) -> AddFenceAgent:
    return AddFenceAgent(
        engine=site.name,
        why=f"{node.metadata.name} has no fence agent {wanted.type.value} at {wanted.address}, which is declared",
        host=host.id,
        order=wanted.order,
        type=wanted.type.value,
        address=wanted.address,
        port=wanted.port or 0,
        username=wanted.username,
        password=SecretRef(wanted.credentials_ref.name, PASSWORD),
        options=_options(wanted),
        encrypt_options=wanted.encrypt_options,
    )


def _update(
    node: Node, site: EngineSite, host: EngineHost, wanted: FenceAgent, agent: str, why: str
) -> UpdateFenceAgent:
    added = _add(node, site, host, wanted)
    return UpdateFenceAgent(
        engine=site.name,
        why=f"fence agent {wanted.type.value} at {wanted.address} of {node.metadata.name}: {why}",
        id=agent,
        host=host.id,
        order=added.order,
        type=added.type,
        address=added.address,
        port=added.port,
        username=added.username,
        password=added.password,
        options=added.options,
        encrypt_options=added.encrypt_options,
    )
