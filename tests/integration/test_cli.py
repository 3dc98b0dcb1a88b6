"""The heretic command against a real API server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from heretic.cli.offline import read_manifests
from integration.heretic_command import PROGRAM, run_heretic
from lab.apiproxy import ApiProxy
from lab.controlplane import ControlPlane

SITE = """
apiVersion: hvp.ovirt.life/v1alpha1
kind: Site
metadata: {name: demo}
spec: {}
---
apiVersion: hvp.ovirt.life/v1alpha1
kind: Node
metadata: {name: node1}
spec: {address: 192.0.2.1, ssh: {port: 9}}
---
apiVersion: hvp.ovirt.life/v1alpha1
kind: GlusterVolume
metadata: {name: vmstore}
spec: {purpose: VirtualMachines, size: 10Gi, deletionPolicy: Destroy}
"""
PLAN = {
    "hash": "0123456789abcdef",
    "needsApproval": True,
    "steps": [{"verb": "DeleteVolume", "target": "node1", "risk": "Destructive", "why": "asked for by a test"}],
}


class Command:
    """Runs heretic for one namespace."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """Runs a command and returns what it wrote; fails when it ends otherwise or with a traceback."""
        done = run_heretic(self.kubeconfig, "-n", self.namespace, *arguments, status=status)
        return done.stdout if status == 0 else done.stdout + done.stderr


@pytest.fixture
def heretic(control_plane: ControlPlane, namespace: str) -> Command:
    control_plane.kubectl("apply", "--server-side", "-n", namespace, "-f", "-", input=SITE)
    # An API server answers 429 for a kind that it has just learned; kubectl waits for it.
    control_plane.kubectl("get", "hvp", "-n", namespace)
    return Command(control_plane.kubeconfig, namespace)


def set_status(control_plane: ControlPlane, namespace: str, target: str, status: dict[str, object]) -> None:
    patch = json.dumps({"status": {"observedGeneration": 1, **status}})
    control_plane.kubectl("patch", target, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)


class TestStatus:
    def test_of_a_site_that_no_operator_has_seen(self, heretic: Command) -> None:
        shown = heretic("status")
        assert "Site demo in namespace" in shown
        assert shown.count("Pending") == 6
        assert "the operator has not looked at this spec yet" in shown

    def test_as_data(self, heretic: Command) -> None:
        data = json.loads(heretic("status", "-o", "json"))
        assert (data["site"], [n["name"] for n in data["nodes"]]) == ("demo", ["node1"])

    def test_of_a_namespace_without_objects(self, control_plane: ControlPlane) -> None:
        said = Command(control_plane.kubeconfig, "default")("status", status=1)
        assert said == "heretic: namespace default has no objects of Heretic; give another one with --namespace\n"

    def test_while_the_api_server_is_away(self, heretic: Command, api_proxy: ApiProxy) -> None:
        through = Command(api_proxy.kubeconfig(), heretic.namespace)
        assert "Site demo" in through("status")
        with api_proxy.outage():
            said = through("status", status=1)
        assert said.startswith("heretic: ")
        assert "no answer from the API server" in said
        assert said.count("\n") == 1


class TestPlan:
    def test_of_a_host_that_does_not_answer_is_incomplete_and_writes_nothing(
        self, heretic: Command, control_plane: ControlPlane
    ) -> None:
        before = control_plane.kubectl("get", "hvp", "-n", heretic.namespace, "-o", "yaml").stdout
        said = heretic("plan", status=1)
        assert "needs you: Secret heretic-ssh" in said
        assert "the plan is incomplete without node1" in said
        assert control_plane.kubectl("get", "hvp", "-n", heretic.namespace, "-o", "yaml").stdout == before

    def test_manifests_keep_what_the_cluster_has_recorded(
        self, heretic: Command, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        storage = {"nodes": ["node1"], "arbiter": "", "dataDiskCount": 1}
        set_status(control_plane, heretic.namespace, "site/demo", {"storage": storage})
        (tmp_path / "site.yaml").write_text(SITE)
        said = heretic("plan", "-f", str(tmp_path), status=1)
        assert "storage nodes, in order: node1" in said
        alone = heretic("plan", "-f", str(tmp_path), "--offline", status=1)
        assert "storage nodes, in order" not in alone


class TestApprove:
    def annotation(self, control_plane: ControlPlane, namespace: str) -> str:
        path = r"jsonpath={.metadata.annotations.hvp\.ovirt\.life/approve}"
        return control_plane.kubectl("get", "gvol/vmstore", "-n", namespace, "-o", path).stdout

    def test_of_the_pending_plan(self, heretic: Command, control_plane: ControlPlane) -> None:
        set_status(control_plane, heretic.namespace, "gvol/vmstore", {"plan": PLAN})
        shown = heretic("approve", "gvol/vmstore", "0123456789abcdef", "--yes")
        assert "DeleteVolume on node1" in shown
        assert self.annotation(control_plane, heretic.namespace).startswith("0123456789abcdef.")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["gvol/vmstore", "feedfeedfeedfeed", "--yes"], "waits for the approval of plan 0123456789abcdef"),
            (["gvol/vmstore"], "nobody is there to answer"),
            (["hnode/node1"], "has no plan that waits for approval"),
            (["gvol/other"], "GlusterVolume other does not exist"),
        ],
    )
    def test_is_refused(self, heretic: Command, control_plane: ControlPlane, arguments: list[str], said: str) -> None:
        set_status(control_plane, heretic.namespace, "gvol/vmstore", {"plan": PLAN})
        assert said in heretic("approve", *arguments, status=1)
        assert self.annotation(control_plane, heretic.namespace) == ""


def test_kubectl_finds_it_as_a_plugin(control_plane: ControlPlane, heretic: Command) -> None:
    kubectl = control_plane.binaries.kubectl
    environment = os.environ | {
        "KUBECONFIG": str(control_plane.kubeconfig),
        "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}",
    }
    shown = subprocess.run(
        [str(kubectl), "heretic", "status", "-n", heretic.namespace],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=True,
    )
    assert "Site demo" in shown.stdout


def test_a_kustomization_is_evaluated_by_kubectl(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without kubectl: tests/unit/cli/test_manifest_files.py."""
    monkeypatch.setenv("PATH", str(control_plane.binaries.kubectl.parent), prepend=os.pathsep)
    base = tmp_path / "base"
    base.mkdir()
    site, node, _ = SITE.split("---")
    (base / "node.yaml").write_text(node)
    (base / "kustomization.yaml").write_text("resources: [node.yaml]\n")
    (tmp_path / "site.yaml").write_text(site)
    (tmp_path / "kustomization.yaml").write_text("namespace: demo\nresources: [site.yaml, base]\nnamePrefix: my-\n")
    found = read_manifests([str(tmp_path)], "site").objects
    assert sorted((o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]) for o in found) == [
        ("Node", "demo", "my-node1"),
        ("Site", "demo", "my-demo"),
    ]
