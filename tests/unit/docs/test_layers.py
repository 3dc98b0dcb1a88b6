"""The linter's contract knows every folder of the domain."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOMAIN = ROOT / "operator/heretic/domain"


def test_every_folder_of_the_domain_has_its_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (subjects,) = [contract for contract in contracts if contract.get("containers") == ["heretic.domain"]]
    layered = {name.strip() for layer in subjects["layers"] for name in layer.split("|")}
    assert {path.parent.name for path in DOMAIN.glob("*/__init__.py")} <= layered


def test_kinds_are_subjects_that_do_not_know_each_other() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (subjects,) = [contract for contract in contracts if contract.get("containers") == ["heretic.domain"]]
    independent = {name.strip() for name in subjects["layers"][0].split("|")}
    assert {path.parent.name for path in DOMAIN.glob("*/kind.py")} == independent
