"""What about a host stands in the way of touching it: facts that become conditions, never steps."""

from heretic.api.quantity import format_bytes
from heretic.domain.errors import Reason
from heretic.domain.facts import Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.plan import Blocked, Wait

CLOCK_TOLERANCE = 60.0
"""Seconds between a host's clock and the operator's. Gluster decides by time stamps which copy is newer and logs
by them; a minute is far outside of what any time service leaves, and far inside of what damages."""

MINIMUM_FREE = 100 * 2**20
"""Bytes on / and /var below which nothing is written to a host: its logs and Gluster's own state need them."""


def write_obstacle(facts: HostFacts) -> Wait | Blocked | None:
    """Why nothing can be written to the host's own filesystem, None when it can."""
    for fact in (facts.root_writable, facts.root_free_bytes):
        if isinstance(fact, Unknown):
            return Wait(Reason.NOT_OBSERVED, f"{facts.host}: {fact.cause}")
    if facts.root_writable == Known(False):
        return Blocked(
            Reason.READ_ONLY_ROOT,
            f"{facts.host}: the root filesystem is mounted read-only, most often after errors of its disk; "
            "see `dmesg` on the host, repair it and reboot",
        )
    if isinstance(facts.root_free_bytes, Known) and facts.root_free_bytes.value < MINIMUM_FREE:
        return Blocked(
            Reason.DISK_FULL,
            f"{facts.host}: {format_bytes(facts.root_free_bytes.value)} free on / or /var, "
            f"{format_bytes(MINIMUM_FREE)} needed; make room on the host",
        )
    return None


def clock_obstacle(facts: HostFacts) -> Wait | Blocked | None:
    """Why the host's clock keeps storage from being changed, None when it is near enough to the operator's."""
    if isinstance(facts.time, Unknown):
        return Wait(Reason.NOT_OBSERVED, f"{facts.host}: {facts.time.cause}")
    if not isinstance(facts.time, Known) or facts.time.value.offset_seconds is None:
        return Wait(Reason.NOT_OBSERVED, f"{facts.host}: its clock could not be read")
    offset, doubt = facts.time.value.offset_seconds, facts.time.value.uncertainty_seconds
    if abs(offset) - doubt <= CLOCK_TOLERANCE:
        return None
    way = "ahead of" if offset > 0 else "behind"
    return Blocked(
        Reason.CLOCK_SKEWED,
        f"{facts.host}: its clock is {abs(offset):.0f} s {way} the operator's, {CLOCK_TOLERANCE:.0f} s are "
        "tolerated; no storage is changed until then. Check spec.timeServers of the Site and `chronyc sources` on "
        "the host, or set the clock with `chronyc makestep`",
    )


def storage_obstacle(facts: HostFacts) -> Wait | Blocked | None:
    """Why no storage of the host may be changed now, None when it may."""
    return write_obstacle(facts) or clock_obstacle(facts)
