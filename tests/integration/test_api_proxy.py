"""The proxy before the API server is transparent without faults, and injects those it is told."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import yaml

from lab.apiproxy import ApiProxy
from lab.apirequest import WRITES, parse, to
from lab.controlplane import ControlPlane, ControlPlaneError

Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(control_plane: ControlPlane, api_proxy: ApiProxy, namespace: str) -> Kubectl:
    """kubectl in the test's namespace, through the proxy."""
    kubeconfig = api_proxy.kubeconfig()

    def run(*args: str) -> str:
        return control_plane.kubectl(*args, f"--namespace={namespace}", kubeconfig=kubeconfig).stdout

    return run


@asynccontextmanager
async def watching(control_plane: ControlPlane, proxy: ApiProxy, namespace: str) -> AsyncIterator[Any]:
    """A function that returns the next event of a watch on ConfigMaps through the proxy, None at its end."""
    config = yaml.safe_load(proxy.kubeconfig().read_text())
    trust = ssl.create_default_context(cafile=control_plane.serving_certificate)
    url = f"{proxy.url}/api/v1/namespaces/{namespace}/configmaps?watch=1&fieldSelector=metadata.name%3Dwatched"
    headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
    connector = aiohttp.TCPConnector(ssl=trust)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, headers=headers) as response,
    ):

        async def event() -> dict[str, Any] | None:
            line = await asyncio.wait_for(response.content.readline(), timeout=10)
            return json.loads(line) if line else None

        yield event
    await asyncio.sleep(0.1)  # aiohttp closes TLS connections a little after their session


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/readyz", {}, ("get", "", "", "", "", "")),
        ("GET", "/api/v1/namespaces/a", {}, ("get", "", "namespaces", "a", "a", "")),
        ("PUT", "/api/v1/namespaces/a/finalize", {}, ("update", "", "namespaces", "a", "a", "finalize")),
        ("GET", "/api/v1/namespaces/a/secrets", {"watch": "true"}, ("watch", "", "secrets", "a", "", "")),
        ("GET", "/apis/x.org/v1/things", {"watch": "false"}, ("list", "x.org", "things", "", "", "")),
        (
            "PATCH",
            "/apis/x.org/v1/namespaces/a/things/b/status",
            {},
            ("patch", "x.org", "things", "a", "b", "status"),
        ),
        ("DELETE", "/apis/x.org/v1/namespaces/a/things", {}, ("deletecollection", "x.org", "things", "a", "", "")),
    ],
)
def test_requests_are_read_as_rbac_reads_them(
    method: str, path: str, query: dict[str, str], expected: tuple[str, ...]
) -> None:
    read = parse(method, path, query, agent="", body=b"")

    assert (read.verb, read.group, read.resource, read.namespace, read.name, read.subresource) == expected


def test_transparent_without_faults(api_proxy: ApiProxy, kubectl: Kubectl, namespace: str) -> None:
    kubectl("create", "configmap", "notes", "--from-literal=a=b")

    assert kubectl("get", "configmap", "notes", "-o=jsonpath={.data.a}") == "b"
    (write,) = filter(to(verb=WRITES), api_proxy.requests)
    assert (write.verb, write.resource, write.namespace, write.status) == ("create", "configmaps", namespace, 201)


@pytest.mark.parametrize(("status", "message"), [(409, "AlreadyExists"), (500, "InternalError")])
def test_answers_in_place_of_the_server(api_proxy: ApiProxy, kubectl: Kubectl, status: int, message: str) -> None:
    fault = api_proxy.answer(status, where=to("configmaps", verb="create"))

    with pytest.raises(ControlPlaneError, match=f"injected by the test: {status} {message}"):
        kubectl("create", "configmap", "notes")
    assert fault.hits == 1
    kubectl("create", "configmap", "notes")  # the server has not seen the first one


def test_client_waits_and_retries_when_told_so(api_proxy: ApiProxy, kubectl: Kubectl) -> None:
    fault = api_proxy.answer(429, where=to("configmaps", verb="create"), retry_after=1)

    kubectl("create", "configmap", "notes")

    assert fault.hits == 1


def test_lost_request_and_lost_reply(api_proxy: ApiProxy, kubectl: Kubectl) -> None:
    api_proxy.lose_request(where=to("configmaps", verb="create"))
    with pytest.raises(ControlPlaneError, match=r"EOF|reset"):
        kubectl("create", "configmap", "unseen")
    assert "unseen" not in kubectl("get", "configmaps", "-o=name")

    api_proxy.lose_reply(where=to("configmaps", verb="create"))
    with pytest.raises(ControlPlaneError, match=r"EOF|reset"):
        kubectl("create", "configmap", "done")
    assert "done" in kubectl("get", "configmaps", "-o=name")


def test_delay(api_proxy: ApiProxy, kubectl: Kubectl) -> None:
    delay = api_proxy.delay(1.0, where=to("configmaps"))
    began = time.monotonic()
    kubectl("get", "configmaps")
    assert time.monotonic() - began > 1

    delay.stop()
    began = time.monotonic()
    kubectl("get", "configmaps")
    assert time.monotonic() - began < 1


def test_outage(api_proxy: ApiProxy, kubectl: Kubectl) -> None:
    with api_proxy.outage(), pytest.raises(ControlPlaneError, match="refused"):
        kubectl("get", "configmaps")

    kubectl("get", "configmaps")


async def test_watch_passes_events_as_they_come_and_loses_those_it_is_told(
    control_plane: ControlPlane, api_proxy: ApiProxy, namespace: str
) -> None:
    async with watching(control_plane, api_proxy, namespace) as event:
        control_plane.kubectl("create", "configmap", "watched", "-n", namespace)
        assert (await event())["type"] == "ADDED"

        dropped = api_proxy.drop_events(lambda event: event["type"] == "MODIFIED", times=1)
        for value in ("1", "2"):
            control_plane.kubectl("label", "--overwrite", "configmap", "watched", f"step={value}", "-n", namespace)
        assert (await event())["object"]["metadata"]["labels"] == {"step": "2"}
        assert dropped.hits == 1

        late = api_proxy.delay_events(1.0, lambda event: event["type"] == "DELETED")
        control_plane.kubectl("delete", "configmap", "watched", "-n", namespace)
        began = time.monotonic()
        assert (await event())["type"] == "DELETED"
        assert time.monotonic() - began > 0.7
        assert late.hits == 1


async def test_watch_expires(control_plane: ControlPlane, api_proxy: ApiProxy, namespace: str) -> None:
    async with watching(control_plane, api_proxy, namespace) as event:
        assert api_proxy.expire_watches(where=to("configmaps", namespace=namespace)) == 1
        error = await event()
        assert (error["type"], error["object"]["code"], error["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert await event() is None

    api_proxy.answer(410, where=to(verb="watch"))
    async with watching(control_plane, api_proxy, namespace) as event:
        assert (await event())["object"]["code"] == 410


@pytest.mark.parametrize("how", ["proxy cut", "server killed"])
async def test_broken_watch_is_seen_to_be_broken(
    control_plane: ControlPlane, api_proxy: ApiProxy, namespace: str, how: str
) -> None:
    async with watching(control_plane, api_proxy, namespace) as event:
        if how == "proxy cut":
            api_proxy.cut()
        else:
            control_plane.kill_apiserver()
            control_plane.start_apiserver()
        with pytest.raises(aiohttp.ClientError):
            await event()
