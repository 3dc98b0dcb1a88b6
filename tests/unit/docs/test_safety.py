"""Every safety rule names tests that exist, or says what it arrives with."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from wrong_manifests import STRUCTURE, WRONG

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/explanation/safety.md").read_text()
EL9_ONLY = (ROOT / "docs/reference/el9-only.md").read_text()
RULES = range(1, 25)
FORMULAS = ("brick_set_ok", "healed", "may_take_out", "engine_good", "disk_usable", "fits", "Destructive steps")
PROOF = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([^\]]+)\])?`")


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.*)$", PAGE, flags=re.MULTILINE)
    return {title: body.split("\n## ")[0] for title, body in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {function.name for function in functions if function.name.startswith("test_")}


def exists(path: str, name: str, case: str) -> bool:
    if not (ROOT / path).is_file() or name not in named_in(path):
        return False
    cases = {str(wrong) for wrong in [*WRONG, *STRUCTURE]}
    return not case or case in cases or repr(case)[1:-1] in (ROOT / path).read_text()


@pytest.mark.parametrize(("path", "name", "case"), sorted({*PROOF.findall(PAGE), *PROOF.findall(EL9_ONLY)}))
def test_a_test_that_is_named_as_a_proof_exists(path: str, name: str, case: str) -> None:
    assert exists(path, name, case)


@pytest.mark.parametrize(("title", "body"), sections().items())
def test_every_rule_is_proved_or_says_what_it_arrives_with(title: str, body: str) -> None:
    assert PROOF.search(body) or "Not yet: arrives with" in body


def test_all_rules_and_formulas_are_there() -> None:
    titles = list(sections())
    assert [int(t.split(".")[0]) for t in titles if t[0].isdigit()] == list(RULES)
    for formula in FORMULAS:
        assert any(t.startswith(formula) for t in titles)


def test_a_test_that_does_not_exist_is_noticed() -> None:
    here = "tests/unit/docs/test_safety.py"
    assert exists(here, "test_all_rules_and_formulas_are_there", "")
    assert not exists(here, "test_of_nothing", "")
    assert not exists("tests/unit/docs/test_nothing.py", "test_of_nothing", "")
    assert not exists(here, "test_all_rules_and_formulas_are_there", "no such" + " case")
