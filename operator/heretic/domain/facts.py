"""A fact about the world: known, known to be absent, or unknown.

"Unknown" is a value with a cause, never a default: a planner that meets it waits, and a report says so.
Nothing in the code may turn an Unknown into "zero", "down" or "not there".
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", covariant=True)


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """The fact was observed and has this value."""

    value: T


@dataclass(frozen=True, slots=True)
class Absent:
    """The observation worked and showed that the thing does not exist."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The observation did not work or could not be understood.

    Attributes:
        cause: One sentence for a person: which command or host, and what it said.
    """

    cause: str


Fact = Known[T] | Absent | Unknown
"""What one observation may say of a ``T``."""


NOT_OBSERVED = Unknown("not observed yet")
"""Where nobody has looked yet."""
