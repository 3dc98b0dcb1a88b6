"""From a kubeconfig or a pod to what a request carries; and what is said where that cannot be."""

import asyncio
import os
import shlex
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heretic.cluster import connection as module
from heretic.cluster import credentials
from heretic.cluster.client import Cluster
from heretic.domain.errors import HereticError, NeedsUser
from unit.cluster.api_server import ApiServer, Authority, b64, gives, kubeconfig, says

FOUND = gives({"metadata": {"uid": "u1"}})
SERVICE_ACCOUNT = "kubernetes.aio.config.incluster_config"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No credentials of this machine, and temporary files where the test sees them."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def ask(kubeconfig: Path | None = None, context: str | None = None) -> None:
    """Logs in, and asks once."""
    cluster = await Cluster.connect(None if kubeconfig is None else str(kubeconfig), context)
    try:
        await cluster.identity()
    finally:
        await cluster.close()


def plugin(folder: Path, *answers: str) -> dict[str, Any]:
    """A user whose plugin prints the answers in turn, the last one for ever."""
    for number, answer in enumerate(answers):
        (folder / f"answer-{number}").write_text(answer)
    script = folder / "plugin"
    count, last = shlex.quote(str(folder / "count")), len(answers) - 1
    script.write_text(
        f"#!/bin/sh\nn=$(cat {count} 2>/dev/null || echo 0)\n[ $n -gt {last} ] && n={last}\n"
        f"echo $((n+1)) >{count}\ncat {shlex.quote(str(folder))}/answer-$n\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(script), "args": ["--now"]}}


def credential(status: str) -> str:
    return f'{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {status}}}'


class TestWaysToLogIn:
    async def test_a_certificate_kept_in_the_kubeconfig(
        self, authority: Authority, tmp_path: Path, temporary: Path
    ) -> None:
        """Twice, as when credentials are read again; the key is left in no file."""
        pair = authority.sign("somebody")
        user = {"client-certificate-data": b64(pair.certificate), "client-key-data": b64(pair.key)}
        async with ApiServer([FOUND], authority.server_context(tmp_path, asks=True)) as server:
            path = kubeconfig(
                tmp_path / "config", server.url, user, {"certificate-authority-data": b64(authority.certificate)}
            )
            await ask(path)
            await ask(path)
        assert [asked.peer for asked in server.asked] == ["somebody", "somebody"]
        assert "Authorization" not in server.asked[0].headers
        assert os.listdir(temporary) == []

    async def test_a_certificate_in_files_beside_the_kubeconfig(self, authority: Authority, tmp_path: Path) -> None:
        pair = authority.sign("somebody")
        (tmp_path / "me.crt").write_text(pair.certificate)
        (tmp_path / "me.key").write_text(pair.key)
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        async with ApiServer([FOUND], authority.server_context(tmp_path, asks=True)) as server:
            await ask(kubeconfig(tmp_path / "config", server.url, user, {"certificate-authority": "ca.crt"}))
        assert server.asked[0].peer == "somebody"

    async def test_a_server_whose_certificate_somebody_else_signed(self, authority: Authority, tmp_path: Path) -> None:
        async with ApiServer([FOUND], authority.server_context(tmp_path, asks=False)) as server:
            other = {"certificate-authority-data": b64(Authority().certificate)}
            with pytest.raises(HereticError, match="its certificate is not to be trusted"):
                await ask(kubeconfig(tmp_path / "config", server.url, None, other))
        assert server.asked == []

    async def test_a_token_in_a_file_that_ends_with_a_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("from-file\n")
        async with ApiServer([FOUND]) as server:
            await ask(kubeconfig(tmp_path / "config", server.url, {"tokenFile": "token"}))
        assert server.asked[0].headers["Authorization"] == "Bearer from-file"

    async def test_a_plugin_s_token_and_a_new_one_when_it_has_ended(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        user = plugin(tmp_path, credential('{"token": "one"}'), credential('{"token": "two"}'))
        async with ApiServer([says(401, "Unauthorized"), FOUND]) as server:
            await ask(kubeconfig(tmp_path / "config", server.url, user))
        assert [asked.headers["Authorization"] for asked in server.asked] == ["Bearer one", "Bearer two"]

    async def test_files_of_the_environment_and_the_first_current_context(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with ApiServer([FOUND]) as server:
            first = kubeconfig(tmp_path / "1", server.url, {"token": "one"})
            second = kubeconfig(tmp_path / "2", server.url, {"token": "two"})
            monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'missing'}:{first}:{second}")
            await ask()
        assert server.asked[0].headers["Authorization"] == "Bearer one"

    async def test_a_cluster_that_is_reached_without_tls_needs_no_user(self, tmp_path: Path) -> None:
        async with ApiServer([FOUND]) as server:
            path = kubeconfig(tmp_path / "config", server.url)
            path.write_text(path.read_text().replace("    user: me\n", ""))
            await ask(path)
        assert "Authorization" not in server.asked[0].headers


class TestInAPod:
    @pytest.fixture
    def pod(self, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder with a ServiceAccount's token."""
        folder = tmp_path / "serviceaccount"
        folder.mkdir()
        (folder / "token").write_text("first\n")
        (folder / "ca.crt").write_text(authority.certificate)
        monkeypatch.setattr(f"{SERVICE_ACCOUNT}.SERVICE_TOKEN_FILENAME", str(folder / "token"))
        monkeypatch.setattr(f"{SERVICE_ACCOUNT}.SERVICE_CERT_FILENAME", str(folder / "ca.crt"))
        return folder

    async def test_its_token_is_used_and_read_again_when_it_was_changed(
        self, authority: Authority, pod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        async with ApiServer([FOUND], authority.server_context(tmp_path, asks=False)) as server:
            monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            monkeypatch.setenv("KUBERNETES_SERVICE_PORT", server.url.rpartition(":")[2])
            cluster = await Cluster.connect()
            await cluster.identity()
            (pod / "token").write_text("second\n")
            server.answers = [says(401, "Unauthorized"), FOUND]
            await cluster.identity()
            _, session = await cluster.log_in()
            async with session, session.get(f"{server.url}/api"):
                pass
            await cluster.close()
        assert [asked.headers["Authorization"].split()[1] for asked in server.asked] == [
            *("first", "first"),
            *("second", "second"),
        ]

    @pytest.mark.parametrize(
        ("name", "content"), [("token", None), ("token", ""), ("ca.crt", None), ("ca.crt", "nonsense")]
    )
    async def test_a_token_or_certificate_that_is_missing(
        self, pod: Path, name: str, content: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (pod / name).unlink()
        if content is not None:
            (pod / name).write_text(content)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
        with pytest.raises(HereticError, match=r"no usable token of a ServiceAccount.*automountServiceAccountToken"):
            await ask()


SECRET = "s3cr3t"
Spoil = Callable[[str], str]


def without(part: str) -> Spoil:
    return lambda text: text.replace(part, "")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda _: "", "is not a kubeconfig", id="empty"),
        pytest.param(lambda _: "{", "because it is not YAML", id="no YAML"),
        pytest.param(lambda _: "- a", "it has no clusters, contexts and users", id="a list"),
        pytest.param(lambda _: "contexts: 5", "its contexts are not a list", id="no list"),
        pytest.param(lambda _: "contexts: [5]", "each of its contexts needs a name and a context", id="no entry"),
        pytest.param(lambda _: "{}", "has no context: give the right file", id="no context"),
        pytest.param(without("current-context: site\n"), "no current context: choose with", id="none is current"),
        pytest.param(
            lambda t: t.replace("current-context: site", "current-context: x"),
            "no current context 'x'; it has site",
            id="the current one is not there",
        ),
        pytest.param(lambda t: t.replace("cluster: pc", "cluster: x"), "names the cluster 'x'", id="no such cluster"),
        pytest.param(lambda t: t.replace("user: me", "user: x"), "names the user 'x'", id="no such user"),
        pytest.param(without("    user: me\n"), "names no user", id="no user"),
        pytest.param(without("https://"), "has no server: give it an https:// address", id="no scheme"),
        pytest.param(lambda t: t.replace(":6443", ":x"), "has no server", id="no port"),
        pytest.param(
            lambda t: t.replace("    server:", "    proxy-url: socks5://a\n    server:"), "proxy-url", id="a proxy"
        ),
        pytest.param(
            lambda t: t.replace("    server:", "    certificate-authority: none\n    server:"),
            "File does not exists",
            id="no certificate",
        ),
        pytest.param(
            lambda t: t.replace("    server:", "    certificate-authority-data: x\n    server:"),
            "is not base64",
            id="a certificate that is not base64",
        ),
        pytest.param(
            lambda t: t.replace("    server:", f"    certificate-authority-data: {b64('x')}\n    server:"),
            "is damaged, or they do not belong together",
            id="a certificate that is none",
        ),
        pytest.param(
            lambda t: t.replace(f"token: {SECRET}", "exec: x"), "is no plugin: it needs a command", id="no plugin"
        ),
        pytest.param(lambda t: t.replace(f"token: {SECRET}", "token: |\n      a\n      b"), "one line", id="two lines"),
        pytest.param(
            lambda t: t.replace(
                f"token: {SECRET}", f"auth-provider: {{name: oidc, config: {{refresh-token: {SECRET}}}}}"
            ),
            "Expected key client-id",
            id="half of a login server",
        ),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_gets_a_sentence(tmp_path: Path, spoil: Spoil, told: str) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:6443", {"token": SECRET})
    before = path.read_text()
    path.write_text(spoil(before))
    assert path.read_text() != before

    with pytest.raises(HereticError) as caught:
        await ask(path)

    failure = caught.value.failure
    assert isinstance(failure, NeedsUser)
    assert told in failure.message
    assert str(path) in failure.message
    assert SECRET not in failure.message
    assert "\n" not in failure.message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("nonsense", id="no JSON"),
        pytest.param(credential("{}"), id="no token"),
        pytest.param(credential('{"clientCertificateData": "x"}'), id="no key"),
    ],
)
async def test_a_plugin_that_gives_nothing_is_named(tmp_path: Path, answer: str) -> None:
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:6443", plugin(tmp_path, answer))
    with pytest.raises(HereticError, match=r"gives no credentials: try it by hand: .*/plugin --now"):
        await ask(path)


async def test_a_plugin_that_is_not_installed_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin-of-nobody"}}
    with pytest.raises(HereticError, match="try it by hand: kubelogin-of-nobody"):
        await ask(kubeconfig(tmp_path / "config", "https://127.0.0.1:6443", user))


async def test_a_plugin_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "LOGIN_TIMEOUT", 0.2)
    monkeypatch.setattr("kubernetes.aio.config.exec_provider.ExecProvider.run", lambda self: asyncio.sleep(60))
    with pytest.raises(HereticError, match="its plugin or login server gave nothing within"):
        await ask(kubeconfig(tmp_path / "config", "https://127.0.0.1:6443", plugin(tmp_path, "")))


async def test_no_kubeconfig_at_all(tmp_path: Path) -> None:
    with pytest.raises(HereticError, match=f"there is no kubeconfig {tmp_path}/.kube/config: give --kubeconfig FILE"):
        await ask()


async def test_a_context_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HereticError, match="has no context 'x'; it has site"):
        await ask(kubeconfig(tmp_path / "config", "https://127.0.0.1:6443"), "x")


async def test_certificates_that_kubectl_takes_are_taken(tmp_path: Path) -> None:
    """Python 3.13 would refuse a certificate for its form, such as one without a key identifier."""
    path = kubeconfig(tmp_path / "config", "https://127.0.0.1:6443")
    client = await credentials.log_in(str(path), None)
    assert client.configuration.disable_strict_ssl_verification is True
    await client.close()
