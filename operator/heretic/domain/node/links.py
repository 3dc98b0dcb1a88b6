"""The links of a Node's host, kept as the Networks declare, where the Node wants that: one group of ports a pass."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from heretic.api.v1alpha1 import HostedEngine, Network, Node
from heretic.domain.declared.engine import declared_engine
from heretic.domain.declared.names import address_in, is_address
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.rule import Part
from heretic.domain.kind import Observed
from heretic.domain.node.engine_links import plan_engine_links
from heretic.domain.node.member import EngineMember, Membership
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.wiring.classify import How
from heretic.domain.wiring.lacp import told_of_aggregate, what_the_switch_needs
from heretic.domain.wiring.link_steps import SECONDS, TRIAL, ChangeLinks, ConvertBond, KeepLinks, TryLinks, key_of
from heretic.domain.wiring.links import Links, live
from heretic.domain.wiring.manager import KEPT_LINKS, TAKEN_BACK, KeptLinks, Manager, was_refused
from heretic.domain.wiring.profiles import KEPT, TRIED, members
from heretic.domain.wiring.renumber import former_addresses, has_former, kept_by_network, renumbering_refused
from heretic.domain.wiring.section import WIRES
from heretic.domain.wiring.wanted import LinkGroup, link_groups, neighbours
from heretic.domain.wiring.wiring import Wiring


def plan_links(
    node: Node,
    view: SiteView,
    facts: HostFacts,
    found: Wiring,
    member: Membership,
    others: Mapping[str, HostView] = MappingProxyType({}),
) -> Part:
    """What the links of a host lack: the first group that differs, and what is in the way.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of its host.
        found: Where its ports lead.
        member: What the Node is in the engine, which keeps the links of its hosts.
        others: What is known of the other nodes, where they were asked by which address they know this one.
    """
    if not node.spec.configure_links or node.spec.maintenance or found.unasked:
        return Part()
    kept, links = facts[KEPT_LINKS], facts.interfaces
    if not isinstance(links, Known):
        return Part()
    if isinstance(member, EngineMember) and member.host is not None:
        return _in_engine(node, view, facts, links.value, found, member)
    if isinstance(member, Wait | Blocked) and _may_be_member(node, view):
        return Part(obstacles=(member,))
    if member is None and node.status.engine is not None:
        return Part()  # until it is known that it is one no longer
    host = node.metadata.name
    if not isinstance(kept.manager, Known):
        cause = kept.manager.cause if isinstance(kept.manager, Unknown) else "nothing was found"
        return Part(obstacles=(Wait(Reason.NOT_OBSERVED, f"{host}: what keeps its links is not known: {cause}"),))
    if not isinstance(facts.trials, Known) or TRIAL in facts.trials.value:
        # Whoever has begun it does not prove it any more: a pass that does has not ended yet.
        why = f"{host}: a change of its links is on trial, and the host takes it back within {SECONDS} s"
        return Part(obstacles=(Wait(Reason.WORK_IN_PROGRESS, why, _SOON, keeps_slot=True),))
    manager, waiting = kept.manager.value, tuple[TryLinks, ...]()
    former = former_addresses(node, view, facts, others)
    groups = link_groups(node, view, links.value, found.findings, members(manager.files), kept_by_network(former))
    obstacles: list[Obstacle] = [group for group in groups if isinstance(group, Blocked)]
    for group in (g for g in groups if isinstance(g, LinkGroup)):
        if _is_active(group, manager) and not group.lost:
            if _is_kept(group, manager):
                continue
            return Part((_keep(host, group),), tuple(obstacles))
        if not group.differs and not _has_ours(group, manager):
            continue
        obstacle = _obstacle(node, view, group, kept, manager) or renumbering_refused(
            node, view, links.value, group.networks, former
        )
        if obstacle is not None:
            obstacles.append(obstacle)
            continue
        step = _change(node, view, facts, group, found)
        step = replace(step, fresh=_fresh(node, view, links.value, group))
        if not step.needs_approval:
            return Part((step,), tuple(obstacles))
        waiting = waiting or (step,)  # for a person, and what needs none goes on
    return Part(waiting, tuple(obstacles))


def _in_engine(node: Node, view: SiteView, facts: HostFacts, links: Links, found: Wiring, member: EngineMember) -> Part:
    """What the engine changes; it replaces an address at once, so what may not be changed is held back altogether."""
    part, former = plan_engine_links(node, view, found, member), former_addresses(node, view, facts, {})
    networks = tuple(one.network for one in former)
    refused = renumbering_refused(node, view, links, networks, former) if part.steps else None
    return Part(obstacles=(refused, *part.obstacles)) if refused else part


def _may_be_member(node: Node, view: SiteView) -> bool:
    """Whether the host may be one of the engine although that cannot be seen: VDSM would keep its links then."""
    engine = declared_engine(view)
    seen_once = isinstance(engine, HostedEngine) and bool(engine.status.engine_id)
    return seen_once or bool(node.status.engine and node.status.engine.id)


def _is_active(group: LinkGroup, manager: Manager) -> bool:
    return all(profile.uuid in manager.active for profile in group.profiles)


def _is_kept(group: LinkGroup, manager: Manager) -> bool:
    """Whether a boot brings the same up."""
    there = all(manager.files.get(f"{KEPT}/{profile.file}") == profile.text for profile in group.profiles)
    tried = any(f"{TRIED}/{profile.file}" in manager.files for profile in group.profiles)
    return there and not tried


def _has_ours(group: LinkGroup, manager: Manager) -> bool:
    return any(f"{folder}/{profile.file}" in manager.files for profile in group.profiles for folder in (KEPT, TRIED))


def _obstacle(node: Node, view: SiteView, group: LinkGroup, kept: KeptLinks, manager: Manager) -> Blocked | None:
    host, links = node.metadata.name, ", ".join(profile.link for profile in group.profiles)
    if not manager.runs:
        who = "systemd-networkd keeps its links" if manager.networkd else "its links are kept by something else"
        return Blocked(
            Reason.NETWORK_MANAGER_MISSING,
            f"{host}: {links} are to be configured ({group.differs}), and NetworkManager does not run: {who}. Install "
            "NetworkManager and let it keep the host's links, or take spec.configureLinks of the Node away",
        )
    told = was_refused(kept, key_of(group.profiles), _of_others(node, view))
    if told is not None:
        lost = f"{', '.join(told.lost)} did not answer any more" if told.lost else "nobody could prove it in time"
        lost = told_of_aggregate(told.lost, next(iter(group.aggregate), "")) or lost
        return Blocked(
            Reason.CHANGE_TAKEN_BACK,
            f"{host}: {links} were configured as declared, and the host took that back ({told.times} times): {lost}. "
            f"Correct the Network, the Node or the switch; `rm {TAKEN_BACK}` on the host lets the same be tried again",
        )
    return None


def _of_others(node: Node, view: SiteView) -> frozenset[str]:
    """Addresses of the other nodes."""
    others = [other for other in view.nodes.values() if other.metadata.name != node.metadata.name]
    found = {address_in(network, other) for network in view.of(Network).values() for other in others}
    return frozenset(filter(None, found))


def is_renumbered(node: Node, view: SiteView, facts: HostFacts) -> bool:
    """Whether a host has addresses of before, so that others are to be asked whether they go by them."""
    return node.spec.configure_links and has_former(node, view, facts)


def told_elsewhere(node: Node, reason: Reason) -> str:
    """What to add where nobody answers at an address that the host was never seen to have; "" = nothing."""
    has = {a.partition("/")[0] for link in node.status.interfaces for a in link.addresses}
    if reason is not Reason.UNREACHABLE or not has or not is_address(node.spec.address) or node.spec.address in has:
        return ""
    return (
        f". {node.metadata.name} was never seen with {node.spec.address}: where its address is to be changed, declare "
        "the old one in spec.address again, and the new one in spec.addresses first"
    )


def configured_hosts(view: SiteView) -> frozenset[str]:
    """Nodes whose links Heretic configures."""
    return frozenset(name for name, node in view.nodes.items() if node.spec.configure_links)


def against_trials(name: str, view: SiteView, now: Observed) -> Iterator[str]:
    """Why a host must stay for the sake of others whose links are on trial, or may be (rule:links-on-trial).

    Args:
        name: Of the Node.
        view: The declared site.
        now: What is seen now.
    """
    for other in sorted(configured_hosts(view) - {name}):
        facts = now.hosts.get(other)
        if not isinstance(facts, HostFacts) or not isinstance(facts.trials, Known):
            yield f"{other} cannot be seen, and its links may be on trial"
        elif TRIAL in facts.trials.value:
            yield f"the links of {other} are on trial"


def _keep(host: str, group: LinkGroup) -> KeepLinks:
    names = tuple(profile.link for profile in group.profiles)
    return KeepLinks(
        host=host,
        why=f"{', '.join(names)} were proved, and a boot would forget them",
        links=names,
        profiles=group.profiles,
    )


def _change(node: Node, view: SiteView, facts: HostFacts, group: LinkGroup, found: Wiring) -> TryLinks:
    host, own = node.metadata.name, [f for f in found.findings if f.port.name in group.ports]
    heard = {a for a in neighbours(node, view, group.networks) if any(a in f.evidence.split() for f in own)}
    answered = tuple(sorted(heard)) if any(f.how is How.ANSWERED for f in own) else ()
    every = tuple(sorted({name for finding in found.findings for name in finding.networks}))
    kind = TryLinks if group.free else ChangeLinks
    step = kind(
        host=host,
        why=f"{group.differs or 'its profiles differ'}: {' and '.join(group.networks)} on {', '.join(group.ports)}",
        ports=group.ports,
        links=tuple(profile.link for profile in group.profiles),
        profiles=group.profiles,
        before=neighbours(node, view, every)[:_MOST],
        after=answered,
        routers=_new_routers(facts, group),
        aggregate=group.aggregate,
    )
    if group.conversion is None:
        return step
    change = group.conversion
    told = what_the_switch_needs(host, change, tuple(own))
    common = {field.name: getattr(step, field.name) for field in fields(step)}
    return ConvertBond(**common | {"why": told}, bond=change.bond, modes=(change.before, change.after.value))


def _fresh(node: Node, view: SiteView, links: Links, group: LinkGroup) -> tuple[str, ...]:
    """Addresses that come new to ports in use; of free ports was asked who has theirs."""
    declared = (address_in(view.of(Network)[name], node) for name in group.networks)
    return () if group.free else tuple(address for address in declared if address and address not in live(links))


def _new_routers(facts: HostFacts, group: LinkGroup) -> tuple[str, ...]:
    """Routers that a change brings; one that the host has already may be down, and is no reason against it."""
    routes = facts[WIRES].routes
    there = {route.gateway for route in routes.value} if isinstance(routes, Known) else set()
    return tuple(router for router in group.routers if router not in there)


_SOON = 10.0
_MOST = 16
"""How many neighbours are asked before and after a change."""
