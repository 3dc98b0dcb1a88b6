"""What must hold before a step may run: mode, pause, leadership, approval, window, one target, the disruption slot.

A plan says what would be right; a gate says whether we may. Every gate fails closed. The gates here only judge; who
asks them in their order, and takes the slot, is `gatekeeper.py`.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from heretic.api.v1alpha1 import HostedEngine, Mode, Node, Resource, Site
from heretic.api.v1alpha1.common import CommonStatus
from heretic.api.v1alpha1.site import MaintenanceWindow
from heretic.domain.approval import Approval, covered, has_room, hash_of, names, used_at
from heretic.domain.declared.mode import common_spec, mode_of
from heretic.domain.declared.validate import site_fault, unread_fault
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.host.maintenance import in_maintenance
from heretic.domain.plan import (
    Blocked,
    Outage,
    PlanItem,
    Proceed,
    Risk,
    Step,
    Wait,
    first_obstacle,
    prefix,
    told_apart,
)

APPROVE = "hvp.ovirt.life/approve"
"""Annotation that approves one plan: its hash, or the hash, a dot and anything that makes it a new word."""

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Passed:
    """Steps that may run now: of each host's steps the first ones, of an ordered plan's likewise.

    Attributes:
        steps: In the plan's order.
        held: Why the plan's other steps may not; None when all may.
        approval: What lets steps through that need one; None when none is needed or given.
        ordered: Whether the order counts across hosts.
    """

    steps: tuple[Step, ...]
    held: Wait | Blocked | None = None
    approval: Approval | None = None
    ordered: bool = False

    def without(self, steps: Container[Step], why: Wait | Blocked) -> "Passed":
        """The same with some steps held back, and with them what comes after them.

        An approval holds once: either all that it covers can run, or nothing of it is begun.
        """
        left = prefix(self.steps, lambda s: s not in steps, ordered=self.ordered)
        approval = self.approval
        if approval is not None and any(s not in left for s in approval.steps):
            covered_steps = approval.steps
            left = prefix(left, lambda s: s not in covered_steps, ordered=self.ordered)
            approval = None
        return Passed(left, self.held or why, approval, self.ordered)

    def behind(self, before: Sequence[PlanItem], steps: Container[Step]) -> "Passed":
        """The same with some steps held back, and in their place what has to be done first."""
        first, obstacles = told_apart(before)
        why = first_obstacle(obstacles) or Wait(Reason.APPLYING, f"first: {first[0]}", 1.0)
        passed = self.without(steps, why)
        return replace(passed, steps=(*passed.steps, *first))


def is_paused(resource: Resource, site: Site | None, kill_switch: Path | None) -> bool:
    """Whether the object, its Site or the kill switch on this machine says to change nothing."""
    if kill_switch is not None and kill_switch.exists():
        return True
    return common_spec(resource).paused or (site.spec.paused if site else False)


def check_declared(view: SiteView) -> Wait | Blocked | None:
    """Why nothing of a site may be changed: a part of what is declared, or what its Site allows, is not known."""
    return site_fault(view) or unread_fault(view)


def check_approval(resource: Resource, plan: Proceed) -> Passed:
    """Lets steps that need a person's word through only once, and only by their exact hash."""
    passed = Passed(plan.steps, ordered=plan.ordered)
    waiting = covered(plan)
    if not waiting:
        return passed
    meta = resource.metadata
    wanted = hash_of(meta.uid, meta.generation, plan)
    word, status = meta.annotations.get(APPROVE, ""), common_status(resource)
    used = used_at(status, word)
    if names(word, wanted) and used is None and has_room(status, meta.generation):
        return replace(passed, approval=Approval(word, waiting))
    what = "; ".join(str(s) for s in waiting if s.needs_approval)
    again = ""
    if names(word, wanted) and used is not None:
        again = f" once more (the approval {word} was used up{f' at {used}' if used else ''})"
    elif not has_room(status, meta.generation):
        again = " of a new spec: as many plans of this one were approved as can be recorded"
    how = f"heretic approve {resource.KIND.lower()}/{meta.name} --namespace {meta.namespace} {wanted}"
    cost = "can destroy data" if any(s.risk is Risk.DESTRUCTIVE for s in waiting) else "interrupts a service"
    message = f"plan {wanted} {cost} and waits for approval{again}: {what}. To approve: {how}"
    return passed.without(waiting, Blocked(Reason.WAITING_FOR_APPROVAL, message))


def check_maintenance(passed: Passed, view: SiteView) -> Passed:
    """Holds back every step on a host that somebody works on, whichever object wants it."""
    there = tuple(s for s in passed.steps if s.target.kind == Node.KIND and in_maintenance(view, s.target.name))
    if not there:
        return passed
    hosts = ", ".join(dict.fromkeys(s.target.name for s in there))
    held = Wait(
        Reason.IN_MAINTENANCE, f"{hosts} is in maintenance, and nothing is changed through it: {there[0]} waits"
    )
    return passed.without(there, held)


def check_engine(passed: Passed, view: SiteView) -> Passed:
    """Holds back every step in an engine that is left alone or only observed, whichever object wants it."""
    for name in dict.fromkeys(s.target.name for s in passed.steps if s.target.kind == HostedEngine.KIND):
        engine = view.of(HostedEngine).get(name)
        why = left_alone(engine, view.site) if engine else ""
        if why:
            there = tuple(s for s in passed.steps if s.target.kind == HostedEngine.KIND and s.target.name == name)
            held = Wait(Reason.OBSERVED_ONLY, f"{why}, so nothing is changed in it: {there[0]} waits")
            passed = passed.without(there, held)
    return passed


def left_alone(engine: HostedEngine, site: Site | None) -> str:
    """Why nothing may be changed in an engine, as the beginning of a sentence; "" where it may."""
    mode, name = mode_of(engine, site), f"HostedEngine {engine.metadata.name}"
    if mode is not Mode.APPLY:
        return f"{name} is in mode {mode.value}"
    return f"{name} is paused" if engine.spec.paused else ""


def check_window(passed: Passed, windows: Sequence[MaintenanceWindow], now: datetime) -> Passed:
    """Holds Disruptive steps back outside the Site's windows (none declared = always inside)."""
    if not windows or any(_inside(w, now) for w in windows):
        return passed
    disruptive = disruptive_of(passed.steps)
    if not disruptive:
        return passed
    said = ", ".join(f"{' '.join(w.days) or 'every day'} {w.start_time}" for w in windows)
    held = Wait(Reason.OUTSIDE_WINDOW, f"disruptive steps wait for a window of the Site ({said} UTC)", 60.0)
    return passed.without(disruptive, held)


def check_one_target(passed: Passed) -> Passed:
    """Lets only one target of a plan be disrupted in a pass: the first; the next pass plans the others anew."""
    disruptive = disruptive_of(passed.steps)
    others = tuple(s for s in disruptive if s.target != disruptive[0].target)
    if not others:
        return passed
    held = Wait(Reason.WAITING_FOR_SLOT, f"one target is disrupted at a time: {others[0]} waits for {disruptive[0]}")
    return passed.without(others, held)


def check_slot(passed: Passed, *, held_by_us: bool, holder: str) -> Passed:
    """Holds Disruptive steps back while another object has the site's disruption slot."""
    disruptive = disruptive_of(passed.steps)
    if held_by_us or not disruptive:
        return passed
    held = Wait(Reason.WAITING_FOR_SLOT, f"{holder or 'another object'} has the site's disruption slot", 10.0)
    return passed.without(disruptive, held)


def disruptive_of(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that take redundancy away or interrupt a service; they need the slot."""
    return tuple(s for s in steps if s.risk is Risk.DISRUPTIVE)


def outages_of(steps: Sequence[Step]) -> dict[str, Outage]:
    """The hosts that steps take out of service, each for the longest time that one of them says."""
    outages: dict[str, Outage] = {}
    for outage in (s.outage for s in disruptive_of(steps)):
        if outage is not None and outage.seconds > outages.get(outage.node, Outage("", -1)).seconds:
            outages[outage.node] = outage
    return outages


def _inside(window: MaintenanceWindow, now: datetime) -> bool:
    hour, minute = (int(x) for x in window.start_time.split(":"))
    for back in (0, 1):  # a window that began yesterday may still be open
        day = now - timedelta(days=back)
        start = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if window.days and DAYS[start.weekday()] not in window.days:
            continue
        if start <= now < start + timedelta(minutes=window.duration_minutes):
            return True
    return False


def common_status(resource: Resource) -> CommonStatus:
    """What every kind's status has."""
    status: CommonStatus = getattr(resource, "status")  # noqa: B009
    return status
