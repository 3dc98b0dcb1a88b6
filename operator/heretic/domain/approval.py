"""What one approval covers, and how it is named: the one place that decides it."""

from dataclasses import dataclass

from heretic.domain.plan import Plan, Proceed, Step, plan_hash, steps_of


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's word for some steps of a plan.

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
