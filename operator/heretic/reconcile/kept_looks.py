"""What is kept of the looks at a host."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heretic.api.v1alpha1 import Node
from heretic.domain.commands import Output
from heretic.domain.conditions import ConditionType, State
from heretic.domain.facts import Fact, Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.probes import Questions
from heretic.domain.shared import SharedFact


@dataclass(slots=True)
class HostLook:
    """One look at a host, ended or on its way.

    Attributes:
        asked_at: When it was begun.
        task: Gives what was seen.
        touched: Whether something happened on the host since, so that it does not count any more.
    """

    asked_at: float
    task: asyncio.Task[HostView]
    touched: bool = False


@dataclass(frozen=True, slots=True)
class FullLook:
    """The answer to everything, of which a part lasts.

    Attributes:
        asked: What was asked.
        read_at: When its disks were read.
        asked_at: When everything else of it was asked.
        outputs: Of all probes.
        facts: What they told.
        outdated: Whether an effect happened on the host since.
    """

    asked: Questions
    read_at: float
    asked_at: float
    outputs: Mapping[str, Output]
    facts: HostFacts
    outdated: bool = False


def lasting(fact: SharedFact[Any], task: asyncio.Task[Fact[object]]) -> float:
    """Seconds for which the answer of a shared fact will do; a failure does not."""
    failed = task.cancelled() or task.exception() is not None
    answer = None if failed else task.result()
    return fact.lasts(answer.value) if isinstance(answer, Known) else 0.0


def is_ready(node: Node) -> bool:
    """Whether a Node says so of itself."""
    return any(c.type == ConditionType.READY and c.status == State.TRUE for c in node.status.conditions)
