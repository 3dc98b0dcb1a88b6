"""What is known of CTDB on a host."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.ctdb.parse import (
    CtdbNode,
    FailedScript,
    parse_addresses,
    parse_lock,
    parse_monitor,
    parse_status,
)
from heretic.domain.shares.lock_steps import PROOF


@dataclass(frozen=True, slots=True)
class CtdbFacts:
    """CTDB as one host sees it. Absent everywhere: its daemon does not run.

    Attributes:
        nodes: All nodes, itself among them.
        addresses: The number of the node that has each public address, -1 where none has it.
        lock: With which cluster lock the daemon runs.
        failed: Event scripts that failed when it looked at itself.
        proof: For which volume the host was kept out of a lock that another host held (see shares/lock.py).
    """

    nodes: Fact[tuple[CtdbNode, ...]] = NOT_OBSERVED
    addresses: Fact[Mapping[str, int]] = NOT_OBSERVED
    lock: Fact[str] = NOT_OBSERVED
    failed: Fact[tuple[FailedScript, ...]] = NOT_OBSERVED
    proof: Fact[str] = NOT_OBSERVED


_STATUS = Probe("ctdb-status", ("ctdb", "-X", "status"), parse_status)
_ADDRESSES = Probe("ctdb-addresses", ("ctdb", "-X", "ip", "all"), parse_addresses)
_LOCK = Probe("ctdb-lock", ("ctdb", "getreclock"), parse_lock)
_MONITOR = Probe("ctdb-monitor", ("ctdb", "event", "status", "legacy", "monitor"), parse_monitor)


def _assemble(answers: Answers) -> CtdbFacts:
    return CtdbFacts(
        nodes=answers.parsed(_STATUS.name, parse_status),
        addresses=answers.parsed(_ADDRESSES.name, parse_addresses),
        lock=answers.parsed(_LOCK.name, parse_lock),
        failed=answers.parsed(_MONITOR.name, parse_monitor),
        proof=answers.text(PROOF),
    )


def _has_shares(view: SiteView) -> bool:
    return bool(view.of(FileShare))


CTDB: Section[CtdbFacts] = Section(
    name="CTDB",
    assemble=_assemble,
    unseen=CtdbFacts(),
    probes=(_STATUS, _ADDRESSES, _LOCK, _MONITOR),
    files=(PROOF,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=_has_shares,
)
