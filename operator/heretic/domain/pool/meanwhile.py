"""What an earlier answer of the pool still says when nodes were lost since."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Fact, Known
from heretic.domain.host.facts import HostView
from heretic.domain.pool.facts import HealSummary, PoolFacts, VolumeInfo, VolumeStatus
from heretic.domain.pool.peers import node_of_host


def without_nodes(
    pool: Fact[PoolFacts], lost: Collection[str], view: SiteView, hosts: Mapping[str, HostView]
) -> Fact[PoolFacts]:
    """Takes out what was said of the bricks on lost nodes: whether they run or owe anything is not known any more.

    Args:
        pool: An earlier answer.
        lost: Names of the nodes.
        view: The declared site.
        hosts: What is known of the hosts.
    """
    if not isinstance(pool, Known) or not isinstance(pool.value.volumes, Known):
        return pool
    gone = {n: _bricks_on(info, lost, view, hosts) for n, info in pool.value.volumes.value.items()}
    status = {n: _status_without(fact, gone.get(n, frozenset())) for n, fact in pool.value.status.items()}
    heal = {n: _heal_without(fact, gone.get(n, frozenset())) for n, fact in pool.value.heal.items()}
    return Known(replace(pool.value, status=status, heal=heal))


def _bricks_on(
    info: VolumeInfo, lost: Collection[str], view: SiteView, hosts: Mapping[str, HostView]
) -> frozenset[str]:
    return frozenset(
        f"{b.host}:{b.path}" for b in info.bricks if node_of_host(b.host, b.host_uuid, view, hosts) in lost
    )


def _status_without(fact: Fact[VolumeStatus], gone: frozenset[str]) -> Fact[VolumeStatus]:
    if not isinstance(fact, Known):
        return fact
    return Known(replace(fact.value, bricks={k: b for k, b in fact.value.bricks.items() if k not in gone}))


def _heal_without(fact: Fact[HealSummary], gone: frozenset[str]) -> Fact[HealSummary]:
    if not isinstance(fact, Known):
        return fact
    counts = fact.value
    return Known(
        HealSummary(
            pending={k: c for k, c in counts.pending.items() if k not in gone},
            split_brain={k: c for k, c in counts.split_brain.items() if k not in gone},
        )
    )
