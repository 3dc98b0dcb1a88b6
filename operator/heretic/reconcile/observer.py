"""One look at a host serves every object that needs it.

A Node, its Site and every volume on it want the same facts. The first pass that asks fetches them in one round
trip; the others share the answer while it is fresh enough for them and no effect has touched the host since.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from heretic.api.v1alpha1 import HostedEngine, Node
from heretic.domain.commands import Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.facts import NOT_LOOKED_AT, EngineView
from heretic.domain.errors import HereticError, Reason, Transient, mistake
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.lasting import disks_still_hold, lasting_still_hold
from heretic.domain.host.probes import Questions, questions
from heretic.domain.kind import AnyKind, Kinds
from heretic.domain.memo import Memo
from heretic.domain.shared import SharedFact
from heretic.hosts.connections import Batch, Hosts
from heretic.hosts.settings import HostSettings
from heretic.kinds import KINDS
from heretic.reconcile.access import Access, machine_name
from heretic.reconcile.announce import Announcer
from heretic.reconcile.due_answers import DueAnswers, DueProbes, due_probes
from heretic.reconcile.engine_observer import EngineObserver
from heretic.reconcile.kept_looks import FullLook, HostLook, is_ready, lasting
from heretic.reconcile.metrics import ROUND_TRIPS

log = logging.getLogger(__name__)

T = TypeVar("T")

FULL_LOOK_SECONDS = 600.0
"""How long a calm host is asked only what can change without hardware, packages or a boot being touched."""

BUSY_SECONDS = 30.0
"""Likewise for a host that is not Ready, where a person may be mending just that; effects end it at once. Its disks are
read again only where they show a sign of change."""

ANSWER_KEPT_SECONDS = 180.0
"""How long an answer of a shared fact may stand in for one that does not come, when a node was lost meanwhile."""

_SILENT = "it has not answered yet"


class Observer:
    """Observes hosts, and the facts that a whole site shares.

    Args:
        hosts: The SSH connections.
        access: How each host is reached.
        monotonic: Seconds.
        announcer: Tells hosts who looks at them; None = somebody who changes nothing.
        kinds: All kinds: they say what a host is asked.
        engines: Looks at engines; None = nobody does.
    """

    def __init__(
        self,
        hosts: Hosts,
        access: Access,
        *,
        monotonic: Callable[[], float],
        announcer: Announcer | None = None,
        kinds: Kinds = KINDS,
        engines: EngineObserver | None = None,
    ) -> None:
        self._hosts = hosts
        self._engines = engines
        self._access = access
        self._monotonic = monotonic
        self._announcer = announcer
        self._features, self._sections = kinds.features, kinds.sections
        self._looks: dict[tuple[str, str], HostLook] = {}
        self._answers: dict[tuple[str, str], tuple[float, asyncio.Task[Fact[object]]]] = {}
        self._seen: dict[tuple[str, str], HostView] = {}
        self._told: dict[tuple[str, str], tuple[float, object]] = {}
        self._full: dict[tuple[str, str], FullLook] = {}
        self._memos: dict[tuple[str, str], Memo] = defaultdict(Memo)
        self._due = DueAnswers(monotonic)
        self._shared_memos: dict[tuple[str, str], Memo] = defaultdict(Memo)
        self._signs: dict[tuple[str, str], Fact[Mapping[str, tuple[str, ...]]]] = {}
        self._effects: Counter[tuple[str, str]] = Counter()

    async def host(self, namespace: str, view: SiteView, node: Node, max_age: float) -> HostView:
        """What is known of one host.

        Args:
            namespace: Of the site.
            view: The declared site.
            node: The node.
            max_age: Seconds; an older answer, or one from before an effect on this host, is not used.
        """
        key = (namespace, node.metadata.name)
        look = self._looks.get(key)
        if look is None or look.touched or (look.task.done() and self._age(look) > max_age):
            task = asyncio.create_task(self._look(namespace, view, node), name=f"observe {node.metadata.name}")
            look = self._looks[key] = HostLook(self._monotonic(), task)
        return await asyncio.shield(look.task)

    async def hosts(
        self, namespace: str, view: SiteView, names: Collection[str], max_age: float
    ) -> dict[str, HostView]:
        """What is known of several hosts, all asked at once; by name in order."""
        nodes = {name: view.nodes[name] for name in sorted(names)}
        views = await asyncio.gather(*(self.host(namespace, view, node, max_age) for node in nodes.values()))
        return dict(zip(nodes, views, strict=True))

    async def shared(
        self, fact: SharedFact[T], namespace: str, view: SiteView, hosts: Mapping[str, HostView], max_age: float
    ) -> Fact[T]:
        """A fact of the whole site, as one host tells it.

        Args:
            fact: Which.
            namespace: Of the site.
            view: The declared site.
            hosts: What is known of the hosts; one of them is asked.
            max_age: Seconds; an older answer is not used.
        """
        key = (namespace, fact.name)
        held = self._answers.get(key)
        if held is None or (held[1].done() and self._monotonic() - held[0] > max(max_age, lasting(fact, held[1]))):
            task = asyncio.create_task(self._shared(fact, namespace, view, hosts), name=f"{fact.name} of {namespace}")
            held = self._answers[key] = (self._monotonic(), task)
        return cast("Fact[T]", await asyncio.shield(held[1]))

    async def engine(self, namespace: str, view: SiteView, max_age: float) -> EngineView:
        """What is known of a site's engine; see EngineObserver."""
        return await self._engines.look(namespace, view, max_age) if self._engines else NOT_LOOKED_AT

    def known_engine(self, namespace: str) -> EngineView:
        """Likewise, without waiting for a look that is on its way."""
        return self._engines.known(namespace) if self._engines else NOT_LOOKED_AT

    def known_hosts(self, namespace: str, names: Collection[str]) -> dict[str, HostView]:
        """What is known of hosts now, without waiting for a look that is on its way."""
        return {n: self._seen.get((namespace, n), Transient(Reason.NOT_OBSERVED, _SILENT)) for n in sorted(names)}

    def known_shared(self, fact: SharedFact[T], namespace: str) -> Fact[T]:
        """What the last answer said."""
        seen = self._told.get((namespace, fact.name))
        if seen is None or self._monotonic() - seen[0] > ANSWER_KEPT_SECONDS:
            return Unknown(f"no host has told of the {fact.name} yet")
        return Known(cast("T", seen[1]))

    def touched(self, namespace: str, node: str) -> None:
        """The connection to a host changed: what was seen before is no longer used."""
        look = self._looks.get((namespace, node))
        if look is not None:
            look.touched = True
        self._outdate(namespace)

    def host_changed(self, namespace: str, node: str, *, disks: bool) -> None:
        """An effect happened on a host, perhaps also on what a brief look does not ask.

        Args:
            namespace: Of the site.
            node: The host.
            disks: Whether it can have written on a disk that nothing uses: then they are read again in any case.
        """
        self.touched(namespace, node)
        key = (namespace, node)
        if disks:
            self._full.pop(key, None)
        elif key in self._full:
            self._full[key] = replace(self._full[key], outdated=True)
        # A full look that is on its way may have been answered before this effect: it must not last.
        self._effects[key] += 1

    def site_changed(self, namespace: str) -> None:
        """An effect happened that can show on every host of a site, whichever of them was told."""
        for key, look in self._looks.items():
            look.touched |= key[0] == namespace
        self._outdate(namespace)

    def _outdate(self, namespace: str) -> None:
        """The shared facts of a site are asked anew."""
        for key in [key for key in self._answers if key[0] == namespace]:
            del self._answers[key]

    def machine_changed(self, namespace: str) -> None:
        """An effect happened on the engine's machine, or its connection changed."""
        self._outdate(namespace)

    def trusted_key(self, kind: AnyKind, namespace: str, name: str) -> str:
        """The key of an object's own host or machine that was accepted on first use; empty when none was."""
        connection = machine_name(namespace, name) if kind.is_engine else f"{namespace}/{name}"
        return self._hosts.trusted_key(connection) or ""

    def forget(self, kind: AnyKind, namespace: str, name: str) -> None:
        """An object that stands for a host or an engine was deleted."""
        if kind.is_engine and self._engines is not None:
            self._engines.forget(namespace, name)
            self._hosts.forget(machine_name(namespace, name))
        if kind.is_host:
            self._forget_host(namespace, name)

    def _forget_host(self, namespace: str, node: str) -> None:
        self._looks.pop((namespace, node), None)
        self._seen.pop((namespace, node), None)
        self._full.pop((namespace, node), None)
        self._signs.pop((namespace, node), None)
        self._memos.pop((namespace, node), None)
        self._due.forget((namespace, node))
        self._effects.pop((namespace, node), None)
        self._hosts.forget(f"{namespace}/{node}")
        if self._announcer is not None:
            self._announcer.forget(f"{namespace}/{node}")

    def _age(self, look: HostLook) -> float:
        return self._monotonic() - look.asked_at

    async def _look(self, namespace: str, view: SiteView, node: Node) -> HostView:
        seen = self._seen[namespace, node.metadata.name] = await self._look_now(namespace, view, node)
        return seen

    async def _look_now(self, namespace: str, view: SiteView, node: Node) -> HostView:
        name = node.metadata.name
        try:
            settings = await self._access.settings(namespace, view, node)
            if self._announcer is not None:
                await self._announcer.announce(settings, node, view.site)
            facts = await self._facts(namespace, view, node, settings)
        except HereticError as error:
            if error.failure.reason is Reason.AUTHENTICATION_FAILED:
                self._access.forget(namespace)
            return error.failure
        except Exception as error:  # a mistake of ours is told of this host; the passes that share the look go on
            log.exception("looking at %s/%s: a mistake of ours", namespace, name)
            return mistake(error)
        return facts

    async def _facts(self, namespace: str, view: SiteView, node: Node, settings: HostSettings) -> HostFacts:
        """From a brief look at a calm host with what lasts from the last full one, or from a full look."""
        name = node.metadata.name
        key = (namespace, name)
        wanted = tuple(section for section in self._sections if section.wanted(view))
        asked = questions(self._features, wanted, node.spec.roles)
        due = due_probes(asked, view, node, self._seen.get(key))
        full = self._full.get(key)
        now = self._monotonic()
        if full is not None and full.asked is asked and now - full.read_at < FULL_LOOK_SECONDS:
            seen: HostFacts | None = None
            if not full.outdated and (is_ready(node) or now - full.asked_at < BUSY_SECONDS):
                brief = await self._ask_host(key, settings, asked.brief, due)
                seen = self._assembled(key, asked, brief, due, full)
                if lasting_still_hold(full.facts, seen):
                    return seen
            if seen is None or disks_still_hold(full.facts, seen):
                facts = await self._unread(key, settings, full, due)
                if facts is not None:
                    return facts
            else:
                self._signs[key] = seen.disk_signs
        asked_at, effects = self._monotonic(), self._effects[key]
        batch = await self._ask_host(key, settings, asked.probes, due)
        facts = self._assembled(key, asked, batch, due)
        # A disk that is being written while it is read has been read in part only: the next pass reads it again.
        calm = self._signs.get(key, facts.disk_signs) == facts.disk_signs
        self._signs[key] = facts.disk_signs
        if effects == self._effects[key] and calm:
            self._full[key] = FullLook(asked, asked_at, asked_at, batch.outputs, facts)
        elif not calm:
            self._full.pop(key, None)
        return facts

    async def _ask_host(
        self, key: tuple[str, str], settings: HostSettings, probes: Sequence[Probe[Any]], due: DueProbes
    ) -> Batch:
        return await self._due.asked(key, due, probes, lambda all_of_it: self._ask(key[0], settings, all_of_it))

    async def _unread(
        self, key: tuple[str, str], settings: HostSettings, full: FullLook, due: DueProbes
    ) -> HostFacts | None:
        """Everything asked anew but what reading the disks told; None where that does not hold any more."""
        asked_at, effects = self._monotonic(), self._effects[key]
        batch = await self._ask_host(key, settings, full.asked.unread, due)
        facts = self._assembled(key, full.asked, batch, due, full)
        if not disks_still_hold(full.facts, facts):
            self._signs[key] = facts.disk_signs
            return None
        if effects == self._effects[key]:
            outputs = {**full.outputs, **batch.outputs}
            self._full[key] = FullLook(full.asked, full.read_at, asked_at, outputs, facts)
        return facts

    def _assembled(
        self, key: tuple[str, str], asked: Questions, batch: Batch, due: DueProbes, full: FullLook | None = None
    ) -> HostFacts:
        outputs = {**(full.outputs if full else {}), **batch.outputs, **self._due.known(key, due)}
        return assemble(asked, key[1], outputs, batch.sent_at, batch.received_at, self._memos[key])

    async def _shared(
        self, fact: SharedFact[Any], namespace: str, view: SiteView, hosts: Mapping[str, HostView]
    ) -> Fact[object]:
        asked = fact.whom(view, hosts)
        if asked is None:
            return Unknown(fact.nobody)
        key = (namespace, fact.name)
        before = self._told[key][1] if key in self._told else None
        try:
            if fact.of_engine:
                settings = await self._access.machine(namespace, view, view.of(HostedEngine)[asked])
            else:
                settings = await self._access.settings(namespace, view, view.nodes[asked])
            probes = fact.probes(before)
            told = await self._ask_shared(fact, key, asked, settings, probes)
            wanted = fact.probes(told)
            if _names(wanted) != _names(probes):
                told = await self._ask_shared(fact, key, asked, settings, wanted)
        except HereticError as error:
            if error.failure.reason is Reason.AUTHENTICATION_FAILED:
                self._access.forget(namespace)
            return Unknown(f"{asked}: {error.failure.message}")
        except Exception as error:  # a mistake of ours is told by every object that wanted this answer
            log.exception("asking %s/%s of the %s: a mistake of ours", namespace, asked, fact.name)
            raise HereticError(mistake(error)) from None
        self._told[key] = (self._monotonic(), told)
        return Known(told)

    async def _ask_shared(
        self,
        fact: SharedFact[T],
        key: tuple[str, str],
        asked: str,
        settings: HostSettings,
        probes: Sequence[Probe[Any]],
    ) -> T:
        batch = await self._ask(key[0], settings, probes)
        return fact.assemble(asked, batch.outputs, self._shared_memos[key])

    async def _ask(self, namespace: str, settings: HostSettings, probes: Sequence[Probe[Any]]) -> Batch:
        ROUND_TRIPS.labels(namespace=namespace, host=settings.name).inc()
        return await self._hosts.probe(settings, probes)


def _names(probes: Sequence[Probe[Any]]) -> tuple[str, ...]:
    return tuple(probe.name for probe in probes)
