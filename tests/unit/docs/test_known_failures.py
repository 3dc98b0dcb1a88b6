"""Every known failure names tests that exist."""

import itertools
import re

import pytest

from heretic.domain.errors import Reason
from heretic.reasons import explain
from unit.docs.test_safety import PROOF, ROOT, exists

PAGE = (ROOT / "docs/explanation/known-failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\| (?:---|number|what is)", line)]
WITH_REASON = [row for row in ROWS if re.match(r" `[A-Z]\w+` $", row.split("|")[2])]


def rows_of(section: str) -> list[str]:
    """The rows of the first table of a section."""
    below = section.partition("| --- |")[2].splitlines()[1:]
    return list(itertools.takewhile(lambda row: row.startswith("|"), below))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_failure_is_proved_by_tests_that_exist(row: str) -> None:
    proofs = PROOF.findall(row)
    assert proofs
    assert [proof for proof in proofs if not exists(*proof)] == []


def test_no_reported_failure_is_left_out() -> None:
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert numbers == set(range(1, 29))


FAULTS, FAULTS_OF_NETWORKS = (
    [[cell.strip() for cell in row.split("|")[1:3]] for row in rows_of(section)]
    for section in PAGE.split("## Bad input")[1:]
)
SAID_OF_NETWORKS = (
    *("overlapping subnets", "address outside its subnet", "duplicate VLAN", "bond mode that the role forbids"),
    *("MTU above what a port passes", "MTU above what a switch passes", "port that vanished", "wrong gateway"),
    *("change that cuts SSH", "operator killed", "cable pulled at a change", "cable of a bond pulled"),
    *("duplicate address on the wire", "one port that answers on two networks", "cable in another port"),
)
"""What networks and their input can be: each is told, or mended."""

SAID = (
    *("wrong password", "expired token", "wrong certificate authority", "name of a host", "name that does not resolve"),
    *("volume of the engine not empty", "volume of the engine not healed", "appliance missing", "host refused"),
    *(
        "host that stays not operational",
        "domain locked",
        "renamed by hand",
        "deleted by hand",
        "two things of one name",
    ),
    *("deployment killed half way", "operator killed", "old `--vm-status`", "broker down", "maintenance left on"),
)
"""What an engine and its input can be, that has to be told apart."""


@pytest.mark.parametrize("fault", SAID_OF_NETWORKS)
def test_a_fault_of_networks_has_a_reason_with_a_remedy_or_is_mended(fault: str) -> None:
    (word,) = {reason for what, reason in FAULTS_OF_NETWORKS if what.startswith(fault)}
    assert word == "-" or explain(Reason(word.strip("`"))).action


def reason_of(fault: str) -> Reason | None:
    (word,) = {reason for what, reason in FAULTS if what.startswith(fault)}
    return Reason(word.strip("`")) if word != "-" else None


@pytest.mark.parametrize("fault", SAID)
def test_a_fault_at_an_engine_has_a_reason_of_its_own_with_a_remedy_or_is_mended(fault: str) -> None:
    reason = reason_of(fault)
    assert [other for other in SAID if other != fault and reason and reason_of(other) is reason] == []
    if reason is not None:
        told = explain(reason)
        assert [
            one for one in Reason if (explain(one).meaning, explain(one).action) == (told.meaning, told.action)
        ] == [reason]
        assert told.action


@pytest.mark.parametrize("row", WITH_REASON, ids=lambda row: row.split("|")[1].strip())
def test_the_proof_of_a_fault_says_its_reason(row: str) -> None:
    reason = Reason(row.split("|")[2].strip(" `"))
    told = [(ROOT / path).read_text() for path, _, _ in PROOF.findall(row)]
    assert any(reason.value in text or reason.name in text for text in told)
