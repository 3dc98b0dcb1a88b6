"""Every known failure names tests that exist."""

import re

import pytest

from unit.docs.test_safety import PROOF, ROOT, exists

PAGE = (ROOT / "docs/explanation/known-failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\| (?:---|number|what is)", line)]
OF_SHARES = {19, 20}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_failure_is_proved_by_tests_that_exist(row: str) -> None:
    proofs = PROOF.findall(row)
    assert proofs
    assert [proof for proof in proofs if not exists(*proof)] == []


def test_no_reported_failure_is_left_out() -> None:
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    assert numbers | OF_SHARES == set(range(1, 29))
