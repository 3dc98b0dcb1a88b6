"""heretic bootstrap where it must not even begin; with a real API server: tests/integration/test_bootstrap.py."""

import asyncio
from pathlib import Path

import pytest

from heretic.cli.app import run
from unit.cluster.api_server import Answer, ApiServer, gives, kubeconfig, says


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubeconfig whose API server is not there."""
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:9")
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["bootstrap", *arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("heretic: ")
    assert shown.err.count("\n") == 1
    return shown.err


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        (None, "say in which namespace the site shall live: --namespace NAME"),
        ("kube-system", "kube-system belongs to Kubernetes or to the operator"),
        ("heretic-system", "heretic-system belongs to Kubernetes or to the operator"),
        ("Home", "the namespace 'Home' cannot be used: must be the name of an object"),
        ("-home", "the namespace '-home' cannot be used: must be the name of an object"),
        ("a.b", "the namespace 'a.b' cannot be used: must be the name of an object"),
        ("a" * 64, "cannot be used: string should have at most 63 characters"),
        ("home", "no answer from the API server https://127.0.0.1:9"),
    ],
)
def test_a_site_needs_a_namespace_of_its_own(
    config: Path, namespace: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused([f"--namespace={namespace}"] if namespace else [], capsys)


def test_the_namespace_of_the_context_counts(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("cluster: pc", "cluster: pc\n    namespace: kube-public"))
    assert "kube-public belongs to Kubernetes" in refused([], capsys)


def test_a_kubeconfig_without_a_context_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("current-context: site", "current-context: ''"))
    assert "has no current context: choose with kubectl config use-context one of site" in refused([], capsys)
    assert "has no context 'other'" in refused(["--context", "other"], capsys)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says(403, "secrets is forbidden"), "needs the rights of an administrator of the cluster"),
        (says(401, "Unauthorized"), "log in again, or renew the kubeconfig"),
        (says(500, "etcd is gone"), "HTTP 500 etcd is gone"),
        (
            gives({"data": {"other": "eA=="}}),
            "Secret heretic-ssh in namespace home is there already and has no key ssh-p",
        ),
        (gives({}), "Secret heretic-ssh in namespace home is there already and has no key ssh-privatekey"),
        (gives({"data": {"ssh-privatekey": "eA=="}}), "its ssh-privatekey is no private key without passphrase"),
        (gives({"data": {"ssh-privatekey": "/w=="}}), "its ssh-privatekey is no private key without passphrase"),
    ],
    ids=["no rights", "no login", "server error", "no such field", "empty", "not a key", "not text"],
)
async def test_what_stands_in_the_way_is_told_before_the_first_write(
    tmp_path: Path, answer: Answer, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ApiServer([answer]) as server:
        path = kubeconfig(tmp_path / "config", server.url)
        arguments = ["--kubeconfig", str(path), "--namespace", "home"]
        assert said in await asyncio.to_thread(refused, arguments, capsys)
        assert {asked.method for asked in server.asked} == {"GET"}
