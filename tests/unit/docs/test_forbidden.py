"""What the safety rules forbid outright is not even named in a command anywhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from heretic.domain.commands import SecretRef
from heretic.domain.disks.erase_step import EraseDisk
from heretic.domain.hosted_engine.deploy_steps import CleanAfterFailedDeployment, DeployEngine, never_deployed
from heretic.domain.plan import Risk

PACKAGE = Path(__file__).resolve().parents[3] / "operator/heretic"
WHERE = [
    path
    for folder in ("domain", "hosts", "reconcile")
    for path in sorted((PACKAGE / folder).rglob("*.py"))
    if path.parent.name != "parse"  # what programs print is no argument of one
]

FORBIDDEN = {
    "pvcreate": "rule:blank-disk: vgcreate makes the physical volume, and refuses a disk with a signature",
    "-ff": "rule:blank-disk",
    "sgdisk": "rule:blank-disk",
    "blkdiscard": "rule:blank-disk",
    "dd": "rule:blank-disk",
    "shred": "rule:blank-disk",
    "vgremove": "rule:blank-disk, rule:never-prepare-twice: a volume group is never taken apart",
    "pvremove": "rule:blank-disk, rule:never-prepare-twice",
    "replace-brick": "rule:replace-brick: not part of this version",
    "reset-brick": "rule:replace-brick",
    "add-brick": "rule:bricks-in-use, rule:brick-list-is-fixed",
    "remove-brick": "rule:bricks-in-use, rule:brick-list-is-fixed",
    "rebalance": "rule:bricks-in-use",
    "detach": "rule:host-with-bricks-stays: no peer is detached",
    "split-brain": "rule:split-brain-is-for-people: no side of a split-brain is chosen",
    "bigger-file": "rule:split-brain-is-for-people",
    "latest-mtime": "rule:split-brain-is-for-people",
    "source-brick": "rule:split-brain-is-for-people",
    "--deploy": "rule:engine-never-redeployed",
    "--reinitialize-lockspace": "rule:engine-never-redeployed",
    "--clean-metadata": "rule:engine-never-redeployed",
    "-l": "rule:stop-in-order: nothing is unmounted lazily",
    "--lazy": "rule:stop-in-order",
    "ipmitool": "rule:fencing-needs-proof: nothing is fenced",
    "reboot": "rule:host-maintenance, rule:fencing-needs-proof: no host is rebooted",
    "poweroff": "rule:fencing-needs-proof, rule:stop-in-order",
}


def words(tree: ast.AST) -> Iterator[str]:
    """The string constants that could be one argument of a program: one word, outside of docstrings."""
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def named(source: str) -> set[str]:
    return set(words(ast.parse(source)))


ALL = {path: named(path.read_text()) for path in WHERE}
ALL_WORDS = {path: list(words(ast.parse(path.read_text()))) for path in WHERE}


def commands(program: str) -> list[list[str]]:
    """The tuples that begin with a program whose name begins so."""
    return [
        [getattr(e, "value", "") for e in node.elts]
        for path in WHERE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Tuple) and node.elts and str(getattr(node.elts[0], "value", "")).startswith(program)
    ]


@pytest.mark.parametrize(("word", "why"), FORBIDDEN.items())
def test_what_is_forbidden_is_not_named(word: str, why: str) -> None:
    assert [path.name for path, found in ALL.items() if word in found] == [], why


def test_no_fence_action_is_asked_of_the_engine_but_the_question() -> None:
    """rule:fencing-needs-proof: the engine decides by itself when it switches a host."""
    sources = {path.name: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
    asking = {name: text for name, text in sources.items() if re.search(r"}/fence\"|fence_type", text)}
    assert list(asking) == ["power_look.py"]
    assert re.findall(r"<fence_type>([^<]*)<", asking["power_look.py"]) == ["status"]


ERASING = PACKAGE / "hosts/erasing.sh"
"""The one text that empties a disk; it is sent with no other step than the one that always needs a person's word."""

SHELL = {path: path.read_text() for path in sorted((PACKAGE / "hosts").glob("*.sh")) if path != ERASING}
"""The functions that all other scripts begin with."""


def calls(program: str) -> list[str]:
    """What stands behind a program's name in the shell functions, comments left out."""
    lines = [line for text in SHELL.values() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [rest for line in lines for rest in re.split(rf"\b{program} ", line)[1:] if not rest.startswith("$?")]


def test_a_tool_that_can_wipe_is_only_called_to_look() -> None:
    assert not {path.name for path, found in ALL.items() if "wipefs" in found}
    assert calls("wipefs")
    assert [call for call in calls("wipefs") if not call.startswith(("--no-act ", "blkid", "blkid read"))] == []
    assert calls("dd")
    assert [call for call in calls("dd") if "of=" in call or not call.startswith(("if=", "exited"))] == []


@pytest.mark.parametrize(
    "word", ["blkdiscard", "sgdisk", "shred", "pvremove", "vgremove", "mkfs", "vgcreate", "pvcreate"]
)
def test_no_function_of_the_shell_writes_to_a_disk(word: str) -> None:
    assert [path.name for path, text in SHELL.items() if word in text] == []


def made_in(path: Path, name: str) -> list[ast.Call]:
    """The places where an object of a class is made."""
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)]
    return [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == name]


def test_only_the_step_that_always_needs_a_persons_word_empties_a_disk() -> None:
    assert {path.name for path, found in ALL.items() if "@erase" in found} == {"erase_step.py", "script.py"}
    assert EraseDisk.risk is Risk.DESTRUCTIVE
    made = [(path.name, {k.arg for k in call.keywords}) for path in WHERE for call in made_in(path, "EraseDisk")]
    assert [name for name, _ in made] == ["erase.py"]
    assert not {"declared", None} & made[0][1], "no declaration covers it"


QUESTIONS = {"--vm-status", "--check-deployed"}
"""What hosted-engine may be called with."""


def test_hosted_engine_is_only_asked() -> None:
    calls = commands("hosted-engine")
    assert calls, "the hosts are asked how the engine is"
    assert [call for call in calls if call[1] not in QUESTIONS] == []
    assert sum(found.count("hosted-engine") for found in ALL_WORDS.values()) == len(calls), "named in commands alone"


RUNNING = PACKAGE / "domain/hosted_engine/first_host.py"
DEPLOYING = PACKAGE / "domain/hosted_engine/deploy_steps.py"
"""The one file whose steps deploy an engine, or clean up after a deployment that failed."""


@pytest.mark.parametrize("program", ["ansible-playbook", "ovirt-hosted-engine-cleanup"])
def test_what_deploys_an_engine_or_cleans_up_is_called_at_one_place(program: str) -> None:
    places = [path for path, found in ALL_WORDS.items() for word in found if word == program]
    assert places == [DEPLOYING if program.startswith("ovirt") else RUNNING]
    users = {path.name for path in WHERE if "RUNNER" in path.read_text()}
    assert users == {DEPLOYING.name, RUNNING.name}


def test_the_steps_that_do_prove_first_that_no_engine_ever_was() -> None:
    steps = (
        DeployEngine(
            host="n",
            why="",
            fqdn="e",
            brick="/b",
            job="j",
            variables="",
            password=SecretRef("s", "k"),
            root_key=SecretRef("s", "k", public=True),
        ),
        CleanAfterFailedDeployment(host="n", why="", brick="/b", job="j"),
    )
    for step in steps:
        assert set(never_deployed("/b")) <= set(step.script().guards)
    made = {p.name for p in WHERE for step in steps for _ in made_in(p, type(step).__name__)}
    assert made == {"deploy.py"}


def test_filesystems_are_made_without_force() -> None:
    calls = commands("mkfs")
    assert calls, "bricks have filesystems"
    assert not [call for call in calls if "-f" in call]


def test_the_state_of_glusterd_is_only_asked_for() -> None:
    mentions = {
        path.name for path in WHERE for word in ALL[path] if word.startswith("/var/lib/glusterd") and " " not in word
    }
    assert mentions <= {"member.py", "command.py"}, "the own id is read, and the folder is locked while gluster works"


def test_forbidden_words_would_be_found() -> None:
    assert named('"""dd in a docstring"""\nf(("dd", "if=/dev/zero"), "said dd")') == {"dd", "if=/dev/zero", "said dd"}
