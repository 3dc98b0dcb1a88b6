"""A chain of stages: each is done before the next is planned for."""

from collections.abc import Callable, Iterable, Sequence

from heretic.domain.plan import Converged, Plan, PlanItem, Proceed, first_obstacle, told_apart


def plan_of(items: Sequence[PlanItem], *, ordered: bool = False) -> Plan:
    """Steps first; what is in the way of the rest beside them."""
    steps, pending = told_apart(items)
    return Proceed(steps, pending, ordered=ordered) if steps else first_obstacle(pending) or Converged("")


def first_stage(stages: Sequence[Callable[[], Iterable[PlanItem]]], done: str) -> Plan:
    """What the first stage with something left to do plans.

    Args:
        stages: In order.
        done: What is said when none has.
    """
    for stage in stages:
        if items := tuple(stage()):
            return plan_of(items)
    return Converged(done)
