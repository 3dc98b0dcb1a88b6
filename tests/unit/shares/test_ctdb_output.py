"""What ctdb prints, as ctdb 4.22 of Debian 13 printed it on three hosts."""

from pathlib import Path

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.shares.ctdb.parse import (
    CtdbNode,
    FailedScript,
    parse_addresses,
    parse_lock,
    parse_monitor,
    parse_status,
)

DATA = Path(__file__).resolve().parents[2] / "data/shares/ctdb"
NOT_RUNNING = Output(1, "", "connect() failed, errno=2\nFailed to connect to CTDB daemon (/run/ctdb/ctdbd.socket)\n")


def recorded(name: str, rc: int = 0) -> Output:
    return Output(rc, (DATA / f"{name}.txt").read_text(), "")


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("status-ok", [(), (), ()]),
        ("status-disabled-and-stopped", [(), ("Disabled",), ("Stopped",)]),
        ("status-banned", [(), (), ("Banned",)]),
        ("status-unhealthy", [("Unhealthy",), (), ()]),
        ("status-disconnected", [(), (), ("Disconnected", "Unhealthy")]),
    ],
)
def test_what_is_wrong_with_each_node(name: str, states: list[tuple[str, ...]]) -> None:
    addresses = [f"172.20.11.{number}" for number in (11, 12, 13)]
    nodes = tuple(CtdbNode(n, address, states[n]) for n, address in enumerate(addresses))
    assert parse_status(recorded(name)) == Known(nodes)


def test_a_version_without_the_column_unknown_is_understood() -> None:
    old = (
        "|Node|IP|Disconnected|Banned|Disabled|Unhealthy|Stopped|Inactive|PartiallyOnline|ThisNode|\n"
        "|0|172.20.11.11|0|0|0|1|0|0|1|Y|\n"
    )
    assert parse_status(Output(0, old, "")) == Known((CtdbNode(0, "172.20.11.11", ("Unhealthy", "PartiallyOnline")),))


def test_who_has_each_public_address() -> None:
    assert parse_addresses(recorded("addresses")) == Known({"172.20.12.101": 1, "172.20.12.102": 0})
    assert parse_addresses(Output(0, "|Public IP|Node|\n|10.0.0.31|-1|\n", "")) == Known({"10.0.0.31": -1})


def test_a_script_that_fails_is_told_with_its_words() -> None:
    assert parse_monitor(recorded("monitor-ok")) == Known(())
    (failed,) = (FailedScript("10.interface", "ERROR: No link on the public network interface vc1"),)
    assert parse_monitor(recorded("monitor-failing", rc=1)) == Known((failed,))


def test_the_lock_that_the_daemon_runs_with() -> None:
    assert parse_lock(recorded("lock")) == Known("/gluster/lock/ctdb")


@pytest.mark.parametrize("parse", [parse_status, parse_addresses, parse_lock, parse_monitor])
def test_a_daemon_that_does_not_run_is_absent_and_what_is_odd_is_unknown(parse: object) -> None:
    assert callable(parse)
    assert parse(NOT_RUNNING) == Absent()
    assert parse(Output(127, "", "sh: not found")) == Absent()
    assert isinstance(parse(Output(124, "", "")), Unknown)
    assert isinstance(parse(Output(1, "", "control timed out")), Unknown)


@pytest.mark.parametrize("text", ["", "|Node|Address|\n|0|x|\n", "|Node|IP|Disconnected|Banned|Unhealthy|\n|0|a|0|\n"])
def test_a_table_that_is_no_table_is_unknown(text: str) -> None:
    assert isinstance(parse_status(Output(0, text, "")), Unknown)
