"""Which hosts of the engine lack a logical network, and what to do about the next one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from heretic.api.v1alpha1 import Mode, Network, Node
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.node_interfaces import NodeInterface
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.mode import mode_of
from heretic.domain.declared.names import address_in, interfaces_in, same_name
from heretic.domain.declared.stored import is_true
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import EngineHost, EngineView, LogicalNetwork
from heretic.domain.engine.host_networks import against_change, is_vital
from heretic.domain.engine.host_parts import HostAttachment
from heretic.domain.engine.site import LATER, EngineSite, engine_site, hosts_of_site
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.network.engine_plan import find
from heretic.domain.network.host_steps import AttachNetworkToHost
from heretic.domain.network.links import difference
from heretic.domain.plan import Blocked, Converged, Plan, PlanItem, Proceed, Wait, told_apart
from heretic.domain.wiring.recorded import carried_by, port_with


@dataclass(frozen=True, slots=True)
class NetworkOnHost:
    """A network and one host of the engine.

    Attributes:
        view: The declared site.
        site: Where in the engine it lives.
        network: The object.
        there: What stands for it in the engine.
        node: Of the host.
        host: As the engine sees it.
        vital: Whether hosts or bricks reach each other over the network.
    """

    view: SiteView
    site: EngineSite
    network: Network
    there: LogicalNetwork
    node: Node
    host: EngineHost
    vital: bool

    @property
    def attachment(self) -> HostAttachment | None:
        """The network on the host; None where it is not there, or not known."""
        return next((one for one in self.host.attachments or () if one.network == self.there.id), None)


def attached_in_engine(found: Sequence[NetworkOnHost] | None) -> Mapping[str, bool | None]:
    """Whether the engine has a network on its hosts, in sync; by the Node's name, only of Nodes that are such hosts."""
    return {one.node.metadata.name: _is_in_sync(one) for one in found or ()}


def _is_in_sync(one: NetworkOnHost) -> bool | None:
    if one.host.attachments is None:
        return None
    return one.attachment.in_sync if one.attachment else False


def plan_on_hosts(name: str, found: Sequence[NetworkOnHost] | None) -> Plan | None:
    """Plans a logical network on the hosts of its engine.

    Args:
        name: Of the object.
        found: What ``networks_on_hosts`` found.

    Returns:
        The next host's step, with what is in the way of others. None where nothing is to be on hosts, or not yet.
    """
    if found is None:
        return None
    steps, obstacles = told_apart(item for one in found for item in _plan_host(one))
    if steps:
        return Proceed(steps[:1], obstacles)
    if obstacles:
        return obstacles[0]
    return Converged(f"{len(found)} hosts of the engine have network {name!r}")


def networks_on_hosts(network: Network, view: SiteView, seen: EngineView) -> tuple[NetworkOnHost, ...] | None:
    """The hosts of the engine on which a network belongs.

    Args:
        network: The object.
        view: The declared site with what its nodes' status says.
        seen: What is known of its engine.

    Returns:
        None where it belongs on none, or not yet: no engine, a network that is not in the cluster.
    """
    site = engine_site(view, seen)
    if not isinstance(site, EngineSite) or network.spec.role is NetworkRole.OVN:
        return None
    there = find(network, site)
    used = next((o for o in site.cluster.networks or () if isinstance(there, Known) and o.id == there.value.id), None)
    if not isinstance(there, Known) or used is None:
        return None
    vital = network.spec.role is NetworkRole.MANAGEMENT or used.usages is None or is_vital(used.usages)
    hosts = {host.id: host for host in hosts_of_site(site) or ()}
    found: list[NetworkOnHost] = []
    for _, node in sorted(view.nodes.items()):
        host = hosts.get(node.status.engine.id) if node.status.engine else None
        # The engine's id and address both: a host that moved is a person's to sort out, and its Node says so.
        if host and same_name(host.address) == same_name(node.spec.address) and address_in(network, node):
            found.append(NetworkOnHost(view, site, network, there.value, node, host, vital))
    return tuple(one for one in found if one.node.metadata.deletion_timestamp is None)


def left_to_a_person(network: Network, view: SiteView, seen: EngineView) -> list[str]:
    """The Nodes whose host has the network neither in the engine nor by an address: nobody says on which port it is.

    Args:
        network: The object.
        view: The declared site.
        seen: What is known of its engine.
    """
    site = engine_site(view, seen)
    there = find(network, site) if isinstance(site, EngineSite) else None
    if not isinstance(site, EngineSite) or not isinstance(there, Known):
        return []
    lacking = {h.id for h in hosts_of_site(site) or () if h.networks is not None and there.value.id not in h.networks}
    return sorted(
        name
        for name, node in view.nodes.items()
        if node.status.engine
        and node.status.engine.id in lacking
        and not address_in(network, node)
        # Its own Node puts it on the port that a person has named, or tells what is in the way (Wired).
        and not (node.spec.configure_links and any(network.metadata.name in p.networks for p in node.status.ports))
    )


def _plan_host(one: NetworkOnHost) -> Iterator[PlanItem]:
    host, name = one.host, one.there.name
    if host.attachments is None:
        yield Wait(Reason.NOT_OBSERVED, f"which networks host {host.name!r} has was not told", LATER)
        return
    if one.attachment:
        return  # what it has there otherwise is sync_plan's
    why = f"host {host.name!r} has not got network {name!r}"
    if one.node.spec.configure_links:
        told = f"{why}; Heretic puts it on the links of {one.node.metadata.name} (see Wired there)"
        yield Wait(Reason.WAITING_FOR_NODES, told)
        return
    obstacle = _obstacle(one, why)
    if obstacle:
        yield obstacle
        return
    port = _port_below(one)
    if isinstance(port, Wait | Blocked):
        yield port
        return
    yield AttachNetworkToHost(
        engine=one.site.name,
        why=why,
        node=one.node.metadata.name,
        host=host.id,
        network=one.there.id,
        name=name,
        takes_out=one.vital and len(one.view.nodes) > 1,  # a host that is alone has nobody to take its place
        guests=host.guests if one.vital else None,
        interface=port.name,
        addresses=interfaces_in(one.network, one.node),
    )


def _obstacle(one: NetworkOnHost, why: str) -> Wait | Blocked | None:
    """What keeps the engine from changing the networks of a host now."""
    node = one.node
    if mode_of(node, one.view.site) is not Mode.APPLY or node.spec.paused:
        return Wait(Reason.OBSERVED_ONLY, f"{why}, and Node {node.metadata.name} is paused or not in mode Apply")
    if node.spec.maintenance:
        return Wait(Reason.IN_MAINTENANCE, f"{why}, and Node {node.metadata.name} is in maintenance")
    return against_change(one.site, one.host, why, quiet=one.vital)


def _port_below(one: NetworkOnHost) -> NodeInterface | Wait | Blocked:
    """The port or bond of a host that carries the network: the engine makes VLAN and bridge on it itself."""
    name, address = one.node.metadata.name, address_in(one.network, one.node)
    if one.network.spec.role is NetworkRole.MANAGEMENT:
        why = f"host {one.host.name!r} has lost its management network in the engine; reinstall it there"
        return Blocked(Reason.NETWORK_DIFFERS, why)
    top = port_with(one.node, address)
    if not is_true(one.node, ConditionType.INSPECTED) or top is None or difference(one.network, one.node, top):
        return Wait(Reason.WAITING_FOR_NODES, f"{name} does not have network {one.network.metadata.name} as declared")
    links = [link for link in carried_by(one.node, top) if link.kind not in ("vlan", "bridge")]
    return links[0] if links else top
