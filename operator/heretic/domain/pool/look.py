"""The trusted pool's volumes as a fact of the whole site: whom to ask, what, and what an old answer is still worth."""

from collections.abc import Mapping, Sequence

from heretic.domain.commands import Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.pool import glusterd
from heretic.domain.pool.facts import PoolFacts, VolumeState
from heretic.domain.pool.meanwhile import without_nodes
from heretic.domain.pool.member import MEMBER
from heretic.domain.pool.members import members
from heretic.domain.pool.probes import assemble_pool, pool_probes
from heretic.domain.shared import SharedFact


def started_in(facts: PoolFacts) -> tuple[str, ...]:
    """Names of the started volumes."""
    match facts.volumes:
        case Known(volumes):
            return tuple(sorted(n for n, v in volumes.items() if v.state is VolumeState.STARTED))
        case _:
            return ()


def whom_to_ask(view: SiteView, hosts: Mapping[str, HostView]) -> str | None:
    """The storage node that sees most peers connected; where that is equal one that nobody works on, then by name.

    A host whose glusterd is not the one that was known is not asked: it knows nothing of the pool's volumes.

    Args:
        view: The declared site.
        hosts: What is known of every storage node.
    """
    who = members(view, hosts)

    def connected(facts: HostFacts) -> int:
        peers = facts[MEMBER].peers
        return sum(p.connected for p in peers.value) if isinstance(peers, Known) else -1

    able = [
        (-connected(f), in_maintenance(view, n), n)
        for n, f in hosts.items()
        if isinstance(f, HostFacts) and _glusterd_runs(f) and not who.obstacle((n,))
    ]
    return min(able)[2] if able else None


def _glusterd_runs(facts: HostFacts) -> bool:
    if not isinstance(facts.services, Known):
        return False
    service = facts.services.value.get(glusterd.SERVICE)
    return service is not None and service.active == "active"


def _probes(before: PoolFacts | None) -> Sequence[Probe[object]]:
    return pool_probes(started_in(before) if before else ())


POOL = SharedFact(
    name="trusted pool",
    whom=whom_to_ask,
    nobody="no storage node with a running glusterd can be reached",
    probes=_probes,
    assemble=assemble_pool,
    without=without_nodes,
)
"""All volumes, as one storage node with a running glusterd tells them."""
