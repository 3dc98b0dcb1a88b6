import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "operator/heretic"
GLOSSARY = ROOT / "docs/reference/glossary.md"


@cache
def classes(folder: Path) -> tuple[str, ...]:
    """Names of the classes, and of the aliases of types, that the modules of a folder define."""
    return tuple(_classes(folder))


def _classes(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp | ast.Subscript):
                name = ast.unparse(node.targets[0])
                # The raw form of any object: one meaning, which modules that do not import each other have to repeat.
                if re.fullmatch(r"_?[A-Z][a-z]\w*", name) and name != "Object":
                    yield name


def rows() -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    return [row for row in lines if row[0] not in ("term", "---")]


def test_a_name_of_a_class_has_one_meaning() -> None:
    counted = Counter([*classes(PACKAGE), *classes(ROOT / "tests/sim")])
    assert [name for name, times in counted.items() if times > 1] == []


def test_each_term_is_explained_once() -> None:
    counted = Counter(term.lower() for term, *_ in rows())
    assert len(counted) > 60
    assert [term for term, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_the_glossary_names_is_in_the_code(row: list[str]) -> None:
    _, _, places = row
    named = re.findall(r"`([^`]+)`", places)
    known = set(classes(PACKAGE))
    assert named
    assert [n for n in named if not ((PACKAGE / n).exists() if "/" in n else n in known)] == []
