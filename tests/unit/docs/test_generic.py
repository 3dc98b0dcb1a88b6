"""Code that serves every kind tells none of them apart: what differs stands in the kind."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from heretic.kinds import KINDS

PACKAGE = Path(__file__).resolve().parents[3] / "operator/heretic"
GENERIC = sorted(
    path for folder in ("reconcile", "cluster", "handlers", "hosts") for path in (PACKAGE / folder).rglob("*.py")
)
MODELS = {model.__name__ for model in KINDS.models}


def told_apart(source: str) -> Iterator[int]:
    """Lines that ask or match whether a resource is of one kind."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            asked: ast.expr | ast.pattern = node.args[1]
        elif isinstance(node, ast.MatchClass):
            asked = node
        else:
            continue
        if any(isinstance(n, ast.Name) and n.id in MODELS for n in ast.walk(asked)):
            yield node.lineno


@pytest.mark.parametrize("path", GENERIC, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_kind_is_told_apart(path: Path) -> None:
    assert list(told_apart(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    ["isinstance(x, Node)", "isinstance(x, Site | Node)", "match x:\n    case GlusterVolume():\n        pass\n"],
)
def test_one_that_does_would_be_found(source: str) -> None:
    assert list(told_apart(source))
