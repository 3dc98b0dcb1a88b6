"""`kubectl apply -k manifests/operator` is all that a cluster needs, and its pod meets Pod Security `restricted`."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from heretic.main import parse
from lab.controlplane import ControlPlane

REPOSITORY = Path(__file__).parents[2]
MANIFESTS = REPOSITORY / "manifests"
FOLDERS = ("operator", "overlays/k3s", "overlays/kind")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster in which nothing was installed yet."""
    with ControlPlane(tmp_path_factory.mktemp("bare")) as plane:
        yield plane
    plane.wipe()


def pod_template(plane: ControlPlane, folder: str) -> dict[str, Any]:
    rendered = plane.kubectl("kustomize", str(MANIFESTS / folder)).stdout
    template: dict[str, Any] = next(o for o in yaml.safe_load_all(rendered) if o["kind"] == "Deployment")
    return dict(template["spec"]["template"])


@pytest.mark.parametrize("how", [(), ("--server-side", "--force-conflicts")], ids=["client", "server"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_apply_is_all_and_twice_changes_nothing(bare: ControlPlane, folder: str, how: tuple[str, ...]) -> None:
    target = ("-k", str(MANIFESTS / folder))
    first = bare.kubectl("apply", *how, *target)
    assert "deployment.apps/heretic-operator" in first.stdout
    assert "sites.hvp.ovirt.life" in first.stdout

    before = bare.kubectl("get", "-o", "json", *target).stdout
    second = bare.kubectl("apply", *how, *target)

    if not how:
        assert {line.split()[-1] for line in second.stdout.splitlines()} == {"unchanged"}
    assert _versions(before) == _versions(bare.kubectl("get", "-o", "json", *target).stdout)


def _versions(listed: str) -> dict[str, str]:
    """Of what is stored. A CRD's status is written some time after it was applied, so its generation is looked at."""
    items = json.loads(listed)["items"]
    return {f"{o['kind']}/{o['metadata']['name']}": str(o["metadata"].get("generation")) for o in items}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_pod_meets_the_restricted_standard(bare: ControlPlane, folder: str) -> None:
    bare.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(MANIFESTS / folder))
    template = pod_template(bare, folder)
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": template["spec"]}
    apply = ("create", "--dry-run=server", "--namespace=heretic-system", "-f", "-")

    done = bare.kubectl(*apply, input=json.dumps(pod))

    assert "created" in done.stdout
    assert done.stderr == ""
    pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    assert "violates PodSecurity" in bare.kubectl(*apply, input=json.dumps(pod), check=False).stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_deployment_starts_this_version_with_arguments_that_it_knows(
    control_plane: ControlPlane, folder: str
) -> None:
    container = pod_template(control_plane, folder)["spec"]["containers"][0]
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]

    options = parse(container["args"])

    assert container["image"] == f"localhost/heretic-operator:{version}"
    assert options.metrics_port == container["ports"][0]["containerPort"]
    assert options.namespaces == ()
    assert {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/healthz"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["imagePullPolicy"] == ("IfNotPresent" if folder == "operator" else "Never")
