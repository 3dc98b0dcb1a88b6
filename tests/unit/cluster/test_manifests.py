"""Whole objects of any kind: where the API server keeps them, and what a write says of itself."""

from typing import Any

import pytest

from heretic.cluster.client import Cluster
from heretic.cluster.manifests import APPLY_PATCH, MANAGER, path_of, title_of
from heretic.domain.errors import HereticError
from unit.cluster.api_server import Answer, ApiServer, gives, says

ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "heretic", "namespace": "home"},
}
PATH = "/apis/rbac.authorization.k8s.io/v1/namespaces/home/roles/heretic"


@pytest.fixture
def answers() -> list[Answer]:
    return [gives(ROLE)]


@pytest.mark.parametrize(
    ("version", "kind", "namespace", "path"),
    [
        ("v1", "Namespace", "", "/api/v1/namespaces/one"),
        ("v1", "Secret", "home", "/api/v1/namespaces/home/secrets/one"),
        ("networking.k8s.io/v1", "NetworkPolicy", "a", "/apis/networking.k8s.io/v1/namespaces/a/networkpolicies/one"),
        ("scheduling.k8s.io/v1", "PriorityClass", "", "/apis/scheduling.k8s.io/v1/priorityclasses/one"),
        ("v1", "Service", "a/b", "/api/v1/namespaces/a%2Fb/services/one"),
    ],
)
def test_where_an_object_is_kept(version: str, kind: str, namespace: str, path: str) -> None:
    metadata = {"name": "one", "namespace": namespace} if namespace else {"name": "one"}
    assert path_of({"apiVersion": version, "kind": kind, "metadata": metadata}) == path


def test_an_object_is_named_with_its_namespace_where_it_has_one() -> None:
    assert title_of(ROLE) == "Role heretic in namespace home"
    assert title_of({"kind": "Namespace", "metadata": {"name": "home"}}) == "Namespace home"


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"force": False}, {"force": "false"}),
        ({"force": True}, {"force": "true"}),
        ({"force": True, "dry_run": True}, {"force": "true", "dryRun": "All"}),
    ],
)
async def test_applying_names_its_manager_and_forces_only_what_it_is_told_to(
    server: ApiServer, cluster: Cluster, asked: dict[str, Any], query: dict[str, str]
) -> None:
    await cluster.manifests.apply(ROLE, **asked)

    (seen,) = server.asked
    assert (seen.method, seen.path, seen.body) == ("PATCH", PATH, ROLE)
    assert seen.query == {"fieldManager": MANAGER, **query}
    assert seen.headers["Content-Type"] == APPLY_PATCH


async def test_creating_tells_whether_there_was_one_already(server: ApiServer, cluster: Cluster) -> None:
    assert await cluster.manifests.create(ROLE)
    server.answers = [says(409, 'roles "heretic" already exists')]
    assert not await cluster.manifests.create(ROLE)
    assert [(a.method, a.path) for a in server.asked] == [("POST", PATH.removesuffix("/heretic"))] * 2


async def test_what_does_not_exist_is_found_to_be_missing(server: ApiServer, cluster: Cluster) -> None:
    assert await cluster.manifests.find(ROLE) == ROLE
    server.answers = [says(404, "not found")]
    assert await cluster.manifests.find(ROLE) is None


@pytest.mark.parametrize("answer", [says(403, "forbidden: no"), says(422, "is invalid: no"), says(500, "no")])
async def test_a_refusal_names_the_object(server: ApiServer, cluster: Cluster, answer: Answer) -> None:
    server.answers = [answer]
    for call in (
        cluster.manifests.find(ROLE),
        cluster.manifests.apply(ROLE, force=True),
        cluster.manifests.create(ROLE),
    ):
        with pytest.raises(HereticError, match=r"Role heretic in namespace home: the API server answered HTTP .* no"):
            await call
