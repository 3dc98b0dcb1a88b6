"""What a Deployment says of its pods, for those who start the operator where no kubelet does.

All of it is read from the manifests. What nobody here can do as the kubelet does it is refused, not left out silently.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from lab.controlplane import ControlPlane
from lab.errors import LabError

REPOSITORY = Path(__file__).resolve().parents[2]

_POD = frozenset(("automountServiceAccountToken", "containers", "securityContext", "serviceAccountName"))
_POD_OF_THE_NODE = frozenset(
    ("enableServiceLinks", "priorityClassName", "terminationGracePeriodSeconds", "tolerations")
)
_CONTAINER = frozenset(("name", "image", "command", "args", "env", "ports", "readinessProbe", "securityContext"))
_CONTAINER_OF_THE_NODE = frozenset(("imagePullPolicy", "startupProbe", "livenessProbe", "resources"))
_CONTEXT = frozenset(("runAsNonRoot", "runAsUser", "runAsGroup", "readOnlyRootFilesystem"))
_CONTEXT |= frozenset(("allowPrivilegeEscalation", "capabilities", "seccompProfile"))


@dataclass(frozen=True, kw_only=True)
class Pod:
    """What the one container of a pod is started with.

    Attributes:
        namespace: Of the pod and its ServiceAccount.
        account: Its ServiceAccount.
        image: What the container is made of.
        command: In place of the image's entrypoint; empty: the entrypoint.
        arguments: Of the command.
        environment: Variables beside those of the image.
        user: Number of its user.
        group: Number of its group.
        read_only: Whether its root filesystem is.
        new_privileges: Whether a program may have more rights than the one that starts it.
        dropped: Capabilities that it has not got.
        port: Where it answers probes.
        ready: Path that says whether it is ready.
    """

    namespace: str
    account: str
    image: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    user: int
    group: int
    read_only: bool
    new_privileges: bool
    dropped: tuple[str, ...]
    port: int
    ready: str

    def on_this_machine(self, port: int) -> "Pod":
        """The same without a network of its own: on a port of this machine, which nobody outside reaches."""
        given = f"--metrics-port={self.port}"
        if given not in self.arguments:
            raise LabError(f"the probes ask port {self.port}, and the operator is not told so: no {given}")
        changed = {given: f"--metrics-port={port}", "--listen=0.0.0.0": "--listen=127.0.0.1"}
        return replace(self, arguments=tuple(changed.get(a, a) for a in self.arguments), port=port)


def rendered(control_plane: ControlPlane, overlay: str = "manifests/operator") -> Pod:
    """The pod of the operator's Deployment."""
    text = control_plane.kubectl("kustomize", str(REPOSITORY / overlay)).stdout
    return pod_of(next(obj for obj in yaml.safe_load_all(text) if obj["kind"] == "Deployment"))


def pod_of(deployment: Mapping[str, Any]) -> Pod:
    """What a Deployment says of its pods; a LabError for what would not be obeyed here."""
    spec = deployment["spec"]["template"]["spec"]
    _refuse_others(spec, _POD | _POD_OF_THE_NODE, "pods")
    (container,) = spec["containers"]
    _refuse_others(container, _CONTAINER | _CONTAINER_OF_THE_NODE, "container")
    # What a container says goes before what its pod says.
    context = {**spec.get("securityContext", {}), **container.get("securityContext", {})}
    _refuse_others(context, _CONTEXT, "security")
    probe = container["readinessProbe"]["httpGet"]
    ports = {port.get("name"): port["containerPort"] for port in container["ports"]}
    return Pod(
        namespace=deployment["metadata"]["namespace"],
        account=spec["serviceAccountName"],
        image=container["image"],
        command=tuple(container.get("command", ())),
        arguments=tuple(container.get("args", ())),
        environment=dict(map(_variable, container.get("env", ()))),
        user=context["runAsUser"],
        group=context["runAsGroup"],
        read_only=context.get("readOnlyRootFilesystem", False),
        new_privileges=context.get("allowPrivilegeEscalation", True),
        dropped=tuple(context.get("capabilities", {}).get("drop", ())),
        port=ports.get(probe["port"], probe["port"]),
        ready=probe["path"],
    )


def _refuse_others(said: Mapping[str, Any], known: frozenset[str], whose: str) -> None:
    if others := sorted(said.keys() - known):
        raise LabError(f"nothing here does as a kubelet what the Deployment says of its {whose}: {', '.join(others)}")


def _variable(entry: Mapping[str, Any]) -> tuple[str, str]:
    if "value" not in entry:
        raise LabError(f"the Deployment takes the variable {entry['name']} from elsewhere; only values are known here")
    return entry["name"], entry["value"]
