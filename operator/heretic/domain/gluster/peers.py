"""The trusted pool as the storage nodes see it, in terms of our Nodes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1.network import NetworkRole
from heretic.domain.errors import Failure
from heretic.domain.facts import Known
from heretic.domain.gluster.parse.peers import IN_CLUSTER
from heretic.domain.host.facts import HostFacts, Peer
from heretic.domain.site.names import node_of_peer, storage_address
from heretic.domain.site.view import SiteView

HostView = HostFacts | Failure
"""What is known of a host: its facts, or why there are none."""

GLUSTER_PACKAGE = "glusterfs-server"
"""Carries Gluster's version on every supported platform."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool as one node sees it.

    Attributes:
        observer: The node.
        peers: Its peers that are Nodes of ours, by name.
        foreign: Names of peers that are none of our Nodes.
    """

    observer: str
    peers: Mapping[str, Peer]
    foreign: tuple[str, ...]

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
    if not isinstance(facts, HostFacts) or not isinstance(facts.peers, Known):
        return None
    peers: dict[str, Peer] = {}
    foreign: list[str] = []
    for peer in facts.peers.value:
        node = _node_of(peer, view, hosts)
        if node is None:
            foreign.append(peer.hostnames[0])
        else:
            peers[node] = peer
    return PoolView(observer, peers, tuple(foreign))


def node_of_host(name: str, uuid: str, view: SiteView, hosts: Mapping[str, HostView]) -> str | None:
    """The Node behind a host name that Gluster printed.

    Args:
        name: Stable name, short name or address.
        uuid: Of its glusterd, "" when not known; decides where a host's own UUID is known.
        view: The declared site.
        hosts: What is known of the hosts.
    """
    for node, facts in hosts.items():
        if isinstance(facts, HostFacts) and isinstance(facts.gluster_uuid, Known) and facts.gluster_uuid.value == uuid:
            return node
    found = node_of_peer(view, name)
    if found is not None:
        return found
    owners = (n for n, node in view.nodes.items() if name in (node.spec.address, storage_address(view, node)))
    return next(owners, None)


def versions(nodes: Iterable[str], hosts: Mapping[str, HostView]) -> Mapping[str, str] | None:
    """Gluster's version on each node, without the package's own revision; None unless all are known."""
    found: dict[str, str] = {}
    for node in nodes:
        facts = hosts.get(node)
        if not isinstance(facts, HostFacts) or not isinstance(facts.packages, Known):
            return None
        version = facts.packages.value.get(GLUSTER_PACKAGE)
        if version is None:
            return None
        found[node] = version.rpartition(":")[2].partition("-")[0]
    return found


def storage_network(view: SiteView) -> str:
    """What to call the network between the nodes in a message."""
    names = [n for n, network in view.networks.items() if network.spec.role is NetworkRole.GLUSTER]
    return f"network {names[0]}" if names else "the management network"


def _node_of(peer: Peer, view: SiteView, hosts: Mapping[str, HostView]) -> str | None:
    found = (node_of_host(name, peer.uuid, view, hosts) for name in peer.hostnames)
    return next((node for node in found if node is not None), None)
