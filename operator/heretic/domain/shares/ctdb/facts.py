"""What is known of CTDB on a host."""

from collections.abc import Mapping
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.parse.reading import read
from heretic.domain.host.section import Answers, Section
from heretic.domain.shares.ctdb.parse import (
    CtdbNode,
    FailedScript,
    parse_addresses,
    parse_lock,
    parse_monitor,
    parse_status,
)
from heretic.domain.shares.lock_steps import FOLDER, MARK, PROOF


@dataclass(frozen=True, slots=True)
class CtdbFacts:
    """CTDB as one host sees it. Absent everywhere: its daemon does not run.

    Attributes:
        nodes: All nodes, itself among them.
        addresses: The number of the node that has each public address, -1 where none has it.
        lock: With which cluster lock the daemon runs.
        failed: Event scripts that failed when it looked at itself.
        proof: For which volume the host was kept out of a lock that another host held (see shares/lock.py).
        out: Addresses of the hosts that Heretic has taken out of service, as the lock volume says.
    """

    nodes: Fact[tuple[CtdbNode, ...]] = NOT_OBSERVED
    addresses: Fact[Mapping[str, int]] = NOT_OBSERVED
    lock: Fact[str] = NOT_OBSERVED
    failed: Fact[tuple[FailedScript, ...]] = NOT_OBSERVED
    proof: Fact[str] = NOT_OBSERVED
    out: Fact[frozenset[str]] = NOT_OBSERVED


def parse_out(output: Output) -> Fact[frozenset[str]]:
    """Parses find; where the lock volume was never mounted, nobody was taken out."""
    if output.rc == 1 and "No such file or directory" in output.stderr:
        return Known(frozenset())
    return read(output, "find", _out)


def _out(text: str) -> frozenset[str]:
    return frozenset(name.removeprefix(MARK) for name in text.split())


_STATUS = Probe("ctdb-status", ("ctdb", "-X", "status"), parse_status)
_ADDRESSES = Probe("ctdb-addresses", ("ctdb", "-X", "ip", "all"), parse_addresses)
_LOCK = Probe("ctdb-lock", ("ctdb", "getreclock"), parse_lock)
_FIND = ("find", FOLDER, "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-name", f"{MARK}*", "-printf", "%f\\n")
_OUT = Probe("ctdb-out", _FIND, parse_out)
_MONITOR = Probe("ctdb-monitor", ("ctdb", "event", "status", "legacy", "monitor"), parse_monitor)


def _assemble(answers: Answers) -> CtdbFacts:
    return CtdbFacts(
        nodes=answers.parsed(_STATUS.name, parse_status),
        addresses=answers.parsed(_ADDRESSES.name, parse_addresses),
        lock=answers.parsed(_LOCK.name, parse_lock),
        failed=answers.parsed(_MONITOR.name, parse_monitor),
        proof=answers.text(PROOF),
        out=answers.parsed(_OUT.name, parse_out),
    )


def _has_shares(view: SiteView) -> bool:
    return bool(view.of(FileShare))


CTDB: Section[CtdbFacts] = Section(
    name="CTDB",
    assemble=_assemble,
    unseen=CtdbFacts(),
    probes=(_STATUS, _ADDRESSES, _LOCK, _MONITOR, _OUT),
    files=(PROOF,),
    roles=frozenset({Role.FILE_SERVER}),
    wanted=_has_shares,
)
