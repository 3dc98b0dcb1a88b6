"""Questions that a host is asked only when they are due, together with the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from heretic.domain.commands import Output, Probe
from heretic.domain.facts import Absent, Fact
from heretic.domain.host.section import DueProbe
from heretic.hosts.connections import Batch
from heretic.reconcile.due_answers import MOST, DueAnswers

HOST = ("home", "node1")
GOOD, BAD = Output(0, "yes", ""), Output(1, "", "")


def parse(output: Output) -> Fact[object]:
    return Absent()


PLAIN: tuple[Probe[object], ...] = (Probe("uptime", ("uptime",), parse),)


def lasts(output: Output) -> float:
    return 100.0 if output.rc == 0 else 10.0


def question(name: str, mark: str = "", together: str = "") -> DueProbe:
    return DueProbe(Probe(name, (name,), parse), mark, lasts, together or name)


@dataclass
class Asker:
    """What keeps answers, with a clock that stands still, and a host that answers well but to some."""

    now: float = 0.0
    bad: set[str] = field(default_factory=set)
    looks: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = DueAnswers(lambda: self.now)

    async def look(self, *wanted: DueProbe) -> list[str]:
        """One look; which of the due questions were asked in it."""
        told = await self.answers.asked(HOST, wanted, PLAIN, self._ask)
        assert list(told.outputs) == ["uptime"], "what is kept for long must not be kept with what is not"
        return [name for name in self.looks[-1] if name != "uptime"]

    async def _ask(self, probes: Sequence[Probe[Any]]) -> Batch:
        self.looks.append([probe.name for probe in probes])
        return Batch({p.name: BAD if p.name in self.bad else GOOD for p in probes}, 0.0, 0.0)


@pytest.fixture
def asker() -> Asker:
    return Asker()


async def test_an_answer_is_kept_until_it_is_old(asker: Asker) -> None:
    assert await asker.look(question("a")) == ["a"]
    asker.now = 99
    assert await asker.look(question("a")) == []
    assert asker.answers.known(HOST, (question("a"),)) == {"a": GOOD}
    asker.now = 100
    assert await asker.look(question("a")) == ["a"]
    assert len(asker.looks) == 3, "no look is for due questions alone"


async def test_a_failure_is_asked_again_sooner(asker: Asker) -> None:
    asker.bad = {"a"}
    await asker.look(question("a"), question("b"))
    asker.now = 10
    assert await asker.look(question("a"), question("b")) == ["a"]


async def test_what_an_answer_depends_on_has_changed(asker: Asker) -> None:
    await asker.look(question("a", "cable in"))
    moved = question("a", "cable moved")
    assert asker.answers.known(HOST, (moved,)) == {}
    assert await asker.look(moved) == ["a"]
    assert asker.answers.known(HOST, (moved,)) == {"a": GOOD}


async def test_questions_that_belong_together_are_asked_in_the_same_look(asker: Asker) -> None:
    large, small, other = question("large", together="n2"), question("small", together="n2"), question("other")
    asker.bad = {"large"}
    await asker.look(large, small, other)
    asker.now = 10
    assert await asker.look(large, small, other) == ["large", "small"]


async def test_what_is_not_wanted_any_more_is_forgotten(asker: Asker) -> None:
    await asker.look(question("a"))
    assert await asker.look() == []
    assert await asker.look(question("a")) == ["a"]
    asker.answers.forget(HOST)
    assert asker.answers.known(HOST, (question("a"),)) == {}


async def test_a_look_starts_only_so_many_programs_and_the_next_one_the_rest(asker: Asker) -> None:
    wanted = [question(f"q{number}") for number in range(MOST + 3)]
    assert len(await asker.look(*wanted)) == MOST
    assert await asker.look(*wanted) == [f"q{number}" for number in range(MOST, MOST + 3)]
    assert await asker.look(*wanted) == []


async def test_a_host_that_does_not_answer_is_asked_again(asker: Asker) -> None:
    async def broken(probes: Sequence[Probe[Any]]) -> Batch:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await asker.answers.asked(HOST, (question("a"),), PLAIN, broken)
    assert await asker.look(question("a")) == ["a"]
