"""`heretic bootstrap` against a real API server, as a user runs it."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from heretic.cli.bundle import access_objects, operator_objects
from heretic.hosts.keys import new_private_key, public_line
from integration.heretic_command import run_heretic
from lab.controlplane import ControlPlane

MANIFESTS = Path(__file__).parents[2] / "manifests"
OPERATOR = ("-n", "heretic-system", "deployment/heretic-operator")
SITES_CRD = "crd/sites.hvp.ovirt.life"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[ControlPlane]:
    """A cluster in which nothing was installed yet."""
    with ControlPlane(tmp_path / "empty") as plane:
        yield plane
    plane.wipe()


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        yield plane
    plane.wipe()


@pytest.fixture
def installed(plane: ControlPlane) -> ControlPlane:
    """A cluster with the operator as this version has it, whatever the test before left behind."""
    bootstrap(plane, "--namespace", "before", "--upgrade")
    plane.kubectl("scale", *OPERATOR, "--replicas=1")
    return plane


@pytest.fixture
def site() -> str:
    """A name that no namespace has yet."""
    return f"site-{uuid4().hex[:8]}"


def bootstrap(
    plane: ControlPlane, *arguments: str, status: int = 0, kubeconfig: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the command; fails when it ends otherwise, or with a traceback."""
    return run_heretic(kubeconfig or plane.kubeconfig, "bootstrap", *arguments, status=status)


def refused(plane: ControlPlane, *arguments: str, kubeconfig: Path | None = None) -> str:
    """What it says when it refuses: one sentence, after which nothing has changed."""
    before = everything(plane)
    done = bootstrap(plane, *arguments, status=1, kubeconfig=kubeconfig)
    assert everything(plane) == before
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def everything(plane: ControlPlane) -> dict[str, str]:
    """All that bootstrap writes, with the version in which it is stored; what Kubernetes itself makes is left out.

    Of CRDs and namespaces the spec alone is looked at: others write their status in their own time.
    """
    kinds = "serviceaccounts,secrets,services,networkpolicies,deployments,roles,rolebindings"
    listed = plane.kubectl("get", "-A", "-o", "json", kinds).stdout
    cluster_wide = plane.kubectl("get", "-o", "json", "clusterroles,clusterrolebindings,priorityclasses").stdout
    others = plane.kubectl("get", "-o", "json", "crd,namespaces").stdout
    objects = [o for text in (listed, cluster_wide) for o in json.loads(text)["items"]]
    ours = {_name(o): str(o["metadata"]["resourceVersion"]) for o in objects if "heretic" in _name(o)}
    alive = [o for o in json.loads(others)["items"] if "deletionTimestamp" not in o["metadata"]]
    return ours | {_name(o): json.dumps(o["spec"], sort_keys=True) for o in alive}


def _name(obj: dict[str, Any]) -> str:
    return f"{obj['kind']}/{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def private_key(plane: ControlPlane, namespace: str) -> str:
    path = r"jsonpath={.data.ssh-privatekey}"
    return base64.b64decode(plane.kubectl("get", "secret/heretic-ssh", "-n", namespace, "-o", path).stdout).decode()


def field(plane: ControlPlane, path: str, *target: str) -> str:
    return plane.kubectl("get", *target, "-o", f"jsonpath={path}").stdout


IMAGE = "{.spec.template.spec.containers[0].image}"
REPLICAS = "{.spec.replicas}"


def test_an_empty_cluster_gets_all_that_the_operator_and_a_site_need_and_twice_changes_nothing(
    empty: ControlPlane,
) -> None:
    before = everything(empty)
    rehearsed = bootstrap(empty, "--namespace", "home", "--overlay", "k3s", "--dry-run")
    assert everything(empty) == before
    assert rehearsed.stdout == ""
    assert "to be created: Deployment heretic-operator in namespace heretic-system" in rehearsed.stderr
    assert "Secret heretic-ssh in namespace home would be made" in rehearsed.stderr

    first = bootstrap(empty, "--namespace", "home", "--overlay", "k3s")

    assert first.stdout == public_line(private_key(empty, "home")) + "\n"
    assert private_key(empty, "home") not in first.stdout + first.stderr
    assert "created: CustomResourceDefinition sites.hvp.ovirt.life" in first.stderr
    assert "heretic init --namespace home" in first.stderr
    assert field(empty, "{.type}", "secret/heretic-ssh", "-n", "home") == "kubernetes.io/ssh-auth"
    account = ("--as=system:serviceaccount:heretic-system:heretic", "-n", "home")
    assert empty.kubectl("auth", "can-i", "get", "secret/heretic-ssh", *account).stdout == "yes\n"
    difference = ("diff", "--server-side", "--force-conflicts", "--field-manager=heretic-bootstrap")
    assert empty.kubectl(*difference, "-k", str(MANIFESTS / "overlays/k3s")).stdout == ""
    assert empty.kubectl(*difference, "-n", "home", "-k", str(MANIFESTS / "operator/site-access")).stdout == ""

    before = everything(empty)
    second = bootstrap(empty, "--namespace", "home", "--overlay", "k3s")
    assert everything(empty) == before
    assert second.stdout == first.stdout
    assert "Secret heretic-ssh in namespace home was there already, and stays as it is" in second.stderr
    assert "created" not in second.stderr


@pytest.mark.parametrize("overlay", [None, "k3s", "kind"])
def test_what_is_applied_is_what_kubectl_makes_of_the_manifests(plane: ControlPlane, overlay: str | None) -> None:
    folder = MANIFESTS / (f"overlays/{overlay}" if overlay else "operator")
    made = yaml.safe_load_all(plane.kubectl("kustomize", str(folder)).stdout)
    assert sorted(operator_objects(overlay), key=_name) == sorted(made, key=_name)


def test_the_rights_in_a_site_are_those_of_the_manifests(plane: ControlPlane) -> None:
    made = list(yaml.safe_load_all(plane.kubectl("kustomize", str(MANIFESTS / "operator/site-access")).stdout))
    for obj in made:
        obj["metadata"]["namespace"] = "home"
    assert sorted(access_objects("home")[1:], key=_name) == sorted(made, key=_name)


def test_manifests_that_kubectl_applied_count_as_installed(plane: ControlPlane, site: str) -> None:
    for how in ((), ("--server-side", "--force-conflicts")):
        plane.kubectl("apply", *how, "-k", str(MANIFESTS / "operator"))
        said = bootstrap(plane, "--namespace", f"{site}-{len(how)}").stderr
        assert "20 objects are there already, as they should be" in said


class TestSecret:
    def give(self, plane: ControlPlane, namespace: str, **data: str) -> None:
        plane.kubectl("create", "namespace", namespace)
        literals = [f"--from-literal={name}={value}" for name, value in data.items()]
        plane.kubectl("create", "secret", "generic", "heretic-ssh", "-n", namespace, *literals)

    def test_that_exists_is_kept_and_its_public_line_is_printed(self, installed: ControlPlane, site: str) -> None:
        own = new_private_key("mine")
        self.give(installed, site, **{"ssh-privatekey": own})

        done = bootstrap(installed, "--namespace", site)

        assert done.stdout == f"{public_line(own)}\n"
        assert private_key(installed, site) == own

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({"id_ed25519": "x"}, "has no key ssh-privatekey"),
            ({}, "has no key ssh-privatekey"),
            ({"ssh-privatekey": "x"}, "its ssh-privatekey is no private key"),
        ],
        ids=["another field", "empty", "no key"],
    )
    def test_that_holds_no_key_is_left_alone_and_nothing_else_is_done(
        self, installed: ControlPlane, site: str, data: dict[str, str], said: str
    ) -> None:
        self.give(installed, site, **data)
        assert said in refused(installed, "--namespace", site)


class TestAnotherVersion:
    def test_of_the_operator_is_told_and_brought_to_this_one_only_on_demand(
        self, installed: ControlPlane, site: str
    ) -> None:
        image = field(installed, IMAGE, *OPERATOR)
        installed.kubectl("set", "image", *OPERATOR, "operator=localhost/heretic-operator:0.0.9")

        said = refused(installed, "--namespace", site)
        assert "Deployment heretic-operator in namespace heretic-system" in said
        assert f"image: localhost/heretic-operator:0.0.9 → {image}" in said
        assert "kubectl-set" in said.partition("written by")[2]
        assert "--upgrade brings it to this version" in said

        bootstrap(installed, "--namespace", site, "--site-only")
        assert field(installed, IMAGE, *OPERATOR) == "localhost/heretic-operator:0.0.9"
        assert private_key(installed, site)

        done = bootstrap(installed, "--namespace", site, "--upgrade")
        assert "changed: Deployment heretic-operator" in done.stderr
        assert field(installed, IMAGE, *OPERATOR) == image

    def test_a_later_operator_is_never_taken_back(self, installed: ControlPlane, site: str) -> None:
        installed.kubectl("set", "image", *OPERATOR, "operator=localhost/heretic-operator:99.0")
        said = refused(installed, "--namespace", site, "--upgrade")
        installed.kubectl("set", "image", *OPERATOR, "operator=localhost/heretic-operator:0.0.9")
        assert "is of version 99.0, and this heretic is of" in said

    def test_another_overlay_counts_as_a_difference(self, installed: ControlPlane, site: str) -> None:
        assert "imagePullPolicy: IfNotPresent → Never" in refused(installed, "--namespace", site, "--overlay", "k3s")

    def test_crds_that_others_changed_are_brought_to_this_version_on_demand(
        self, installed: ControlPlane, site: str
    ) -> None:
        patch = [{"op": "add", "path": "/spec/names/shortNames/-", "value": "mysite"}]
        installed.kubectl("patch", SITES_CRD, "--type=json", "-p", json.dumps(patch))

        assert "sites.hvp.ovirt.life (spec.names.shortNames; written by" in refused(installed, "--namespace", site)
        bootstrap(installed, "--namespace", site, "--upgrade")
        assert "mysite" not in field(installed, "{.spec.names.shortNames}", SITES_CRD)

    def test_crds_with_a_version_that_is_not_known_here_are_left_alone(self, plane: ControlPlane, site: str) -> None:
        bootstrap(plane, "--namespace", "before", "--upgrade")
        stored = json.loads(plane.kubectl("get", SITES_CRD, "-o", "json").stdout)
        later = {**stored["spec"]["versions"][0], "name": "v1beta1", "storage": False}
        add = [{"op": "add", "path": "/spec/versions/-", "value": later}]
        plane.kubectl("patch", SITES_CRD, "--type=json", "-p", json.dumps(add))
        said = refused(plane, "--namespace", site, "--upgrade")
        remove = [{"op": "remove", "path": "/spec/versions/1"}]
        plane.kubectl("patch", SITES_CRD, "--type=json", "-p", json.dumps(remove))
        assert "sites.hvp.ovirt.life has version v1beta1, and this heretic" in said


def test_an_operator_that_a_person_stopped_stays_stopped(installed: ControlPlane, site: str) -> None:
    installed.kubectl("scale", *OPERATOR, "--replicas=0")
    installed.kubectl("set", "image", *OPERATOR, "operator=localhost/heretic-operator:0.0.9")

    done = bootstrap(installed, "--namespace", site, "--upgrade")

    assert "a person stopped the operator (0 replicas): it stays stopped" in done.stderr
    assert field(installed, REPLICAS, *OPERATOR) == "0"
    assert "0.0.9" not in field(installed, IMAGE, *OPERATOR)


def test_a_site_without_an_operator_is_not_what_site_only_is_for(empty: ControlPlane) -> None:
    said = refused(empty, "--namespace", "home", "--site-only")
    assert "there is no operator in this cluster yet: leave out --site-only" in said


def test_a_namespace_that_is_being_deleted_is_not_used(installed: ControlPlane, site: str) -> None:
    installed.kubectl("create", "namespace", site)
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/held"]}}
    installed.kubectl("create", "-n", site, "-f", "-", input=json.dumps(held))
    installed.kubectl("delete", "namespace", site, "--wait=false")

    assert f"Namespace {site} is being deleted: wait until it is gone" in refused(installed, "--namespace", site)
    patch = json.dumps({"metadata": {"finalizers": None}})
    installed.kubectl("patch", "configmap/held", "-n", site, "--type=merge", "-p", patch)


@pytest.mark.parametrize("role", [None, "view", "admin"])
def test_without_the_rights_nothing_is_done(installed: ControlPlane, site: str, role: str | None) -> None:
    installed.kubectl("create", "namespace", site)
    installed.kubectl("create", "serviceaccount", "ann", "-n", site)
    if role:
        binding = (f"--clusterrole={role}", f"--serviceaccount={site}:ann", "-n", site)
        installed.kubectl("create", "rolebinding", "ann", *binding)
    kubeconfig = installed.create_service_account_kubeconfig(site, "ann")

    said = refused(installed, "--namespace", site, kubeconfig=kubeconfig)

    assert "HTTP 403" in said
    assert "this needs the rights of an administrator of the cluster" in said
