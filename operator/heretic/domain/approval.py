"""What one approval covers, how it is named, and which ones were used up: the one place that decides it."""

from dataclasses import dataclass

from heretic.api.v1alpha1.common import CommonStatus, UsedApproval
from heretic.domain.plan import Plan, Proceed, Step, plan_hash, steps_of


@dataclass(frozen=True, slots=True)
class Approval:
    """What a person has approved: some steps of a plan.

    Attributes:
        word: The whole value of the annotation.
        steps: What it covers, in the plan's order.
    """

    word: str
    steps: tuple[Step, ...]


def covered(plan: Plan) -> tuple[Step, ...]:
    """The steps that wait for one approval together; empty when none is needed.

    In an ordered plan each step prepares the next, so a person approves all of it. In another one the steps that
    need nobody's word go on without it, and do not change what it names.
    """
    steps = steps_of(plan)
    needing = tuple(s for s in steps if s.needs_approval)
    return steps if needing and isinstance(plan, Proceed) and plan.ordered else needing


def hash_of(uid: str, generation: int, plan: Plan) -> str:
    """Names what an approval of this plan covers; the whole plan where none is needed; empty without steps."""
    steps = covered(plan) or steps_of(plan)
    return plan_hash(uid, generation, steps) if steps else ""


LONGEST_WHAT = 1024
"""Characters that are kept of what was approved; the schema's limit."""

KEPT = 32
"""Used approvals that an object's status keeps; the schema's limit."""


def names(word: str, digest: str) -> bool:
    """Whether a word, ``HASH`` or ``HASH.anything``, approves the plan of that hash."""
    return bool(digest) and word.partition(".")[0] == digest


def used_at(status: CommonStatus, word: str) -> str | None:
    """When a word was used up, empty where only that is known; None while it was not. A word holds once."""
    for used in status.approvals:
        if used.word == word:
            return used.at
    return "" if word and word == status.last_approved_plan else None


def has_room(status: CommonStatus, generation: int) -> bool:
    """Whether another approval can be recorded; what was approved for this generation is never forgotten."""
    return sum(used.generation == generation for used in status.approvals) < KEPT


def record(status: CommonStatus, approval: Approval, generation: int, at: str) -> list[UsedApproval]:
    """The used approvals with one more; the oldest of older generations, whose hashes no plan has again, make room."""
    what = "; ".join(str(step) for step in approval.steps)
    kept = [*status.approvals, UsedApproval(word=approval.word, generation=generation, at=at, what=what[:LONGEST_WHAT])]
    while len(kept) > KEPT:
        oldest = next((used for used in kept if used.generation != generation), None)
        if oldest is None:
            break
        kept.remove(oldest)
    return kept
