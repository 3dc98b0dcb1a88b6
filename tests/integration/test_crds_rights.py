"""Who may do what, with the roles of manifests/operator: the operator, and people."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from lab.controlplane import ControlPlane

OPERATOR = Path(__file__).parents[2] / "manifests" / "operator"
ACCOUNT = "system:serviceaccount:heretic-system:heretic"
KINDS = ("sites", "nodes", "networks", "glustervolumes")
EVERY_VERB = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


class Access(NamedTuple):
    """One thing to do with the API."""

    verb: str
    resource: str
    """With its group after a dot, and a subresource after a slash."""
    name: str = ""


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace that the operator was let into, with people in all three roles."""
    name = f"site-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("apply", "--server-side", "-k", str(OPERATOR))
    control_plane.kubectl("apply", "--server-side", "-n", name, "-k", str(OPERATOR / "site-access"))
    for role in ("viewer", "site-operator", "site-admin"):
        binding = (role, f"--clusterrole=heretic-{role}", f"--user={role}", "-n", name)
        control_plane.kubectl("create", "rolebinding", *binding)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


def permitted(control_plane: ControlPlane, user: str, namespace: str, asked: Sequence[Access]) -> set[Access]:
    """What of it the API server would let somebody do."""
    reviews = [_review(user, namespace, access) for access in asked]
    answer = control_plane.kubectl(
        "create",
        "-f",
        "-",
        "-o",
        r'jsonpath={.status.allowed}{"\n"}',
        input=json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews}),
    )
    return {access for access, said in zip(asked, answer.stdout.split(), strict=True) if said == "true"}


def _review(user: str, namespace: str, access: Access) -> dict[str, object]:
    resource, _, subresource = access.resource.partition("/")
    resource, _, group = resource.partition(".")
    attributes = {"verb": access.verb, "group": group, "resource": resource, "subresource": subresource}
    attributes |= {"name": access.name, "namespace": namespace}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("part", "verbs"),
    [
        ("", {"get", "list", "watch", "patch"}),
        ("/status", {"update"}),
        ("/finalizers", set()),
    ],
)
def test_operator_may_do_its_work_in_a_site(
    control_plane: ControlPlane, site: str, kind: str, part: str, verbs: set[str]
) -> None:
    asked = [Access(verb, f"{kind}.hvp.ovirt.life{part}", "one") for verb in EVERY_VERB]

    assert {access.verb for access in permitted(control_plane, ACCOUNT, site, asked)} == verbs


def test_operator_may_nothing_else_in_a_site(control_plane: ControlPlane, site: str) -> None:
    leases = "leases.coordination.k8s.io"
    work = {
        Access("get", "secrets", "heretic-ssh"),
        Access("get", "secrets", "heretic-engine"),
        Access("create", "secrets"),
        Access("get", "secrets", "heretic-bmc"),
        Access("create", "events"),
        Access("patch", "events", "one"),
        Access("create", leases),
        Access("get", leases, "heretic-disruption"),
        Access("update", leases, "heretic-disruption"),
    }
    more = [
        Access("list", "secrets"),
        Access("watch", "secrets"),
        Access("get", "secrets", "other"),
        Access("update", "secrets", "heretic-ssh"),
        Access("update", "secrets", "heretic-engine"),
        Access("patch", "secrets", "heretic-engine"),
        Access("delete", "secrets", "heretic-engine"),
        Access("list", "events"),
        Access("update", leases, "other"),
        Access("delete", leases, "heretic-disruption"),
        Access("create", "pods"),
        Access("create", "pods/exec", "one"),
        Access("get", "configmaps", "one"),
        Access("create", "rolebindings.rbac.authorization.k8s.io"),
        Access("impersonate", "users", "ann"),
    ]

    assert permitted(control_plane, ACCOUNT, site, [*work, *more]) == work


def test_operator_may_only_let_objects_go_where_it_was_not_let_in(control_plane: ControlPlane, site: str) -> None:
    leases = "leases.coordination.k8s.io"
    lease = {Access("create", leases), *(Access(verb, leases, "heretic-operator") for verb in ("get", "update"))}
    release = {Access("get", "nodes.hvp.ovirt.life", "node1"), Access("patch", "nodes.hvp.ovirt.life", "node1")}
    more = [
        Access("create", "nodes.hvp.ovirt.life"),
        Access("delete", "nodes.hvp.ovirt.life", "node1"),
        Access("create", "events"),
        Access("get", "secrets", "heretic-ssh"),
        Access("list", "namespaces"),
        Access("list", "customresourcedefinitions.apiextensions.k8s.io"),
        Access("get", "nodes", "core"),
        Access("get", "namespaces", "default"),
    ]

    assert permitted(control_plane, ACCOUNT, "heretic-system", [*lease, *release, *more]) == lease | release
    assert permitted(control_plane, ACCOUNT, "default", [*lease, *release, *more]) == release


def test_operator_may_read_what_tells_its_cluster_from_others(control_plane: ControlPlane, site: str) -> None:
    asked = [Access(verb, "namespaces", "kube-system") for verb in EVERY_VERB]

    assert permitted(control_plane, ACCOUNT, "kube-system", asked) == {Access("get", "namespaces", "kube-system")}


@pytest.mark.parametrize(
    ("user", "verbs"),
    [
        ("viewer", {"get", "list", "watch"}),
        ("site-operator", {"get", "list", "watch", "create", "update", "patch"}),
        ("site-admin", {"get", "list", "watch", "create", "update", "patch", "delete"}),
    ],
)
def test_people_may_what_their_role_says(control_plane: ControlPlane, site: str, user: str, verbs: set[str]) -> None:
    volumes = "glustervolumes.hvp.ovirt.life"
    objects = [Access(verb, volumes, "one") for verb in EVERY_VERB]
    more = [Access("update", f"{volumes}/status", "one"), Access("get", "secrets", "heretic-ssh")]

    allowed = permitted(control_plane, user, site, [*objects, *more])

    assert allowed == {Access(verb, volumes, "one") for verb in verbs}
    assert permitted(control_plane, user, "default", objects) == set()
