"""What ctdb prints: tables by the names in their heads, because columns differ between versions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Fact
from heretic.domain.host.parse.reading import NOT_INSTALLED, NotUnderstood, read

T = TypeVar("T")

_NO_STATES = frozenset({"Node", "IP", "ThisNode", "Inactive"})
"""Columns that tell nothing of their own: a node is inactive when it is banned, stopped or disconnected."""

_SCRIPT = re.compile(r"(\S+) +(OK|ERROR|TIMEDOUT|DISABLED)\b")


@dataclass(frozen=True, slots=True)
class CtdbNode:
    """One line of ``ctdb status``.

    Attributes:
        number: Of the node.
        address: By which CTDB knows it.
        states: What is wrong with it, in CTDB's words; none = it serves.
    """

    number: int
    address: str
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedScript:
    """An event script that failed when the host was looked at.

    Attributes:
        name: Of the script, such as 10.interface.
        output: What it said.
    """

    name: str
    output: str

    def __str__(self) -> str:
        return f"{self.name}: {self.output or 'it said nothing'}"


def parse_status(output: Output) -> Fact[tuple[CtdbNode, ...]]:
    """Parses ``ctdb -X status``; Absent where the daemon does not run (rule:ctdb-output)."""
    return _told(output, "ctdb status", _nodes)


def parse_addresses(output: Output) -> Fact[Mapping[str, int]]:
    """Parses ``ctdb -X ip all``: the number of the node that has each public address, -1 where none has it."""
    return _told(output, "ctdb ip", _addresses)


def parse_lock(output: Output) -> Fact[str]:
    """Parses ``ctdb getreclock``: the lock with which the daemon runs."""
    return _told(output, "ctdb getreclock", str.strip)


def parse_monitor(output: Output) -> Fact[tuple[FailedScript, ...]]:
    """Parses ``ctdb event status legacy monitor``: the scripts that failed; its exit status is theirs."""
    ran = _SCRIPT.match(output.stdout) is not None
    return _told(Output(0, output.stdout, output.stderr) if ran else output, "ctdb event status", _failed)


def _told(output: Output, what: str, reader: Callable[[str], T]) -> Fact[T]:
    if output.rc == NOT_INSTALLED or "connect() failed" in output.stderr:
        return Absent()
    return read(output, what, reader)


def _table(text: str, *columns: str) -> list[dict[str, str]]:
    head, *rows = (line.strip().strip("|").split("|") for line in text.splitlines() if line.strip())
    if missing := [name for name in columns if name not in head]:
        raise NotUnderstood(f"there is no column {missing[0]}")
    return [dict(zip(head, row, strict=True)) for row in rows]


def _nodes(text: str) -> tuple[CtdbNode, ...]:
    rows = _table(text, "Node", "IP", "Disconnected", "Banned", "Unhealthy")
    return tuple(CtdbNode(int(row["Node"]), row["IP"], _states(row)) for row in rows)


def _states(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, value in row.items() if name not in _NO_STATES and value != "0")


def _addresses(text: str) -> dict[str, int]:
    return {row["Public IP"]: int(row["Node"]) for row in _table(text, "Public IP", "Node")}


def _failed(text: str) -> tuple[FailedScript, ...]:
    found: list[FailedScript] = []
    failing = False
    for line in text.splitlines():
        if script := _SCRIPT.match(line):
            failing = script[2] in ("ERROR", "TIMEDOUT")
            if failing:
                found.append(FailedScript(script[1], "it took too long" if script[2] == "TIMEDOUT" else ""))
        elif failing and line.strip():
            last = found.pop()
            said = line.strip().removeprefix("OUTPUT: ")
            found.append(FailedScript(last.name, f"{last.output} {said}".strip()))
    return tuple(found)
