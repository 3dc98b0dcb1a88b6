"""Notices a plan that is carried out again and again without effect, so that an endless loop is reported."""

from heretic.domain.errors import Reason, Transient
from heretic.domain.plan import Done, plan_hash
from heretic.reconcile.apply import Results

SAME_PLAN_LIMIT = 3
"""Passes in a row that may carry out the very same plan, before it counts as a failure."""


class Repeats:
    """What one object's passes have carried out lately."""

    def __init__(self) -> None:
        self._last = ""
        self._times = 0

    def after(self, uid: str, generation: int, results: Results) -> Transient | None:
        """Notes what a pass carried out.

        Args:
            uid: Of the object.
            generation: Of its spec.
            results: Of the steps that ran.

        Returns:
            The failure, once the same steps were carried out too often.
        """
        if not results or not all(isinstance(r, Done) for _, r in results):
            self._last, self._times = "", 0
            return None
        name = plan_hash(uid, generation, tuple(step for step, _ in results))
        self._times = self._times + 1 if name == self._last else 1
        self._last = name
        if self._times < SAME_PLAN_LIMIT:
            return None
        step = results[0][0]
        message = f"{step} was carried out {self._times} times, and is still seen as needed: {step.why}"
        return Transient(Reason.VERIFICATION_FAILED, message)
