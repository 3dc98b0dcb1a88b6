"""What was seen of one volume, as far as its conditions and its status are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import is_lost, unobserved
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.difference import laid_out_by_others
from heretic.domain.gluster.health import BrickHealth, brick_healths, volume_of
from heretic.domain.gluster.placement import Placement, gluster_name, place
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool.facts import PoolFacts, VolumeInfo
from heretic.domain.pool.peers import pool_seen_by


@dataclass(frozen=True, slots=True)
class SeenVolume:
    """What the conditions are decided on.

    Attributes:
        name: Of the volume in Gluster.
        info: The volume, if it exists and is known.
        foreign: Whether somebody else laid out its bricks.
        placed: Where Heretic places it; None where it does not (yet), or where others did.
        sets: Its bricks, set by set; empty when there is no info.
        lost: Nodes that hold bricks and cannot be reached or are disconnected, with why.
        doubt: Why it is not known which nodes are lost; "" when it is.
        pool: What the asked node says.
    """

    name: str
    info: Fact[VolumeInfo]
    foreign: bool
    placed: Placement | None
    sets: tuple[tuple[BrickHealth, ...], ...]
    lost: Mapping[str, str]
    doubt: str
    pool: Fact[PoolFacts]

    @property
    def bricks(self) -> tuple[BrickHealth, ...]:
        """All bricks in Gluster's order."""
        return tuple(b for members in self.sets for b in members)


def see(volume: GlusterVolume, view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]) -> SeenVolume:
    """Takes together what is known of one volume.

    Args:
        volume: The object.
        view: The declared site.
        hosts: What is known of every storage node.
        pool: What one of them says of the volumes.
    """
    name = gluster_name(volume)
    placement = place(view).get(volume.metadata.name)
    info = _itself(volume, volume_of(pool, name))
    foreign = isinstance(info, Known) and laid_out_by_others(info.value)
    placed = placement if isinstance(placement, Placement) and not foreign else None
    sets = (
        brick_healths(info.value, view, hosts, pool.value)
        if isinstance(info, Known) and isinstance(pool, Known)
        else ()
    )
    lost = _lost(info, sets, placed, view, hosts, pool)
    return SeenVolume(name, info, foreign, placed, sets, lost, _doubt(sets, view, hosts, pool), pool)


def _itself(volume: GlusterVolume, info: Fact[VolumeInfo]) -> Fact[VolumeInfo]:
    """The volume that this object stands for; a namesake says nothing of it."""
    recorded = volume.status.volume_id
    if not isinstance(info, Known) or recorded in ("", info.value.volume_id):
        return info
    found = info.value
    return Unknown(f"the volume {found.name} has the id {found.volume_id}, and this object stands for {recorded}")


def _lost(
    info: Fact[VolumeInfo],
    sets: Sequence[Sequence[BrickHealth]],
    placed: Placement | None,
    view: SiteView,
    hosts: Mapping[str, HostView],
    pool: Fact[PoolFacts],
) -> dict[str, str]:
    """Nodes of an existing volume that are out, as far as that is known.

    It counts as soon as a host gives no sign of life: glusterd itself may believe in a dead peer for minutes. A host
    that answers and lets nobody in is another matter: whether it is out is not known.
    """
    exists = isinstance(info, Known)
    nodes = {b.node for members in sets for b in members if b.node}
    if not exists and placed is not None and not isinstance(info, Absent):
        nodes = {b.host for b in placed.bricks}
    lost: dict[str, str] = {}
    for node in sorted(nodes):
        facts = hosts.get(node)
        if facts is None and node not in view.unread_of(Node.KIND):
            lost[node] = f"{node} is no storage node of this site any more"
        elif facts is not None and not isinstance(facts, HostFacts) and is_lost(facts):
            lost[node] = unobserved(node, facts)
    for node in _disconnected(view, hosts, pool):
        if node in nodes:
            lost.setdefault(node, f"glusterd on {node} does not answer its peers")
    return lost


def _disconnected(view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]) -> tuple[str, ...]:
    if not isinstance(pool, Known):
        return ()
    members = pool_seen_by(pool.value.asked, view, hosts)
    return members.disconnected(view.nodes) if members else ()


def _doubt(
    sets: Sequence[Sequence[BrickHealth]], view: SiteView, hosts: Mapping[str, HostView], pool: Fact[PoolFacts]
) -> str:
    """Why the list of lost nodes may be incomplete."""
    nodes = sorted({b.node for members in sets for b in members})
    told = [
        unobserved(node, facts)
        for node in nodes
        if (facts := hosts.get(node)) is not None and not isinstance(facts, HostFacts) and not is_lost(facts)
    ]
    told += [f"Node {node} cannot be understood by this version" for node in nodes if node in view.unread_of(Node.KIND)]
    if told:
        return "; ".join(told)
    if isinstance(pool, Known) and pool_seen_by(pool.value.asked, view, hosts) is None:
        return f"{pool.value.asked} does not tell which of its peers answer"
    strangers = sorted({b.brick.host for members in sets for b in members if not b.node})
    return f"{', '.join(strangers)}: no Node of this site is known under that name" if strangers else ""
