"""Answers to the questions that a host is asked only when they are due."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heretic.api.v1alpha1 import Node
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.probes import Questions
from heretic.domain.host.section import DueProbe
from heretic.hosts.connections import Batch

DueProbes = tuple[DueProbe, ...]

MOST = 32
"""Questions in one look: each is a process on the host; the others come with the next looks."""


def due_probes(asked: Questions, view: SiteView, node: Node, seen: HostView | None) -> DueProbes:
    """Every question that a host is asked when it is due.

    Args:
        asked: What it is asked besides.
        view: The declared site.
        node: Of the host.
        seen: What is known of it so far.
    """
    before = {s.name: seen[s] if isinstance(seen, HostFacts) else s.unseen for s in asked.sections}
    return tuple(question for s in asked.sections for question in s.due(node, view, before[s.name]))


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, with when it was asked for and what it depended on."""

    at: float
    mark: str
    output: Output


class DueAnswers:
    """What is kept of each host. An operator that starts anew asks once more.

    Args:
        monotonic: Seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._kept: dict[tuple[str, str], dict[str, _Kept]] = defaultdict(dict)

    async def asked(
        self,
        host: tuple[str, str],
        wanted: DueProbes,
        probes: Sequence[Probe[Any]],
        ask: Callable[[Sequence[Probe[Any]]], Awaitable[Batch]],
    ) -> Batch:
        """Asks a host other questions together with what is due by now.

        Args:
            host: Namespace and name.
            wanted: All questions that it is asked when they are due.
            probes: The other questions.
            ask: Asks the host.

        Returns:
            The answers to the other questions.
        """
        now = self._due(host, wanted)
        if not now:
            return await ask(probes)
        batch = await ask((*probes, *(question.probe for question in now)))
        for question in now:
            kept = _Kept(self._monotonic(), question.mark, batch.outputs[question.probe.name])
            self._kept[host][question.probe.name] = kept
        return replace(batch, outputs={probe.name: batch.outputs[probe.name] for probe in probes})

    def _due(self, host: tuple[str, str], wanted: DueProbes) -> DueProbes:
        """Those to be asked now; what is not wanted any more is forgotten."""
        now, names = self._monotonic(), {question.probe.name: question for question in wanted}
        kept = self._kept[host] = {name: one for name, one in self._kept[host].items() if name in names}
        due = {question.together for name, question in names.items() if _is_due(question, kept.get(name), now)}
        return tuple([question for question in names.values() if question.together in due][:MOST])

    def known(self, host: tuple[str, str], wanted: DueProbes) -> Mapping[str, Output]:
        """The answers that count: a question whose mark has changed is not answered until it is asked again."""
        kept = self._kept[host]
        marks = {question.probe.name: question.mark for question in wanted}
        return {name: one.output for name, one in kept.items() if marks.get(name) == one.mark}

    def forget(self, host: tuple[str, str]) -> None:
        """A host is none of the site's any more."""
        self._kept.pop(host, None)


def _is_due(question: DueProbe, kept: _Kept | None, now: float) -> bool:
    return kept is None or kept.mark != question.mark or now - kept.at >= question.lasts(kept.output)
