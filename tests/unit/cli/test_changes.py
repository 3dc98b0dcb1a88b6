"""What applying manifests would change, and when that is refused."""

from typing import Any

import pytest

from heretic.cli.changes import (
    Change,
    differences,
    kept_stopped,
    refusal,
    refuse_newer,
    refuse_what_ends,
    version_of,
)
from heretic.domain.errors import HereticError

Object = dict[str, Any]


def deployment(image: str = "localhost/heretic-operator:0.1.0", **spec: Any) -> Object:
    template = {"spec": {"containers": [{"name": "operator", "image": image}]}}
    metadata = {"name": "heretic-operator", "namespace": "heretic-system"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template, **spec}}


def crd(*versions: str, stored: tuple[str, ...] = ()) -> Object:
    return {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "sites.hvp.ovirt.life"},
        "spec": {"versions": [{"name": version} for version in versions]},
        "status": {"storedVersions": list(stored)},
    }


class TestDifferences:
    def test_what_the_api_server_keeps_does_not_count(self) -> None:
        stored = deployment()
        would = deployment() | {"status": {"replicas": 1}}
        would["metadata"] = {**would["metadata"], "resourceVersion": "9", "generation": 4, "managedFields": [{}]}
        assert differences(stored, would) == ()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"spec": {"replicas": 1}}, "spec.replicas: nothing → 1"),
            ({"spec": {"text": "x" * 61}}, "spec.text"),
            ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels.a: nothing → b"),
            ({"metadata": {"annotations": {"a": "b"}}}, "metadata.annotations.a: nothing → b"),
            ({"rules": [{"verbs": ["get"]}]}, "rules[0].verbs[0]: list → get"),
            ({"rules": [{"verbs": ["list", "get"]}]}, "rules[0].verbs"),
        ],
    )
    def test_a_field_is_named_with_its_values_where_these_are_short(self, change: Object, said: str) -> None:
        stored: Object = {"kind": "Role", "metadata": {"name": "one"}, "spec": {}, "rules": [{"verbs": ["list"]}]}
        assert differences(stored, stored | change) == (said,)


class TestNewer:
    @pytest.mark.parametrize(
        ("tag", "version"),
        [
            ("localhost/heretic-operator:0.1.0", "0.1.0"),
            ("registry:5000/heretic-operator:12.0", "12.0"),
            ("localhost/heretic-operator:latest", ""),
            ("registry:5000/heretic-operator", ""),
            ("heretic-operator@sha256:0123", ""),
            ("", ""),
        ],
    )
    def test_the_version_of_an_operator_is_the_tag_of_its_image(self, tag: str, version: str) -> None:
        assert version_of(deployment(tag)) == version

    @pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1", "latest"])
    def test_the_same_or_an_older_operator_can_be_brought_to_this_version(self, version: str) -> None:
        refuse_newer(deployment(f"localhost/heretic-operator:{version}"), "0.1.0")

    @pytest.mark.parametrize("version", ["0.1.1", "0.2.0", "0.10.0", "1.0"])
    def test_a_later_operator_is_not(self, version: str) -> None:
        with pytest.raises(HereticError, match=f"is of version {version}, and this heretic is of 0.1.0: use the later"):
            refuse_newer(deployment(f"localhost/heretic-operator:{version}"), "0.1.0")

    @pytest.mark.parametrize(
        ("stored", "other"),
        [
            (crd("v1alpha1", "v1beta1"), "v1beta1"),
            (crd("v1"), "v1"),
            (crd("v1alpha1", stored=("v1alpha1", "v1")), "v1"),
        ],
    )
    def test_crds_with_a_version_that_is_not_known_here_are_left_alone(self, stored: Object, other: str) -> None:
        with pytest.raises(HereticError, match=f"has version {other}, and this heretic 0.1.0 speaks v1alpha1 only"):
            refuse_newer(stored, "0.1.0")

    def test_crds_of_this_version_are_no_obstacle(self) -> None:
        refuse_newer(crd("v1alpha1", stored=("v1alpha1",)), "0.1.0")


def test_an_object_that_is_being_deleted_is_waited_for() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "home"}}
    refuse_what_ends(namespace)
    with pytest.raises(HereticError, match="Namespace home is being deleted: wait until it is gone"):
        refuse_what_ends({**namespace, "metadata": {"name": "home", "deletionTimestamp": "2026-01-01T00:00:00Z"}})


def test_an_operator_that_a_person_stopped_is_not_started() -> None:
    wanted = deployment(replicas=1, paused=False)
    assert kept_stopped(wanted, deployment(replicas=1)) == wanted
    assert "replicas" not in kept_stopped(wanted, deployment(replicas=0))["spec"]
    assert kept_stopped(wanted, deployment(replicas=0))["spec"]["paused"] is False


def test_a_refusal_names_objects_fields_and_who_wrote_them_and_counts_the_rest() -> None:
    stored = deployment()
    entries = [("kubectl", ""), ("heretic-bootstrap", ""), ("kube-controller-manager", "status"), ("ann", "")]
    stored["metadata"]["managedFields"] = [{"manager": name, "subresource": part} for name, part in entries]
    change = Change(deployment(), stored, ("spec.a: 1 → 2", "spec.b", "spec.c", "spec.d"))
    untold = Change({"kind": "ClusterRole", "metadata": {"name": "heretic"}}, {"metadata": {}}, ("rules",))

    assert refusal([change, untold]) == (
        "Deployment heretic-operator in namespace heretic-system (spec.a: 1 → 2, spec.b, spec.c, …; "
        "written by ann, kubectl); ClusterRole heretic (rules)"
    )
    assert refusal([untold] * 5).endswith("ClusterRole heretic (rules); and 2 more")
