"""Manifests read from a file get the same answer as from the API server."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from heretic.api.parse import InvalidResourceError
from heretic.api.v1alpha1 import Mode, Node, Site
from heretic.api.v1alpha1.hosted_engine import Deployment
from heretic.api.v1alpha1.node import DiskSelection, Role
from heretic.domain.disks.steps import POOL
from heretic.kinds import KINDS
from wrong_manifests import SPECS, STRUCTURE, UNKNOWN_FIELDS, WRONG, Wrong, manifest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBoTp0Ey7FZJ3Zr5QSEfHzPZzoTIXQPJv0zvZ6VZnWmM"
SITES = Path(__file__).parents[3] / "manifests" / "sites"


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_manifest_is_refused_with_the_message_of_the_api_server(wrong: Wrong) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        KINDS.parse(wrong.kind, wrong.manifest())

    [problem] = refusal.value.problems
    path, _, message = problem.partition(": ")
    assert path == (wrong.path or "object")
    assert wrong.message in message
    assert str(refusal.value).startswith(f"{wrong.kind} {wrong.name}: ")


@pytest.mark.parametrize("wrong", STRUCTURE, ids=str)
def test_wrong_structure_is_refused_at_its_place(wrong: Wrong) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        KINDS.parse(wrong.kind, wrong.manifest())

    [problem] = refusal.value.problems
    assert problem.startswith(f"{wrong.path}: ")
    assert wrong.message in problem


@pytest.mark.parametrize("wrong", UNKNOWN_FIELDS, ids=str)
def test_unknown_field_is_refused(wrong: Wrong) -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        KINDS.parse(wrong.kind, wrong.manifest())

    assert refusal.value.problems == (f"{wrong.path}: there is no such field",)


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_least_spec_is_enough(kind: str) -> None:
    parsed = KINDS.parse(kind, manifest(kind, "least"))

    assert kind == parsed.KIND
    assert parsed.metadata.name == "least"


def test_all_wrong_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidResourceError) as refusal:
        KINDS.parse("Node", manifest("Node", "n", address="-", ssh={"port": 0}, roles=[]))

    assert [p.partition(":")[0] for p in refusal.value.problems] == ["spec.address", "spec.ssh.port", "spec.roles"]


@pytest.mark.parametrize(
    ("kind", "obj", "message"),
    [
        ("Pod", {}, "kind: must be one of Site, Node, Network, GlusterVolume"),
        ("Node", manifest("Node", "n") | {"apiVersion": "v1"}, "apiVersion: must be hvp.ovirt.life/v1alpha1, not 'v1'"),
        ("Node", {"metadata": {"name": "n"}}, "spec: Field required"),
        ("Node", {"spec": {"address": "n.example"}}, "metadata: Field required"),
        ("Node", {"metadata": None, "spec": []}, "metadata: Input should be"),
    ],
)
def test_what_is_not_ours_is_refused(kind: str, obj: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidResourceError, match=message.replace("(", r"\(")):
        KINDS.parse(kind, obj)


def test_defaults_are_those_of_the_api_server() -> None:
    node = KINDS.parse("Node", manifest("Node", "n"))
    site = KINDS.parse("Site", {"metadata": {"name": "s"}})

    assert isinstance(node, Node)
    assert isinstance(site, Site)
    assert (node.spec.mode, node.spec.roles, node.spec.disks.selection) == (None, [Role.STORAGE], DiskSelection.AUTO)
    assert (site.spec.mode, site.spec.ssh.credentials_ref.name) == (Mode.APPLY, "heretic-ssh")


def test_no_volume_has_the_name_of_the_thin_pool_beside_it() -> None:
    with pytest.raises(InvalidResourceError, match="not a name that is taken"):
        KINDS.parse("GlusterVolume", manifest("GlusterVolume", POOL))


@pytest.mark.parametrize("key", [KEY, f"{KEY} root@node1", "ssh-rsa AAAAB3NzaC1yc2E" + "A" * 355 + "=="])
def test_host_keys_are_taken_as_ssh_writes_them(key: str) -> None:
    node = KINDS.parse("Node", manifest("Node", "n", hostKeys=[key]))

    assert isinstance(node, Node)
    assert node.spec.host_keys == [key]


@pytest.mark.parametrize("status", [None, {}, {"writtenByALaterVersion": {"x": 1}, "observedGeneration": 3}])
def test_status_of_another_version_is_read(status: dict[str, Any] | None) -> None:
    node = KINDS.parse("Node", manifest("Node", "n") | {"status": status})

    assert isinstance(node, Node)
    assert node.status.observed_generation == (3 if status else -1)


def test_status_that_means_something_else_is_not_taken_for_an_empty_one() -> None:
    status = {"storage": {"nodes": "node1 node2 node3"}}

    with pytest.raises(InvalidResourceError, match=r"status\.storage\.nodes"):
        KINDS.parse("Site", manifest("Site", "s") | {"status": status})


def test_examples_are_read_and_complete() -> None:
    objects = [
        (path, obj)
        for path in sorted(SITES.glob("*/*.yaml"))
        for obj in yaml.safe_load_all(path.read_text())
        if obj["kind"] not in ("Kustomization", "Namespace")
    ]

    parsed = [KINDS.parse(obj["kind"], obj) for _, obj in objects]

    three = [type(p) for p, (path, _) in zip(parsed, objects, strict=True) if path.parent.name == "three-node"]
    assert [three.count(kind) for kind in KINDS.models] == [1, 3, 2, 3, 0, 0]


def test_every_way_to_an_engine_has_an_example_and_so_have_backup_and_upgrade() -> None:
    read = (obj for path in SITES.glob("*/*.yaml") for obj in yaml.safe_load_all(path.read_text()))
    specs = [obj["spec"] for obj in read if obj.get("kind") == "HostedEngine"]

    assert {spec["deployment"] for spec in specs} == {way.value for way in Deployment}
    assert {"backup", "upgrade"} <= {field for spec in specs for field in spec}


@pytest.mark.parametrize("folder", ["self-hosted-engine", "standalone-engine"])
def test_what_an_example_of_an_engine_refers_to_is_among_the_examples(folder: str) -> None:
    objects = [
        obj
        for path in (*(SITES / "three-node").glob("*.yaml"), *(SITES / folder).glob("*.yaml"))
        for obj in yaml.safe_load_all(path.read_text())
        if obj["kind"] in KINDS
    ]
    there = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    (engine,) = (KINDS.parse(obj["kind"], obj) for obj in objects if obj["kind"] == "HostedEngine")
    named = {(ref.kind.KIND, ref.name) for ref in KINDS["HostedEngine"].references(engine) if ref.name}

    assert named
    assert named <= there


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Node", {"address": "198.51.100.7", "addresses": [{"network": "gluster", "address": "10.0.0.1"}]}),
        ("Node", {"address": "localhosts.example"}),
        ("Network", {"subnet": "169.0.0.0/8"}),
        ("GlusterVolume", {"nodes": ["node1", "node2", "node3"]}),
        ("GlusterVolume", {"options": [{"name": "cluster.self-heal-daemon", "value": "ENABLE"}]}),
        ("GlusterVolume", {"options": [{"name": "cluster.heal-timeout", "value": "300"}]}),
        ("GlusterVolume", {"options": [{"name": "cluster.data-self-heal", "value": "off"}]}),
        ("GlusterVolume", {"options": [{"name": "cluster.eager-lock", "value": "off"}]}),
        ("GlusterVolume", {"options": [{"name": "network.ping-timeout", "value": "0.5min"}]}),
        ("GlusterVolume", {"options": [{"name": "storage.owner-uid", "value": "36"}]}),
        ("GlusterVolume", {"options": [{"name": "auth.allow", "value": "172.20.11.*"}]}),
        ("GlusterVolume", {"purpose": "SMBShare", "options": [{"name": "storage.owner-uid", "value": "1000"}]}),
        ("GlusterVolume", {"purpose": "ISO", "options": [{"name": "features.read-only", "value": "on"}]}),
    ],
)
def test_what_is_only_near_a_mistake_is_taken(kind: str, spec: dict[str, Any]) -> None:
    KINDS.parse(kind, manifest(kind, "near", **spec))
