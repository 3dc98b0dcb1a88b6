"""Looks at what a pass over one object needs."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from math import inf

from heretic.api.v1alpha1 import Resource
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import NOT_LOOKED_AT
from heretic.domain.errors import is_lost
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.kind import AnyKind, Needs, Observed
from heretic.reconcile.observer import Observer


async def look(kind: AnyKind, resource: Resource, view: SiteView, observer: Observer, max_age: float) -> Observed:
    """Looks until the kind needs nothing more.

    Args:
        kind: Of the object.
        resource: The object.
        view: The declared site.
        observer: Looks at the hosts.
        max_age: Seconds; an earlier look that is younger will do.

    Returns:
        Everything that the kind needs.
    """
    namespace, name = resource.metadata.namespace, resource.metadata.name

    async def at_hosts(needs: Needs) -> Observed:
        hosts: dict[str, HostView] = {}
        while missing := needs.hosts - hosts.keys():
            hosts |= await observer.hosts(namespace, view, missing, max_age)
            needs = kind.needs(resource, view, hosts)
        return await ask(replace(needs, engine=""), namespace, view, hosts, observer, max_age)

    needs = kind.needs(resource, view, {})
    if needs.engine:
        observed, engine = await asyncio.gather(at_hosts(needs), observer.engine(namespace, view, max_age))
        observed = replace(observed, engine=engine)
    else:
        observed = await at_hosts(needs)
    if kind.is_host or kind.is_engine:
        return replace(observed, trusted_key=observer.trusted_key(kind, namespace, name))
    return observed


async def ask(
    needs: Needs, namespace: str, view: SiteView, hosts: Mapping[str, HostView], observer: Observer, max_age: float
) -> Observed:
    """Asks for the shared facts that are needed, of hosts that were looked at, and of the engine.

    Args:
        needs: What is needed.
        namespace: Of the site.
        view: The declared site.
        hosts: What was seen of every host that is needed.
        observer: Looks at the hosts.
        max_age: Seconds; an earlier answer that is younger will do.
    """
    answers = {f.name: await observer.shared(f, namespace, view, hosts, max_age) for f in needs.shared}
    if answers:
        # An answer may come late, because a node has died: what became of the hosts meanwhile counts now.
        hosts = await observer.hosts(namespace, view, hosts, inf)
    engine = await observer.engine(namespace, view, max_age) if needs.engine else NOT_LOOKED_AT
    return Observed(hosts, answers, engine)


def glimpse(kind: AnyKind, resource: Resource, view: SiteView, observer: Observer) -> Observed | None:
    """What is known now, without waiting; None for an object that waits for no host but its own.

    Args:
        kind: Of the object.
        resource: The object.
        view: The declared site.
        observer: Knows what was seen last.
    """
    needs = kind.needs(resource, view, {})
    if kind.is_host or not needs.hosts:
        return None
    namespace = resource.metadata.namespace
    hosts = observer.known_hosts(namespace, needs.hosts)
    lost = lost_in(hosts)
    answers = {f.name: f.without(observer.known_shared(f, namespace), lost, view, hosts) for f in needs.shared}
    engine = observer.known_engine(namespace) if needs.engine else NOT_LOOKED_AT
    return Observed(hosts, answers, engine)


def lost_in(hosts: Mapping[str, HostView]) -> frozenset[str]:
    """Names of the hosts that give no sign of life."""
    return frozenset(n for n, seen in hosts.items() if not isinstance(seen, HostFacts) and is_lost(seen))
