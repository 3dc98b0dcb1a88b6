"""Plans and steps: the decision of a pass, as data that can be printed, compared, hashed, approved and tested."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import ClassVar

from heretic.api.v1alpha1 import Node
from heretic.domain.commands import Script
from heretic.domain.errors import Bug, NeedsUser, Reason, Transient


class Risk(StrEnum):
    """What a step can cost if it is wrong."""

    SAFE = "Safe"
    """Can be undone and interrupts nothing."""
    DISRUPTIVE = "Disruptive"
    """Interrupts a service or takes redundancy away for a while; needs the site's disruption slot."""
    DESTRUCTIVE = "Destructive"
    """Can lose data; needs the declaration itself or an approval (see ``Step.declared``)."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a step is done on: a host or an engine, named by the object that stands for it.

    Attributes:
        kind: Of the object: "Node" for a host.
        name: Of the object.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == Node.KIND else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Outage:
    """A host that is taken out of service on purpose.

    Attributes:
        node: Name of its Node.
        seconds: How long it may take, at most, until the host is back and what it holds is whole again.
        ends_with_step: Whether the host is back when the step has ended, also where that failed: another try is
            another outage, and is asked for anew.
    """

    node: str
    seconds: int
    ends_with_step: bool = False


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """One small effect on one target. Subclasses add their arguments as plain fields and say how it is done.

    Attributes:
        why: One sentence: what was observed and what is declared.
        declared: For a step that needs a person's word, what in the spec itself is that (for example "a blank disk
            named in spec.disks"); empty means that an approval is needed.
    """

    verb: ClassVar[str]
    risk: ClassVar[Risk] = Risk.SAFE
    routine: ClassVar[bool] = False
    """Whether it is work on a timetable: that it is due says nothing against the object."""
    _no_arguments: ClassVar[frozenset[str]] = frozenset({"why", "declared"})

    why: str
    declared: str = ""

    @property
    @abstractmethod
    def target(self) -> Target:
        """What it is done on."""

    @property
    def outage(self) -> Outage | None:
        """The host that a Disruptive step takes out of service; None where every host stays in service."""
        return None

    def arguments(self) -> dict[str, str]:
        """The step's own arguments, for printing, hashing and audit; without the target, why and declared."""
        own = (f.name for f in fields(self) if f.repr and f.name not in self._no_arguments)
        return {name: _text(getattr(self, name)) for name in own}

    @property
    def needs_approval(self) -> bool:
        """Whether only a named approval lets this step run."""
        return self.risk is Risk.DESTRUCTIVE and not self.declared

    def __str__(self) -> str:
        shown = ", ".join(f"{k}={v}" for k, v in self.arguments().items() if v and len(v) <= 80)
        return f"{self.verb} on {self.target}" + (f" ({shown})" if shown else "")


@dataclass(frozen=True, kw_only=True)
class HostStep(Step):
    """A step on a host: a script.

    Attributes:
        host: Name of the Node on which it runs.
    """

    _no_arguments: ClassVar[frozenset[str]] = Step._no_arguments | {"host"}

    host: str

    @property
    def target(self) -> Target:
        """Its host."""
        return Target(Node.KIND, self.host)

    @abstractmethod
    def script(self) -> Script:
        """How the step is done on its host.

        Returns:
            The commands; secrets only in stdin.
        """


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(_text(v) for v in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Converged:
    """Nothing to do.

    Attributes:
        why: What was seen that makes it so.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done now; time or another object will change that.

    Attributes:
        reason: From the closed list.
        message: What is waited for, naming host and fact.
        after: Seconds until it is worth looking again, when nothing wakes the object before.
        keeps_slot: Whether what is waited for belongs to a Disruptive step that has run: until a host is back and has
            healed, no other one may go.
    """

    reason: Reason
    message: str
    after: float = 30.0
    keeps_slot: bool = False


@dataclass(frozen=True, slots=True)
class Blocked:
    """Nothing may be done until a person acts.

    Attributes:
        reason: From the closed list.
        message: What is in the way (host, fact, numbers) and what to do about it.
    """

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Proceed:
    """Steps that this observation supports; independent between targets, in order on one target.

    A step that is held back (for an approval, a window, the slot) holds what comes after it on its target, or in an
    ordered plan altogether. So a step that waits for a person stands last.

    Attributes:
        steps: Never empty.
        pending: What stays in the way of the rest although these steps can go on.
        ordered: Whether each step needs the one before it, also on another target; the first failure then stops
            all of them.
    """

    steps: tuple[Step, ...]
    pending: tuple[Wait | Blocked, ...] = ()
    ordered: bool = False


Plan = Converged | Proceed | Wait | Blocked

Obstacle = Wait | Blocked
"""Why a step cannot be done now."""

PlanItem = Step | Obstacle
"""What one rule adds to a plan."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step's effect is there and was verified.

    Attributes:
        changed: False when it had been there already.
    """

    changed: bool


@dataclass(frozen=True, slots=True)
class Started:
    """The step runs on as a detached job.

    Attributes:
        job: Name of its systemd unit.
        poll_after: Seconds until it is worth looking.
    """

    job: str
    poll_after: float = 5.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The step did not reach its effect."""

    failure: Transient | NeedsUser | Bug


StepResult = Done | Started | Failed


def told_apart(items: Iterable[PlanItem]) -> tuple[tuple[Step, ...], tuple[Obstacle, ...]]:
    """The steps and the obstacles among what rules add to a plan, each in order."""
    every = tuple(items)
    return tuple(i for i in every if isinstance(i, Step)), tuple(i for i in every if not isinstance(i, Step))


def steps_of(plan: Plan) -> tuple[Step, ...]:
    """The steps of a plan, empty where it has none."""
    return plan.steps if isinstance(plan, Proceed) else ()


def obstacles_of(plan: Plan) -> tuple[Obstacle, ...]:
    """What stands in the way of a plan, empty where nothing does."""
    match plan:
        case Proceed():
            return plan.pending
        case Converged():
            return ()
        case _:
            return (plan,)


def first_obstacle(obstacles: Sequence[Obstacle]) -> Obstacle | None:
    """The obstacle to tell: what needs a person comes before what time will solve."""
    return next(iter([*(o for o in obstacles if isinstance(o, Blocked)), *obstacles]), None)


def beside(plan: Plan, steps: Iterable[Step], obstacles: Iterable[Obstacle]) -> Plan:
    """A plan with what is done elsewhere for the same object: neither keeps the other waiting.

    Args:
        plan: Of the object itself.
        steps: Done besides, after its own.
        obstacles: What stays in the way of the rest of that.
    """
    every = tuple(dict.fromkeys((*obstacles_of(plan), *obstacles)))
    if together := (*steps_of(plan), *steps):
        return Proceed(together, every)
    return first_obstacle(every) or plan


def prefix(steps: Sequence[Step], may: Callable[[Step], bool], *, ordered: bool) -> tuple[Step, ...]:
    """What is left when some steps are held back: nothing overtakes a held step of its own target.

    Args:
        steps: Of a plan.
        may: Whether a step may run by itself.
        ordered: Whether a held step holds other targets too.
    """
    held: set[Target | None] = set()
    left = []
    for step in steps:
        lane = None if ordered else step.target
        if lane in held:
            continue
        if may(step):
            left.append(step)
        else:
            held.add(lane)
    return tuple(left)


def plan_hash(uid: str, generation: int, steps: tuple[Step, ...]) -> str:
    """Names exactly these steps of exactly this object, for an approval (see domain/approval.py for which).

    Args:
        uid: The object's uid: a namesake made later needs its own approval.
        generation: The spec's generation: an edited spec needs a new one.
        steps: What would be done, to which targets; their ``why`` does not count.

    Returns:
        Sixteen hexadecimal digits.
    """
    body = [uid, generation, [[s.verb, str(s.target), s.risk.value, s.arguments()] for s in steps]]
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
