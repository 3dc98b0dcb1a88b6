"""What is read from the operator's Deployment by those who start it without a kubelet."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from heretic.main import parse
from lab.errors import LabError
from lab.pod import REPOSITORY, pod_of

Deployment = dict[str, Any]
SHIPPED: Deployment = yaml.safe_load((REPOSITORY / "manifests/operator/deployment.yaml").read_text())


def changed(change: Callable[[Deployment, Deployment], object]) -> Deployment:
    """The shipped one after a change of its pods and of their container."""
    deployment = copy.deepcopy(SHIPPED)
    spec = deployment["spec"]["template"]["spec"]
    change(spec, spec["containers"][0])
    return deployment


def test_the_shipped_deployment_is_understood_as_a_whole() -> None:
    pod = pod_of(SHIPPED)
    container = SHIPPED["spec"]["template"]["spec"]["containers"][0]

    assert (pod.namespace, pod.account, pod.image) == ("heretic-system", "heretic", container["image"])
    assert (pod.command, list(pod.arguments), pod.environment) == ((), container["args"], {})
    assert (pod.user, pod.group, pod.read_only, pod.new_privileges) == (65532, 65532, True, False)
    assert (pod.dropped, pod.port, pod.ready) == (("ALL",), 8080, "/readyz")


@pytest.mark.parametrize(
    ("change", "field", "seen"),
    [
        (lambda _, c: c.update(command=["heretic", "--debug"]), "command", ("heretic", "--debug")),
        (lambda _, c: c.update(env=[{"name": "A", "value": "1"}]), "environment", {"A": "1"}),
        (lambda _, c: c["securityContext"].update(runAsUser=7), "user", 7),
        (lambda p, _: p["securityContext"].update(runAsGroup=8), "group", 8),
        (lambda _, c: c["securityContext"].pop("readOnlyRootFilesystem"), "read_only", False),
        (lambda _, c: c["securityContext"].pop("allowPrivilegeEscalation"), "new_privileges", True),
        (lambda _, c: c["securityContext"].pop("capabilities"), "dropped", ()),
        (lambda p, _: p.update(serviceAccountName="other"), "account", "other"),
        (lambda _, c: c["readinessProbe"]["httpGet"].update(port=81), "port", 81),
    ],
)
def test_what_it_says_counts(change: Callable[[Deployment, Deployment], object], field: str, seen: object) -> None:
    assert getattr(pod_of(changed(change)), field) == seen


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p, _: p.update(volumes=[], hostNetwork=True), "of its pods: hostNetwork, volumes"),
        (lambda _, c: c.update(volumeMounts=[]), "of its container: volumeMounts"),
        (lambda p, _: p["securityContext"].update(fsGroup=5), "of its security: fsGroup"),
        (lambda _, c: c.update(env=[{"name": "A", "valueFrom": {}}]), "takes the variable A from elsewhere"),
    ],
)
def test_what_nobody_here_does_is_refused(change: Callable[[Deployment, Deployment], object], told: str) -> None:
    with pytest.raises(LabError, match=told):
        pod_of(changed(change))


def test_without_a_network_of_its_own_only_its_port_and_address_are_others() -> None:
    pod = pod_of(SHIPPED)

    here = pod.on_this_machine(20001)

    assert here.port == 20001
    assert [(a, b) for a, b in zip(pod.arguments, here.arguments, strict=True) if a != b] == [
        ("--metrics-port=8080", "--metrics-port=20001"),
        ("--listen=0.0.0.0", "--listen=127.0.0.1"),
    ]
    assert (parse(list(here.arguments)).listen, parse(list(here.arguments)).metrics_port) == ("127.0.0.1", 20001)


def test_probes_of_another_port_than_the_operators_are_refused() -> None:
    with pytest.raises(LabError, match="the probes ask port 81, and the operator is not told so"):
        pod_of(changed(lambda _, c: c["ports"][0].update(containerPort=81))).on_this_machine(20001)
