"""A subject's own part of what is known of a host: what it asks, and what the answers mean.

The host is asked the questions of all sections together with its own, in one round trip; ``facts[SECTION]`` is what a
section made of the answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, TypeVarTuple

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Fact
from heretic.domain.memo import Memo

NO_ANSWER = Output(255, "", "it was not asked")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
T_co = TypeVar("T_co", covariant=True)


class Answers:
    """What a host answered.

    Args:
        outputs: By the probe's name.
        text: The content of a file that was read.
        memo: Of this host, from look to look.
    """

    def __init__(self, outputs: Mapping[str, Output], text: Callable[[str], Fact[str]], memo: Memo) -> None:
        self._outputs = outputs
        self._text = text
        self._memo = memo

    def parsed(self, probe: str, parse: Callable[[Output], T]) -> T:
        """What a parser, a function of a module, makes of the answer to a probe."""
        return self._memo.of(parse, self._outputs.get(probe, NO_ANSWER))

    def beginning(self, prefix: str) -> Mapping[str, Output]:
        """The answers to all probes whose names begin so: those to questions that are asked only when they are due."""
        return {name: output for name, output in self._outputs.items() if name.startswith(prefix)}

    def of(self, work: Callable[[*Ts], T], *inputs: *Ts) -> T:
        """What a function of a module makes of several; the same object as at the last look for the same inputs."""
        return self._memo.of(work, *inputs)

    def text(self, path: str) -> Fact[str]:
        """The stripped content of one of the section's files; Absent where there is none."""
        return self._text(path)


def _always(view: SiteView) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class DueProbe:
    """A question that is asked together with the others, but only when it is due: its answer is kept meanwhile.

    Attributes:
        probe: The question; its name is unique among those of a host.
        mark: What the answer depends on: with another one it does not count any more.
        lasts: Seconds after which it is asked again, by what was answered.
        together: Questions with the same word are asked in the same look, because they mean something only together.
    """

    probe: Probe[object]
    mark: str
    lasts: Callable[[Output], float]
    together: str


def _nothing_due(node: Node, view: SiteView, before: Any) -> tuple[DueProbe, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section(Generic[T_co]):
    """What one subject wants to know of a host.

    Attributes:
        name: Unique.
        assemble: Makes the facts of the answers; total: what it does not understand is Unknown.
        unseen: The facts while nobody has asked.
        probes: Its questions.
        files: Text files that it reads.
        roles: A host with one of these is asked; none = every host is.
        wanted: Whether the hosts of a site are asked at all.
        due: Questions that depend on what is declared and recorded, and on what the host told last.
    """

    name: str
    assemble: Callable[[Answers], T_co]
    unseen: T_co
    probes: tuple[Probe[object], ...] = ()
    files: tuple[str, ...] = ()
    roles: frozenset[Role] = frozenset()
    wanted: Callable[[SiteView], bool] = _always
    due: Callable[[Node, SiteView, Any], tuple[DueProbe, ...]] = _nothing_due
