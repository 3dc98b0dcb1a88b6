"""The command line as a whole: start-up, help, and how every command ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from heretic.cli.app import run

COMMANDS = ("bootstrap", "init", "plan", "status", "verify", "approve", "adopt", "version")
HEAVY = ("kubernetes", "asyncssh", "pydantic", "rich", "aiohttp", "cryptography")


@pytest.fixture(autouse=True)
def _no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert [c for c in COMMANDS if f"\n  {c} " not in shown] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert f"Usage: heretic {command}" in capsys.readouterr().out


def test_starting_imports_nothing_heavy() -> None:
    code = f"import sys; import heretic.cli.app as a; a.run(['--help']); print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["plan", "--nonsense"], "No such option"),
        (["bootstrap"], "no cluster: there is no kubeconfig"),
        (["bootstrap", "--overlay", "k8s"], "'k8s' is not one of 'k3s', 'kind'"),
        (["status"], "no cluster: there is no kubeconfig"),
        (["plan"], "no cluster: there is no kubeconfig"),
        (["plan", "--offline"], "--offline needs manifests"),
        (["plan", "-f", "/nowhere"], "/nowhere does not exist"),
        (["verify", "-f", "/nowhere", "--ignore", "HVP-X999"], "there is no code HVP-X999"),
        (["approve", "vmstore"], "is not KIND/NAME"),
        (["adopt", "--host", "node1"], "--host 'node1' is not of the form NAME=ADDRESS"),
        (["adopt", "--host", "Node_1=10.0.0.1"], "'Node_1' is no name"),
        (["adopt", "--host", "node1=10.0.0.1", "--host-key", "node1=x"], "not an OpenSSH public key"),
        (["adopt", "--host", "node1=10.0.0.1", "--host-key", "other=x"], "there is no --host of that name"),
        (["adopt", "--host", "node1=10.0.0.1"], "no private key"),
        (["status", "--kubeconfig", "/nowhere"], "/nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_are_one_sentence_and_status_1(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 1
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.startswith("heretic: ")
    assert shown.err.count("\n") == 1
    assert shown.out == ""


def test_a_mistake_of_ours_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def boom(*_: object) -> object:
        raise KeyError("lost")

    monkeypatch.setattr("heretic.cli.status.namespace_of", boom)
    assert run(["status"]) == 1
    assert capsys.readouterr().err == "heretic: a mistake of ours: KeyError: 'lost'; HERETIC_DEBUG=1 shows where\n"
    monkeypatch.setenv("HERETIC_DEBUG", "1")
    with pytest.raises(KeyError):
        run(["status"])


def test_options_count_before_and_after_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[object] = []

    def note(where: object, *_: object, **__: object) -> object:
        seen.append(where)
        raise KeyboardInterrupt

    monkeypatch.setattr("heretic.cli.status.run", note)
    assert run(["-n", "one", "--context", "c", "status", "-n", "two"]) == 130
    assert [(w.namespace, w.context) for w in seen] == [("two", "c")]  # type: ignore[attr-defined]


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert run(["version"]) == 0
    assert capsys.readouterr().out == f"heretic {version('heretic')}\n"


def test_a_reader_that_goes_away_is_no_error_with_a_traceback() -> None:
    code = "from heretic.cli.app import run; import sys; sys.exit(run(['--help']))"
    done = subprocess.run(
        ["/bin/sh", "-c", f'{sys.executable} -c "{code}" | true'], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
