"""Follows "Your first step" and "Your first kind" of CONTRIBUTING word by word, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
SECTIONS = PAGE[PAGE.index("## Your first step") : PAGE.index("## How to add")]
FILE = re.compile(r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
APPEND = re.compile(r"In `([^`]+)`, write `([^`]+)` behind `([^`]+)`")
REGISTER = re.compile(r"In `([^`]+)` import it, and write `(\w+)` behind `([^`]+)`:\n\n```python\n(.*?)```", re.DOTALL)


class Tree:
    """A copy of what the page builds on, with the page's files in it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        for part in ("operator", "tests", "crds", "manifests", "pyproject.toml"):
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, top / part)

    def follow(self, text: str) -> None:
        for name, content in FILE.findall(text):
            path = self.top / name
            assert not path.exists(), f"{name} exists already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        for name, word, before, imports in REGISTER.findall(text):
            path = self.top / name
            content = path.read_text()
            assert content.count(before) == 1, f"{before} stands {content.count(before)} times in {name}"
            first = content.index("from heretic.domain.shares")
            content = content[:first] + imports + content[first:]
            path.write_text(content.replace(before, f"{before}, {word}"))
        for name, word, before in APPEND.findall(text):
            path = self.top / name
            content = path.read_text()
            assert content.count(before) == 1, f"{before} stands {content.count(before)} times in {name}"
            path.write_text(content.replace(before, before + word))

    def python(self, *arguments: str) -> None:
        paths = f"{self.top / 'operator'}:{self.top / 'tests'}"
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": ""}  # the next call is faster
        done = subprocess.run(
            [sys.executable, *arguments], cwd=self.top, env=environment, capture_output=True, text=True, timeout=110
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = Tree(tmp_path_factory.mktemp("first"))
    tree.follow(SECTIONS)
    return tree


def test_every_block_of_the_page_is_used() -> None:
    assert len(FILE.findall(SECTIONS)) + len(REGISTER.findall(SECTIONS)) == SECTIONS.count("```") / 2 == 8


def test_the_tests_of_the_page_pass(tree: Tree) -> None:
    found = [name for name, _ in FILE.findall(SECTIONS) if name.startswith("tests/")]
    assert len(found) == 2
    tree.python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *found, "tests/unit/docs/test_layers.py"
    )


def test_its_definition_and_the_rights_on_it_are_written(tree: Tree) -> None:
    tree.python("-m", "heretic.generate")
    assert (tree.top / "crds/hvp.ovirt.life_scratches.yaml").exists()
    assert "scratches" in "".join(f.read_text() for f in (tree.top / "manifests/operator").glob("*.yaml"))
    assert "## Scratch" in (tree.top / "docs/reference/api.md").read_text()


def test_its_example_is_understood(tree: Tree) -> None:
    (name,) = [name for name, _ in FILE.findall(SECTIONS) if name.endswith(".yaml")]
    obj = yaml.safe_load((tree.top / name).read_text())
    tree.python("-c", f"from heretic.kinds import KINDS; KINDS.parse('Scratch', {obj!r})")


def test_its_code_has_the_style_of_the_rest(tree: Tree) -> None:
    written = [name for name, _ in FILE.findall(SECTIONS) if name.endswith(".py")]
    for command in (("check",), ("format", "--check")):
        tree.python("-m", "ruff", *command, "--no-cache", *written, "operator/heretic/kinds.py")
