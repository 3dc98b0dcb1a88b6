"""Facts of a whole site: one host, or the engine's machine, is asked, and all objects that need the answer share it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Fact
from heretic.domain.host.facts import HostView
from heretic.domain.memo import Memo

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class SharedFact(Generic[T]):
    """How one fact of a whole site is observed.

    Attributes:
        name: For logs and messages, for example "trusted pool".
        whom: The host to ask, or the engine; None when there is none that can answer.
        nobody: What is said when there is no such host.
        probes: What to ask, by the answer before (None = there was none). Where the new answer leads to other probes,
            it is asked once more at once.
        assemble: The fact, made of the host's name and its answers.
        without: What an earlier answer still says when these hosts were lost since.
        of_engine: Whether the machine of an engine is asked, not a host.
        lasts: Seconds for which an answer will do, by what it says, unless an effect in the site ends it.
    """

    name: str
    whom: Callable[[SiteView, Mapping[str, HostView]], str | None]
    nobody: str
    probes: Callable[[T | None], Sequence[Probe[object]]]
    assemble: Callable[[str, Mapping[str, Output], Memo], T]
    without: Callable[[Fact[T], Collection[str], SiteView, Mapping[str, HostView]], Fact[T]]
    of_engine: bool = False
    lasts: Callable[[T], float] = lambda answer: 0.0


def stays(fact: Fact[T], lost: Collection[str], view: SiteView, hosts: Mapping[str, HostView]) -> Fact[T]:
    """What an answer still says whoever was lost: all of it. It is of one machine alone."""
    return fact
