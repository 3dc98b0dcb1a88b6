"""Looks at the hosts of the declared sites, read-only, and rehearses what the operator would do."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from heretic.cli.declared import Declared, Keys
from heretic.cli.rehearse import Rehearsal, Rehearsed
from heretic.cli.render import count, progress
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.pool.facts import PoolFacts
from heretic.domain.pool.look import POOL
from heretic.engine.engines import LOOK_SECONDS, Engines
from heretic.hosts.connections import Hosts
from heretic.reconcile.access import Access
from heretic.reconcile.engine_access import DeclaredEngineAccess
from heretic.reconcile.engine_observer import EngineObserver
from heretic.reconcile.observer import Observer


@dataclass(frozen=True, slots=True)
class SiteSight:
    """One site as it was seen.

    Attributes:
        namespace: Of the site.
        view: The declared site, with what the operator would record.
        objects: Every object with its plan and report.
        hosts: Every Node's host: its facts, or why there are none.
        pool: What the trusted pool said.
    """

    namespace: str
    view: SiteView
    objects: tuple[Rehearsed, ...]
    hosts: Mapping[str, HostView]
    pool: Fact[PoolFacts] = NOT_OBSERVED

    @property
    def unseen(self) -> dict[str, str]:
        """Hosts that could not be observed, with the reason."""
        return {n: v.message for n, v in self.hosts.items() if not isinstance(v, HostFacts)}


@asynccontextmanager
async def looking(keys: Keys) -> AsyncIterator[tuple[Observer, Hosts]]:
    """An observer and its connections, which are closed at the end.

    Args:
        keys: Open hosts and engines.
    """
    hosts, engines = Hosts(), Engines()
    at_engines = EngineObserver(
        engines,
        DeclaredEngineAccess(keys.of_engines, monotonic=time.monotonic),
        monotonic=time.monotonic,
        patience=LOOK_SECONDS,
    )
    access = Access(keys, monotonic=time.monotonic)
    try:
        yield Observer(hosts, access, monotonic=time.monotonic, engines=at_engines), hosts
    finally:
        await hosts.close()
        await engines.close()


async def see(declared: Declared) -> tuple[SiteSight, ...]:
    """Observes the hosts of every declared site, once, and rehearses.

    Args:
        declared: The objects and the keys.

    Returns:
        One sight for each namespace.
    """
    async with looking(declared.keys) as (observer, _):
        nodes = sum(len(declared.store.view(namespace).nodes) for namespace in declared.namespaces)
        progress(f"looking at {count(nodes, 'host')}")
        rehearsal = Rehearsal(declared.store, observer, now=lambda: datetime.now(UTC))
        return tuple([await _see_site(rehearsal, namespace) for namespace in declared.namespaces])


async def _see_site(rehearsal: Rehearsal, namespace: str) -> SiteSight:
    objects = await rehearsal.run(namespace)
    hosts: dict[str, HostView] = {}
    pool: Fact[PoolFacts] = NOT_OBSERVED
    for entry in objects:
        hosts |= entry.observed.hosts
        if POOL.name in entry.observed.answers:
            pool = entry.observed.of(POOL)
    return SiteSight(namespace, rehearsal.view(namespace), objects, hosts, pool)
