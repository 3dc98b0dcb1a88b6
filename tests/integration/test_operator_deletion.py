"""Deletion with finalizers: what is left alone, what waits for an approval, and that it always comes to an end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from integration.operator_process import RESYNC, RunningSite, converged_hosts, running_site
from lab.controlplane import ControlPlane


@pytest.fixture
def site(control_plane: ControlPlane, tmp_path: Path) -> Iterator[RunningSite]:
    """A site that an operator keeps."""
    with running_site(control_plane, tmp_path, converged_hosts()) as running:
        running.apply()
        running.start_operator()
        running.wait_ready()
        yield running


def approve(site: RunningSite, target: str, digest: str) -> str:
    """What a person does who has read the plan."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "heretic"), "-n", site.namespace, "approve", target, digest, "--yes"],
        env=os.environ | {"KUBECONFIG": str(site.control_plane.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_objects_go_in_the_order_of_their_use_and_leave_the_hosts_alone(site: RunningSite) -> None:
    before = site.hosts.state()
    site.kubectl("delete", "hnode/node1", "site/demo", "--wait=false")
    for target in ("hnode/node1", "site/demo"):
        site.wait(f"{target} says why it stays", partial(site.says, target, "DeletionBlocked", "True"))
    blocked = site.condition("hnode/node1", "DeletionBlocked")
    assert blocked["reason"] == "DependentsExist"
    assert "GlusterVolume engine, GlusterVolume vmstore" in blocked["message"]
    assert "Node node2" in site.condition("site/demo", "DeletionBlocked")["message"]

    site.kubectl("delete", "gvol", "--all", "--timeout=60s")
    site.wait("the node goes once no volume uses it", lambda: not site.exists("hnode/node1"))
    assert site.exists("site/demo"), "nodes are left"
    site.kubectl("delete", "hnode", "--all", "--timeout=60s")
    site.kubectl("delete", "hnet", "--all", "--timeout=60s")
    site.wait("everything is gone", lambda: site.objects() == [])
    assert site.hosts.state() == before
    assert site.hosts.effects == []


def test_destroying_a_volume_waits_for_its_approval_and_uses_it_up(site: RunningSite) -> None:
    site.patch("gvol/vmstore", {"deletionPolicy": "Destroy"})
    site.wait_ready()
    site.kubectl("delete", "gvol/vmstore", "--wait=false")
    waiting = partial(site.says, "gvol/vmstore", "DeletionBlocked", "True", "WaitingForApproval")
    site.wait("the volume waits for an approval", waiting)
    time.sleep(RESYNC)
    assert site.hosts.effects == []
    approved: list[str] = []

    def carried_out() -> bool:
        volume = site.find("gvol/vmstore")
        plan = volume["status"].get("plan") if volume else None
        return volume is None or bool(plan and plan.get("needsApproval") and plan["hash"] not in approved)

    while leaving := site.find("gvol/vmstore"):
        digest = leaving["status"]["plan"]["hash"]
        assert digest not in approved, "an approval must be of use only once"
        approve(site, "gvol/vmstore", digest)
        approved.append(digest)
        site.wait("the approved plan was carried out", carried_out)
    volume = [argv[argv.index("volume") + 1 :][:2] for _, argv in site.hosts.effects if "volume" in argv]
    assert volume == [("stop", "vmstore"), ("delete", "vmstore")]
    assert set(site.hosts.pool.volumes) == {"engine"}
    assert site.hosts.refusals == []
    site.wait_ready()


def test_what_was_deleted_while_no_operator_ran_goes_when_one_starts(site: RunningSite) -> None:
    site.kill_operator()
    site.end_lease()
    site.kubectl("delete", "gvol/vmstore", "--wait=false")
    time.sleep(RESYNC)
    assert site.exists("gvol/vmstore"), "its finalizer must hold it"
    site.start_operator()
    site.wait("it is gone", lambda: not site.exists("gvol/vmstore"))
    assert site.hosts.effects == []
    assert set(site.hosts.pool.volumes) == {"engine", "vmstore"}


CRDS = Path(__file__).parents[2] / "crds"
BOUNDS = frozenset(
    {"x-kubernetes-validations", "enum", "pattern", "format", "minLength", "maxLength", "minimum", "maximum"}
)
NO_LONGER_TAKEN: dict[str, tuple[dict[str, Any], str]] = {
    "hnode/node3": ({"address": "localhost"}, "disks"),
    "gvol/vmstore": ({"options": [{"name": "cluster.self-heal-daemon", "value": "off"}]}, "volumeId"),
}
"""What an earlier version may have let in: object → (a change of its spec, what its status records)."""


def loosened(schema: Any) -> Any:
    """The same schema without what refuses a value for its content."""
    if isinstance(schema, dict):
        return {key: loosened(value) for key, value in schema.items() if key not in BOUNDS}
    return [loosened(item) for item in schema] if isinstance(schema, list) else schema


@contextmanager
def looser_schema(site: RunningSite, *crds: str) -> Iterator[None]:
    """The API server of another version, which takes nearly everything; today's again afterwards."""
    kubectl = site.control_plane.kubectl
    try:
        for name in crds:
            crd = json.loads(kubectl("get", "crd", name, "-o", "json").stdout)
            for version in crd["spec"]["versions"]:
                version["schema"] = loosened(version["schema"])
            kubectl("replace", "-f", "-", input=json.dumps(crd))
        yield
    finally:
        kubectl("apply", "--server-side", "--force-conflicts", f"--kustomize={CRDS}")


def test_what_an_older_schema_let_in_keeps_what_its_status_records_and_can_be_deleted(site: RunningSite) -> None:
    recorded = {target: site.get(target)["status"][field] for target, (_, field) in NO_LONGER_TAKEN.items()}

    def taken(target: str, spec: dict[str, Any], *arguments: str) -> bool:
        return "patched" in site.kubectl(
            "patch", target, "--type=merge", "-p", json.dumps({"spec": spec}), *arguments, check=False
        )

    def refused(target: str, spec: dict[str, Any]) -> bool:
        return not taken(target, spec, "--dry-run=server")

    with looser_schema(site, "nodes.hvp.ovirt.life", "glustervolumes.hvp.ovirt.life"):
        for target, (spec, _) in NO_LONGER_TAKEN.items():
            site.wait(f"the looser schema takes {target}", partial(taken, target, spec))
    for target, (spec, field) in NO_LONGER_TAKEN.items():
        other = {"hnode/node3": "hnode/node2", "gvol/vmstore": "gvol/engine"}[target]
        site.wait(f"today's refuses {spec}", partial(refused, other, spec))
        site.wait(f"{target} is not understood", partial(site.says, target, "Stalled", "True", "InvalidSpec"))
        assert site.get(target)["status"][field] == recorded[target]
    site.kubectl("delete", *NO_LONGER_TAKEN, "--wait=false")
    site.wait("the volume goes, and its data stays", lambda: not site.exists("gvol/vmstore"))
    site.wait("the node waits for whom it serves", partial(site.says, "hnode/node3", "DeletionBlocked", "True"))
    assert site.get("hnode/node3")["status"]["disks"] == recorded["hnode/node3"]
    site.kubectl("delete", "gvol", "--all", "--timeout=60s")
    site.wait("the node goes", lambda: not site.exists("hnode/node3"))
    assert site.hosts.effects == []
    assert set(site.hosts.pool.volumes) == {"engine", "vmstore"}


def namespace_goes(site: RunningSite, seconds: float) -> None:
    site.control_plane.kubectl("delete", "namespace", site.namespace, "--wait=false")
    gone = ("get", "namespace", site.namespace, "--ignore-not-found", "-o", "name")
    site.wait("the namespace is gone", lambda: site.control_plane.kubectl(*gone).stdout == "", seconds)
    assert site.hosts.effects == []


def test_a_namespace_goes_after_its_objects(site: RunningSite) -> None:
    site.kubectl("delete", "hvp", "--all", "--timeout=60s")
    namespace_goes(site, 60)


def test_a_namespace_goes_that_loses_the_operators_key_and_rights_first(site: RunningSite) -> None:
    site.kubectl("delete", "rolebinding/heretic", "secret/heretic-ssh")
    namespace_goes(site, 60)
