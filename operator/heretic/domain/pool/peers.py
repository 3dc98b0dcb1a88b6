"""The trusted pool as the storage nodes see it, in terms of our Nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import Network
from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool import glusterd
from heretic.domain.pool.member import MEMBER
from heretic.domain.pool.members import members
from heretic.domain.pool.parse.peers import IN_CLUSTER, Peer


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool as one node sees it.

    Attributes:
        observer: The node.
        peers: Its peers that are Nodes of ours, by name.
        foreign: Names of peers that are proven to be none of our Nodes.
        unproven: Names of peers that may be a Node of ours whose UUID nobody knows yet.
    """

    observer: str
    peers: Mapping[str, Peer]
    foreign: tuple[str, ...]
    unproven: tuple[str, ...] = ()

    def absent(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Those of ``nodes`` that are not in the observer's pool."""
        return tuple(n for n in nodes if n != self.observer and n not in self.peers)

    def rejected(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Those of ``nodes`` that are peers but no full members."""
        return tuple(n for n in nodes if n in self.peers and self.peers[n].state != IN_CLUSTER)

    def disconnected(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Those of ``nodes`` that are members and do not answer."""
        return tuple(n for n in nodes if n in self.peers and not self.peers[n].connected)

    def whole(self, nodes: Iterable[str]) -> bool:
        """Whether all of ``nodes`` are connected full members."""
        wanted = tuple(nodes)
        return not (self.absent(wanted) or self.rejected(wanted) or self.disconnected(wanted))


def pool_seen_by(observer: str, view: SiteView, hosts: Mapping[str, HostView]) -> PoolView | None:
    """The pool as one node sees it; None when that is not known."""
    facts = hosts.get(observer)
    said = facts[MEMBER].peers if isinstance(facts, HostFacts) else None
    if not isinstance(said, Known):
        return None
    who = members(view, hosts)
    peers: dict[str, Peer] = {}
    strangers: list[str] = []
    for peer in said.value:
        node = who.node_of(peer.uuid, peer.hostnames)
        if node is None:
            strangers.append(peer.hostnames[0])
        else:
            peers[node] = peer
    if any(n not in peers for n in who.unknown):
        return PoolView(observer, peers, (), tuple(strangers))
    return PoolView(observer, peers, tuple(strangers))


def node_of_host(name: str, uuid: str, view: SiteView, hosts: Mapping[str, HostView]) -> str | None:
    """The Node behind a host name that Gluster printed.

    Args:
        name: Any name or address.
        uuid: Of its glusterd, "" when not known.
        view: The declared site.
        hosts: What is known of the hosts.
    """
    return members(view, hosts).node_of(uuid, (name,))


def versions(nodes: Iterable[str], hosts: Mapping[str, HostView]) -> Mapping[str, str] | None:
    """Gluster's version on each node, without the package's own revision; None unless all are known."""
    found: dict[str, str] = {}
    for node in nodes:
        facts = hosts.get(node)
        if not isinstance(facts, HostFacts) or not isinstance(facts.packages, Known):
            return None
        version = facts.packages.value.get(glusterd.PACKAGE)
        if version is None:
            return None
        found[node] = version.rpartition(":")[2].partition("-")[0]
    return found


def storage_network(view: SiteView) -> str:
    """What to call the network between the nodes in a message."""
    names = [n for n, network in view.of(Network).items() if network.spec.role is NetworkRole.GLUSTER]
    return f"network {names[0]}" if names else "the management network"
