"""The control plane of the lab behaves like the real thing where the other tests rely on it."""

import json
import os
import sys
import time
from pathlib import Path
from subprocess import run
from threading import Thread
from uuid import uuid4

import pytest
import yaml

from lab.controlplane import ControlPlane, ControlPlaneError


def test_versions_are_those_of_go_mod(control_plane: ControlPlane) -> None:
    versions = json.loads(control_plane.kubectl("version", "--output=json").stdout)

    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"] != "v0.0.0"


def test_namespace_is_deleted_with_what_it_holds(control_plane: ControlPlane) -> None:
    name = f"test-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("create", "configmap", "notes", "-n", name)

    control_plane.kubectl("delete", "namespace", name, "--timeout=30s")

    assert control_plane.kubectl("get", "namespace", name, check=False).returncode != 0


def test_dependents_go_with_their_owner(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "configmap", "owner", "-n", namespace)
    uid = control_plane.kubectl("get", "configmap", "owner", "-n", namespace, "-o=jsonpath={.metadata.uid}").stdout
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    dependent = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "dependent", "ownerReferences": [reference]},
    }
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=json.dumps(dependent))

    control_plane.kubectl("delete", "configmap", "owner", "-n", namespace)

    control_plane.kubectl("wait", "--for=delete", "configmap/dependent", "-n", namespace, "--timeout=30s")


def test_service_account_may_do_what_rbac_grants_and_no_more(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    control_plane.kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps", "-n", namespace)
    control_plane.kubectl(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader", "-n", namespace
    )
    kubeconfig = control_plane.create_service_account_kubeconfig(namespace, "reader")

    control_plane.kubectl("get", "configmaps", kubeconfig=kubeconfig)  # in its own namespace, by the kubeconfig

    for refused in (["get", "secrets"], ["get", "configmaps", "-n", "default"], ["create", "configmap", "new"]):
        with pytest.raises(ControlPlaneError, match=r"(?i)forbidden"):
            control_plane.kubectl(*refused, kubeconfig=kubeconfig)


def test_data_and_url_survive_a_killed_api_server(control_plane: ControlPlane, namespace: str) -> None:
    url = control_plane.url
    control_plane.kubectl("create", "configmap", "kept", "-n", namespace)

    control_plane.kill_apiserver()

    assert not control_plane.is_ready()
    assert control_plane.kubectl("get", "namespaces", check=False).returncode != 0
    starter = Thread(target=control_plane.start_apiserver)  # the server must outlive the thread that starts it
    starter.start()
    starter.join()
    control_plane.kubectl("get", "configmap", "kept", "-n", namespace)
    assert control_plane.url == url


def test_start_leaves_alone_what_runs(control_plane: ControlPlane) -> None:
    before = control_plane.processes()

    control_plane.start()
    ControlPlane(control_plane.state_dir).start()  # as another process would, that knows the folder only

    assert control_plane.processes() == before


def test_it_dies_with_its_parent_unless_detached_and_stops_from_anywhere(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, pathlib, lab.controlplane as lab\n"
        "lab.ControlPlane(pathlib.Path(sys.argv[1]), detached=sys.argv[2] == 'detached').start()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    plane = ControlPlane(tmp_path)

    run([sys.executable, "-c", script, tmp_path, "attached"], check=False, env=environment)
    deadline = time.monotonic() + 5
    while any(plane.processes().values()):
        assert time.monotonic() < deadline, plane.processes()
        time.sleep(0.05)

    run([sys.executable, "-c", script, tmp_path, "detached"], check=False, env=environment)
    try:
        assert plane.is_ready()
        assert None not in plane.processes().values()
    finally:
        plane.wipe()
    assert set(plane.processes().values()) == {None}


def test_kubeconfig_is_for_its_owner_only(control_plane: ControlPlane) -> None:
    assert control_plane.kubeconfig.stat().st_mode & 0o077 == 0
    assert yaml.safe_load(control_plane.kubeconfig.read_text())["clusters"][0]["cluster"]["server"] == control_plane.url
