"""Requests to a server in the process: what is sent, and what becomes of each answer."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from heretic.cluster import connection as module
from heretic.cluster import credentials
from heretic.cluster.client import Cluster, ConflictError
from heretic.cluster.connection import FIELD_MANAGER, Connection
from heretic.domain.errors import HereticError, NeedsUser, Transient
from unit.cluster.api_server import Answer, ApiServer, gives, kubeconfig, says

NODE = {"kind": "Node", "metadata": {"name": "n1", "namespace": "site-a", "resourceVersion": "7"}}
Call = Callable[[Cluster], Awaitable[object]]


@pytest.fixture
def answers() -> list[Answer]:
    return [gives(NODE)]


CALLS: dict[str, tuple[Call, str, str]] = {
    "read": (
        lambda c: c.read("nodes", "site-a", "n1"),
        "GET",
        "/apis/hvp.ovirt.life/v1alpha1/namespaces/site-a/nodes/n1",
    ),
    "list": (lambda c: c.list("nodes", "site-a"), "GET", "/apis/hvp.ovirt.life/v1alpha1/namespaces/site-a/nodes"),
    "status": (
        lambda c: c.replace_status("nodes", NODE),
        "PUT",
        "/apis/hvp.ovirt.life/v1alpha1/namespaces/site-a/nodes/n1/status",
    ),
    "annotate": (
        lambda c: c.annotate("nodes", "site-a", "n1", {"a": None}),
        "PATCH",
        "/apis/hvp.ovirt.life/v1alpha1/namespaces/site-a/nodes/n1",
    ),
    "secret": (lambda c: c.secret("site-a", "heretic-ssh"), "GET", "/api/v1/namespaces/site-a/secrets/heretic-ssh"),
    "secret, new": (
        lambda c: c.create_secret("site-a", "heretic-engine", {"password": "p"}, "HostedEngine/engine"),
        "POST",
        "/api/v1/namespaces/site-a/secrets",
    ),
    "lease, new": (
        lambda c: c.write_lease(NODE, create=True),
        "POST",
        "/apis/coordination.k8s.io/v1/namespaces/site-a/leases",
    ),
    "lease, renewed": (
        lambda c: c.write_lease(NODE, create=False),
        "PUT",
        "/apis/coordination.k8s.io/v1/namespaces/site-a/leases/n1",
    ),
    "event": (lambda c: c.create_event("site-a", {"reason": "X"}), "POST", "/api/v1/namespaces/site-a/events"),
    "event again": (
        lambda c: c.repeat_event("site-a", "n1.1", 2, "now"),
        "PATCH",
        "/api/v1/namespaces/site-a/events/n1.1",
    ),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_request_names_its_namespace_us_and_our_token(server: ApiServer, cluster: Cluster, name: str) -> None:
    call, method, path = CALLS[name]
    await call(cluster)

    asked = server.asked[0]
    assert (asked.method, asked.path) == (method, path)
    assert asked.query == ({} if method == "GET" else {"fieldManager": FIELD_MANAGER})
    assert asked.headers["Authorization"] == "Bearer first"
    assert asked.headers["User-Agent"] == "heretic"
    if method == "PATCH":
        assert asked.headers["Content-Type"] == "application/merge-patch+json"
    elif method != "GET":
        assert asked.headers["Content-Type"] == "application/json"


async def test_a_body_travels_as_it_is(server: ApiServer, cluster: Cluster) -> None:
    await cluster.annotate("nodes", "site-a", "n1", {"hvp.ovirt.life/x": "1", "hvp.ovirt.life/y": None})
    obj = {**NODE, "status": {"at": None, "list": [], "conditions": [{"type": "Ready", "odd key": 1.5}]}}
    await cluster.replace_status("nodes", obj)

    assert server.asked[0].body == {"metadata": {"annotations": {"hvp.ovirt.life/x": "1", "hvp.ovirt.life/y": None}}}
    assert server.asked[1].body == obj


async def test_a_secret_that_is_made_has_no_owner_and_says_for_what_it_is(server: ApiServer, cluster: Cluster) -> None:
    await CALLS["secret, new"][0](cluster)
    assert server.asked[0].body == {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/basic-auth",
        "metadata": {
            "name": "heretic-engine",
            "labels": {"app.kubernetes.io/managed-by": "heretic"},
            "annotations": {"hvp.ovirt.life/made-for": "HostedEngine/engine"},
        },
        "stringData": {"password": "p"},
    }


async def test_where_no_secret_may_be_made_a_person_is_told_how_to(server: ApiServer, cluster: Cluster) -> None:
    server.answers = [says(403, 'secrets is forbidden: User "heretic" cannot create resource "secrets"')]
    with pytest.raises(HereticError) as caught:
        await CALLS["secret, new"][0](cluster)
    assert isinstance(caught.value.failure, NeedsUser)
    assert "kubectl -n site-a create secret generic heretic-engine" in caught.value.failure.message


async def test_a_name_cannot_lead_elsewhere(server: ApiServer, cluster: Cluster) -> None:
    await cluster.secret("site-a", "x/../../../kube-system/secrets/y?z")
    assert server.asked[0].path.startswith("/api/v1/namespaces/site-a/secrets/x")
    assert server.asked[0].query == {}


def text(content: str, status: int = 200) -> Answer:
    return lambda _: web.Response(text=content, status=status)


def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(says(401, "Unauthorized"), "has expired or is not known; log in again", id="401"),
        pytest.param(says(403, 'nodes "n1" is forbidden'), 'nodes "n1" is forbidden; grant the right', id="403"),
        pytest.param(says(429, "too many requests"), "HTTP 429 too many requests", id="429"),
        pytest.param(says(500, "etcdserver:\nno leader"), "HTTP 500 etcdserver: no leader", id="500"),
        pytest.param(text("<h1>Bad Gateway</h1>", 502), "HTTP 502 <h1>Bad Gateway</h1>", id="a gateway's page"),
        pytest.param(text("<h1>It works!</h1>"), "what no API server answers; is its address right?", id="not JSON"),
        pytest.param(text("[]"), "what no API server answers", id="JSON, and no object"),
        pytest.param(text(""), "what no API server answers", id="nothing"),
        pytest.param(cut, "no answer from the API server http://127.0.0.1:", id="the connection breaks"),
    ],
)
@pytest.mark.parametrize("name", ["read", "status", "annotate", "lease, new"])
async def test_a_bad_answer_is_a_failure_that_says_what_was_done(
    server: ApiServer, cluster: Cluster, answer: Answer, told: str, name: str
) -> None:
    server.answers = [answer]
    with pytest.raises(HereticError) as caught:
        await CALLS[name][0](cluster)

    assert isinstance(caught.value.failure, Transient)
    assert told in caught.value.failure.message
    assert caught.value.failure.message.startswith(("reading nodes/n1", "writing", "annotating nodes/n1"))
    assert "\n" not in caught.value.failure.message


async def test_what_is_not_there_is_none(server: ApiServer, cluster: Cluster) -> None:
    server.answers = [says(404, "not found")]
    assert await cluster.read("nodes", "site-a", "n1") is None
    assert await cluster.secret("site-a", "heretic-ssh") is None
    assert await cluster.read_lease("site-a", "x") is None
    await cluster.repeat_event("site-a", "n1.1", 2, "now")
    with pytest.raises(HereticError, match="404"):
        await cluster.replace_status("nodes", NODE)


@pytest.mark.parametrize("name", ["status", "secret, new", "lease, new", "lease, renewed"])
async def test_a_conflict_is_told_apart(server: ApiServer, cluster: Cluster, name: str) -> None:
    server.answers = [says(409, "the object has been modified")]
    with pytest.raises(ConflictError):
        await CALLS[name][0](cluster)


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        pytest.param([], "the CRDs are not installed", id="none"),
        pytest.param(["v1beta1"], "of version v1beta1, and this Heretic speaks v1alpha1", id="of another version"),
        pytest.param(["v1alpha1"], "lack a kind of this Heretic", id="one is missing"),
    ],
)
async def test_a_kind_that_the_cluster_does_not_know(
    server: ApiServer, cluster: Cluster, versions: list[str], told: str
) -> None:
    group = gives({"versions": [{"version": version} for version in versions]}) if versions else says(404, "no")
    server.answers = [says(404, "page not found"), group]
    with pytest.raises(HereticError, match=told) as caught:
        await cluster.list("nodes", "site-a")
    assert isinstance(caught.value.failure, NeedsUser)
    assert "kubectl apply --server-side -k crds" in caught.value.failure.message


async def test_a_server_that_says_nothing(server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.2)
    server.slow = lambda: asyncio.sleep(60)
    with pytest.raises(HereticError, match=r"no answer from the API server http://127.0.0.1:\d+: nothing came within"):
        await cluster.read("nodes", "site-a", "n1")


async def test_a_body_that_never_ends(server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_TIMEOUT", 0.2)
    server.answers = [lambda _: web.Response(body=b"{", headers={"Content-Length": "100"})]
    with pytest.raises(HereticError, match="no answer from the API server"):
        await cluster.read("nodes", "site-a", "n1")


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        cluster = await Cluster.connect(str(kubeconfig(tmp_path / "config", url)))
        with pytest.raises(HereticError, match=f"no answer from the API server {url}: Connect"):
            await cluster.identity()
        await cluster.close()


@pytest.mark.parametrize("body", [{"at": {1, 2}}, {"at": object()}])
async def test_a_mistake_of_ours_is_no_silence_of_the_server(
    cluster: Cluster, body: dict[str, object], server: ApiServer
) -> None:
    with pytest.raises((TypeError, AttributeError, ValueError)):
        await cluster.replace_status("nodes", {**NODE, "status": body})
    assert server.asked == []


async def test_a_put_on_a_dead_connection_is_repeated_and_then_a_conflict(server: ApiServer, cluster: Cluster) -> None:
    """The first one was stored, its answer lost; the second names a version that is gone."""
    await cluster.read("nodes", "site-a", "n1")
    server.answers = [cut, says(409, "the object has been modified")]
    with pytest.raises(ConflictError):
        await cluster.replace_status("nodes", NODE)
    assert [asked.method for asked in server.asked] == ["GET", "PUT", "PUT"]
    assert server.asked[1].body == server.asked[2].body
    assert server.asked[2].body["metadata"]["resourceVersion"] == "7"


@pytest.mark.parametrize("name", ["lease, new", "event", "annotate"])
async def test_nothing_else_is_sent_twice(server: ApiServer, cluster: Cluster, name: str) -> None:
    await cluster.read("nodes", "site-a", "n1")
    server.answers = [cut, gives(NODE)]
    with pytest.raises(HereticError, match="no answer"):
        await CALLS[name][0](cluster)
    assert len(server.asked) == 2


async def test_proxies_of_the_environment_are_not_used(
    server: ApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert await cluster.read("nodes", "site-a", "n1") == NODE
    url, session = await cluster.log_in()
    async with session, session.get(f"{url}/api") as answer:
        assert answer.status == 200


class TestTokensEnd:
    async def test_a_refused_token_is_read_again_and_the_request_repeated(
        self, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        path = kubeconfig(tmp_path / "config", server.url)
        connection = await Connection.open(str(path), None)
        kubeconfig(path, server.url, {"token": "second"})
        server.answers = [says(401, "Unauthorized"), gives(NODE)]

        assert await connection.request("GET", "/api", "asking") == NODE
        await connection.request("GET", "/api", "asking")

        assert [a.headers["Authorization"] for a in server.asked] == ["Bearer first", "Bearer second", "Bearer second"]
        await connection.close()

    async def test_many_refusals_at_once_read_once(
        self, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        logins = 0

        async def counted(*arguments: str | None) -> object:
            nonlocal logins
            logins += 1
            return await log_in(*arguments)

        log_in = credentials.log_in
        monkeypatch.setattr(credentials, "log_in", counted)
        connection = await Connection.open(str(kubeconfig(tmp_path / "config", server.url)), None)
        refused = 0

        def answer(request: web.Request) -> web.StreamResponse:
            nonlocal refused
            refused += 1
            return (says(401, "Unauthorized") if refused <= 5 else gives(NODE))(request)

        server.answers = [answer]
        await asyncio.gather(*(connection.request("GET", "/api", "asking") for _ in range(5)))

        assert logins == 2
        await connection.close()

    async def test_fresh_credentials_that_are_refused_are_not_read_in_a_circle(
        self, server: ApiServer, tmp_path: Path
    ) -> None:
        connection = await Connection.open(str(kubeconfig(tmp_path / "config", server.url)), None)
        server.answers = [says(401, "Unauthorized")]
        with pytest.raises(HereticError, match="log in again"):
            await connection.request("GET", "/api", "asking")
        assert len(server.asked) == 1
        await connection.close()

    async def test_a_kubeconfig_that_has_gone_is_told(
        self, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        path = kubeconfig(tmp_path / "config", server.url)
        connection = await Connection.open(str(path), None)
        path.unlink()
        server.answers = [says(401, "Unauthorized")]
        with pytest.raises(HereticError, match="there is no kubeconfig"):
            await connection.request("GET", "/api", "asking")
        await connection.close()

    async def test_a_request_under_way_keeps_its_connection(
        self, server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Credentials change while another request waits for its answer."""
        monkeypatch.setattr(module, "RENEW_PAUSE", 0.0)
        connection = await Connection.open(str(kubeconfig(tmp_path / "config", server.url)), None)
        arrived, free = asyncio.Event(), asyncio.Event()

        async def hold() -> None:
            arrived.set()
            await free.wait()

        server.slow = hold
        waiting = asyncio.create_task(connection.request("GET", "/api", "asking"))
        await arrived.wait()
        server.slow = None
        server.answers = [says(401, "Unauthorized"), gives(NODE)]
        await connection.request("GET", "/api", "asking")
        free.set()
        assert await waiting == NODE
        await connection.close()


async def test_a_session_for_kopf_carries_the_same_credentials(server: ApiServer, cluster: Cluster) -> None:
    url, session = await cluster.log_in()
    async with session, session.get(f"{url}/api") as answer:
        assert answer.status == 200
    assert server.asked[0].headers["Authorization"] == "Bearer first"


async def test_a_name_of_the_certificate_that_kopf_cannot_be_told(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", server.url, None, {"tls-server-name": "kubernetes"})
    cluster = await Cluster.connect(str(path))
    with pytest.raises(HereticError, match="tls-server-name"):
        await cluster.log_in()
    await cluster.close()
