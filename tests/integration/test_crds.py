"""What a user of kubectl meets: refusals to act on, defaults, columns, explanations."""

import json
from pathlib import Path
from typing import Any

import pytest

from lab.controlplane import ControlPlane
from wrong_manifests import SPECS, STRUCTURE, UNKNOWN_FIELDS, WRONG, Wrong, manifest

ROOT = Path(__file__).parents[2]


class Kubectl:
    """kubectl in one namespace."""

    def __init__(self, control_plane: ControlPlane, namespace: str) -> None:
        self._control_plane = control_plane
        self._namespace = namespace

    def __call__(self, *arguments: str, check: bool = True, obj: dict[str, Any] | None = None) -> str:
        text = None if obj is None else json.dumps(obj)
        done = self._control_plane.kubectl("-n", self._namespace, *arguments, input=text, check=check)
        return done.stdout if check else done.stdout + done.stderr

    def apply(self, obj: dict[str, Any]) -> str:
        """What is said, refused or not."""
        return self("apply", "--server-side", "-f", "-", obj=obj, check=False)


@pytest.fixture
def kubectl(control_plane: ControlPlane, namespace: str) -> Kubectl:
    return Kubectl(control_plane, namespace)


@pytest.fixture
def dry_run(control_plane: ControlPlane) -> Kubectl:
    """For what leaves nothing behind: needs no namespace of its own."""
    return Kubectl(control_plane, "default")


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_manifest_is_refused_in_words_to_act_on(dry_run: Kubectl, wrong: Wrong) -> None:
    said = dry_run("apply", "--server-side", "--dry-run=server", "-f", "-", obj=wrong.manifest(), check=False)

    assert f'The {wrong.kind} "{wrong.name}" is invalid' in said
    assert f"{wrong.path or '<nil>'}: Invalid value" in said
    assert wrong.message in said
    assert "no such key" not in said
    assert "evaluating rule" not in said


@pytest.mark.parametrize("wrong", STRUCTURE, ids=str)
def test_wrong_structure_is_refused_at_its_place(dry_run: Kubectl, wrong: Wrong) -> None:
    said = dry_run("create", "--dry-run=server", "-f", "-", obj=wrong.manifest(), check=False)

    assert f'The {wrong.kind} "{wrong.name}" is invalid' in said
    assert wrong.path in said
    assert wrong.message in said


@pytest.mark.parametrize("wrong", UNKNOWN_FIELDS, ids=str)
def test_unknown_field_is_refused(dry_run: Kubectl, wrong: Wrong) -> None:
    client_side = dry_run("apply", "-f", "-", obj=wrong.manifest(), check=False)
    server_side = dry_run.apply(wrong.manifest())

    assert f'unknown field "{wrong.path}"' in client_side
    assert f".{wrong.path}: field not declared in schema" in server_side


def test_least_spec_of_each_kind_is_enough_and_gets_defaults(kubectl: Kubectl) -> None:
    for kind in SPECS:
        assert "serverside-applied" in kubectl.apply(manifest(kind, "least"))

    node = json.loads(kubectl("get", "hnode", "least", "-o", "json"))
    site = json.loads(kubectl("get", "hsite", "least", "-o", "json"))

    assert node["spec"] == {
        "address": "172.20.10.11",
        "arbiter": "Auto",
        "configureLinks": False,
        "deletionPolicy": "Orphan",
        "disks": {"minimumSize": "100G", "selection": "Auto"},
        "maintenance": False,
        "paused": False,
        "roles": ["Storage"],
    }
    assert site["spec"]["domains"] == {"management": "mgmt.private", "storage": "gluster.private"}
    assert site["spec"]["ssh"] == {
        "credentialsRef": {"name": "heretic-ssh"},
        "hostKeyPolicy": "Pinned",
        "port": 22,
        "user": "root",
    }


def test_site_without_spec_gets_defaults(kubectl: Kubectl) -> None:
    site = manifest("Site", "bare")
    del site["spec"]

    kubectl.apply(site)

    assert json.loads(kubectl("get", "hsite", "bare", "-o", "json"))["spec"]["mode"] == "Apply"


def test_new_object_is_not_taken_for_healthy(kubectl: Kubectl) -> None:
    for kind in SPECS:
        kubectl.apply(manifest(kind, "new"))

    for obj in json.loads(kubectl("get", "hvp", "-o", "json"))["items"]:
        assert obj["status"] == {"observedGeneration": -1}
        assert obj["metadata"]["generation"] == 1


SAID = {"replicaCount": 3, "provisioning": "Thin", "volumeName": "data"}
"""What a volume may say from the start."""
SILENT: dict[str, Any] = {}
NO_RENAMING = "must not change: a Gluster volume cannot be renamed"
NAME_FROM_START = "`volumeName` must be set from the start or not at all"
COPIES = "`replicaCount` must not change once it is set"
THICKNESS = "`provisioning` must not change once it is set"


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in SAID.items() if name != field}


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("purpose", SAID, {**SAID, "purpose": "Backup"}, 'spec.purpose: Invalid value: "Backup": must not change'),
    ("smaller", SAID, {**SAID, "size": "499Gi"}, 'spec.size: Invalid value: "499Gi": must not become smaller'),
    ("smaller in another unit", SAID, {**SAID, "size": "500G"}, "must not become smaller"),
    ("name", SAID, {**SAID, "volumeName": "other"}, NO_RENAMING),
    ("name taken away", SAID, without("volumeName"), NAME_FROM_START),
    ("name added", SILENT, {"volumeName": "other"}, NAME_FROM_START),
    ("copies", SAID, {**SAID, "replicaCount": 1}, COPIES),
    ("copies taken away", SAID, without("replicaCount"), COPIES),
    ("provisioning", SAID, {**SAID, "provisioning": "Thick"}, THICKNESS),
    ("provisioning taken away", SAID, without("provisioning"), THICKNESS),
    ("larger", SAID, {**SAID, "size": "1Ti"}, ""),
    ("same size in another unit", SAID, {**SAID, "size": "512000Mi"}, ""),
    ("copies said later", SILENT, {"replicaCount": 3}, ""),
]


@pytest.mark.parametrize(("before", "after", "refusal"), [c[1:] for c in CHANGES], ids=[c[0] for c in CHANGES])
def test_change_of_a_volume(kubectl: Kubectl, before: dict[str, Any], after: dict[str, Any], refusal: str) -> None:
    kubectl.apply(manifest("GlusterVolume", "v", **before))

    said = kubectl.apply(manifest("GlusterVolume", "v", **after))

    if refusal:
        assert refusal in said
        assert "is invalid" in said
    else:
        assert said == "glustervolume.hvp.ovirt.life/v serverside-applied\n"


def test_what_gluster_knows_names_and_addresses_by_is_fixed(kubectl: Kubectl) -> None:
    kubectl.apply(manifest("Network", "n"))
    kubectl.apply(manifest("Site", "s"))

    assert 'spec.role: Invalid value: "LAN": must not change' in kubectl.apply(manifest("Network", "n", role="LAN"))
    moved = manifest("Site", "s", domains={"storage": "other.private"})
    assert "must not change: Gluster knows its peers and bricks by names in this domain" in kubectl.apply(moved)
    assert "serverside-applied" in kubectl.apply(manifest("Network", "n", subnet="172.20.12.0/24"))


@pytest.mark.parametrize("example", sorted(p.name for p in (ROOT / "manifests" / "sites").iterdir()))
def test_example_is_accepted(control_plane: ControlPlane, example: str) -> None:
    folder = ROOT / "manifests" / "sites" / example
    rendered = control_plane.kubectl("kustomize", str(folder)).stdout
    name = next(line.split()[-1] for line in rendered.splitlines() if line.strip().startswith("namespace:"))
    # Several examples are of one site, so of one namespace; nothing is left in it but itself.
    control_plane.kubectl("create", "namespace", name, check=False)

    said = control_plane.kubectl("apply", "--server-side", "--dry-run=server", "-k", str(folder)).stdout

    kinds = rendered.count("\nkind: ")
    assert len(said.splitlines()) == kinds
    assert rendered.count("kustomize.toolkit.fluxcd.io/prune: disabled") == kinds
    assert rendered.count("argocd.argoproj.io/sync-options: Prune=confirm,Delete=confirm") == kinds


def test_explain_teaches(dry_run: Kubectl) -> None:
    purpose = " ".join(dry_run("explain", "gvol.spec.purpose").split())
    kind = " ".join(dry_run("explain", "hnode").split())

    assert "What the volume is for; it decides owner, options, sharding, thick or thin bricks" in purpose
    assert "ENUM: Engine VirtualMachines ISO Lock SMBShare" in purpose
    assert "One physical host, which Heretic reaches over SSH as root." in kind


def test_get_tells_the_state_of_a_site_at_a_glance(kubectl: Kubectl) -> None:
    for kind in SPECS:
        kubectl.apply(manifest(kind, "one"))
    condition = {
        "type": "Ready",
        "status": "False",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-02T03:04:05Z",
        "reason": "BrickDown",
        "message": "node2: brick process is down",
    }
    status = {
        "conditions": [condition],
        "summary": "BrickDown: node2: brick process is down",
        "bricksUp": "2/3",
        "healPending": "17",
    }
    kubectl("patch", "gvol", "one", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))

    tables = kubectl("get", "hvp").split("\n\n")
    heads = {
        table.split()[0] and table.splitlines()[1].split("/")[0]: table.splitlines()[0].split() for table in tables
    }
    volume = next(table for table in tables if "glustervolume" in table).splitlines()[1].split()

    assert heads == {
        "fileshare.hvp.ovirt.life": ["NAME", "READY", "PROTOCOL", "VOLUME", "ADDRESSES", "SERVED", "AGE", "STATUS"],
        "glustervolume.hvp.ovirt.life": ["NAME", "READY", "PURPOSE", "SIZE", "BRICKS", "HEAL", "AGE", "STATUS"],
        "hostedengine.hvp.ovirt.life": ["NAME", "READY", "FQDN", "VERSION", "ENGINEUP", "AGE", "STATUS"],
        "network.hvp.ovirt.life": ["NAME", "READY", "ROLE", "SUBNET", "AGE", "STATUS"],
        "node.hvp.ovirt.life": ["NAME", "READY", "REACHABLE", "ADDRESS", "DISKSREADY", "AGE", "STATUS"],
        "site.hvp.ovirt.life": ["NAME", "READY", "AVAILABLE", "NODES", "VOLUMES", "AGE", "STATUS"],
    }
    assert volume[1:6] == ["False", "VirtualMachines", "500Gi", "2/3", "17"]
    assert volume[7:] == ["BrickDown:", "node2:", "brick", "process", "is", "down"]
    assert "BrickDown" in kubectl("get", "gvol", "one", "-o", "wide")


def test_volumes_can_be_selected_by_purpose(kubectl: Kubectl) -> None:
    kubectl.apply(manifest("GlusterVolume", "a"))
    kubectl.apply(manifest("GlusterVolume", "b", purpose="Backup"))

    assert kubectl("get", "gvol", "--field-selector=spec.purpose=Backup", "-o", "name").split() == [
        "glustervolume.hvp.ovirt.life/b"
    ]


@pytest.mark.parametrize(
    ("condition", "refusal"),
    [
        ({"type": "Ready", "status": "Maybe"}, "supported values"),
        ({"type": "Ready", "status": "True"}, "Required value"),
    ],
)
def test_status_that_would_lie_to_programs_is_refused(
    kubectl: Kubectl, condition: dict[str, str], refusal: str
) -> None:
    kubectl.apply(manifest("Node", "n"))
    patch = json.dumps({"status": {"conditions": [condition]}})

    said = kubectl("patch", "hnode", "n", "--subresource=status", "--type=merge", "-p", patch, check=False)

    assert refusal in said
