"""What is kept of the looks at a host."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from heretic.domain.commands import Output
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.probes import Questions


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
