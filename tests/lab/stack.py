"""All of Heretic on lab machines: a control plane, blank hosts, and the operator under its own ServiceAccount.

The end-to-end tests and `make demo` use the same one, so what the tests prove is what a user sees.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.container import OperatorImage
from lab.controlplane import ControlPlane
from lab.errors import LabError
from lab.operator_container import OperatorContainer, end
from lab.pod import rendered
from lab.processes import Process
from lab.site import Site
from lab.spec import SiteSpec

REPOSITORY = Path(__file__).resolve().parents[2]
SECRET = "heretic-ssh"
SYSTEM = "heretic-system"
ACCOUNT = "heretic"


class Stack:
    """One namespace's site on lab machines, in a folder."""

    def __init__(
        self, folder: Path, *, spec: SiteSpec | None = None, namespace: str = "demo", detached: bool = False
    ) -> None:
        self.folder = folder.absolute()
        self.namespace = namespace
        self.control_plane = ControlPlane(self.folder / "control-plane", detached=detached)
        self.site = Site(spec, self.folder / "site")
        self.operator = Process("operator", self.folder)
        self._detached = detached

    @property
    def audit_log(self) -> Path:
        """Where an operator from the checkout writes every effect on a host, as JSON lines."""
        return self.folder / "audit.jsonl"

    @property
    def _container(self) -> str:
        """The name of the operator's container."""
        return f"heretic-{self.namespace}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.control_plane.kubeconfig

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Runs kubectl in the site's namespace and returns what it prints."""
        done = self.control_plane.kubectl("--namespace", self.namespace, *arguments, input=stdin, check=check)
        return done.stdout if check else done.stdout + done.stderr

    def install(self) -> None:
        """Installs the CRDs, the operator's account and rights, and the site's namespace with its Secret."""
        self.control_plane.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator"))
        self.control_plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
        existing = self.control_plane.kubectl("get", "namespace", self.namespace, check=False)
        if existing.returncode != 0:
            self.control_plane.kubectl("create", "namespace", self.namespace)
        self.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator/site-access"))
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": self.namespace},
            "type": "kubernetes.io/ssh-auth",
            "stringData": {"ssh-privatekey": self.site.key.read_text()},
        }
        self.apply(json.dumps(secret))

    def manifests(self, example: str = "three-node", change: Callable[[dict[str, Any]], None] | None = None) -> str:
        """An example of manifests/sites/ for these machines: their host keys and addresses filled in.

        Args:
            example: Name of the example's folder.
            change: Called with each object, to make it differ.
        """
        folder = REPOSITORY / "manifests/sites" / example
        text = self.control_plane.kubectl("kustomize", str(folder)).stdout
        text = text.replace("172.20.", f"{self.site.spec.prefix}.")
        objects = [o for o in yaml.safe_load_all(text) if o]
        for obj in objects:
            if obj["kind"] == "Node":
                node = self.site.nodes.get(obj["metadata"]["name"])
                if node is not None:
                    obj["spec"]["hostKeys"] = [" ".join(node.host_key.split()[:2])]
            if obj["kind"] != "Namespace":
                obj["metadata"]["namespace"] = self.namespace
            if change:
                change(obj)
        kept = [o for o in objects if o["kind"] != "Namespace" or o["metadata"]["name"] == self.namespace]
        return yaml.safe_dump_all(kept, sort_keys=False)

    def apply(self, manifests: str) -> str:
        """Applies manifests to the site's namespace."""
        return self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifests)

    def start_operator(self, *arguments: str, die: str = "") -> None:
        """Starts the operator from the checkout, with the rights that manifests/operator gives it, and nothing more.

        Args:
            arguments: Further ones for its command line.
            die: "before N" or "after N": the effect at which it kills itself; empty = never.
        """
        program: list[str | Path] = [Path(sys.executable).parent / "heretic-operator"]
        if die:
            program = [sys.executable, "-m", "lab.crashing_operator", *die.split()]
        kubeconfig = self.control_plane.create_service_account_kubeconfig(SYSTEM, ACCOUNT)
        command: list[str | Path] = [
            *program,
            "--namespace",
            self.namespace,
            "--kubeconfig",
            kubeconfig,
            "--audit-log",
            self.audit_log,
            "--kill-switch",
            self.folder / "stop",
            *arguments,
        ]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests")} if die else None
        self.operator.start(command, env=environment, detached=self._detached)

    def start_container(self, image: OperatorImage) -> OperatorContainer:
        """Starts the operator out of its image, as manifests/operator says, and returns once it is ready.

        It outlives this process, and is started again whenever it ends.
        """
        container = OperatorContainer(rendered(self.control_plane), self.folder, self._container)
        container.create(image)
        container.start(self.control_plane, kept=True)
        container.wait_until_ready(120)
        return container

    def end_operator(self) -> None:
        """Ends the operator, and removes the container that it may have run in."""
        end(self.operator, self._container)

    def kill_operator(self) -> None:
        """kill -9."""
        self.operator.kill()

    def stop_operator(self) -> None:
        """As a rollout would: SIGTERM, then a grace period."""
        self.operator.signal(signal.SIGTERM)
        self.operator.stop(grace=15)

    def effects(self) -> list[dict[str, Any]]:
        """Every effect on a host so far, as audited: in a file of its own, or among the lines of the log."""
        audit = self.audit_log if self.audit_log.exists() else self.operator.log
        if not audit.exists():
            return []
        return [json.loads(line) for line in audit.read_text().splitlines() if line.startswith("{")]

    def get(self, kind: str, name: str = "") -> Any:
        """One object, or all of a kind."""
        answer = json.loads(self.kubectl("get", kind, *([name] if name else []), "-o", "json"))
        return answer if name else answer["items"]

    def condition(self, kind: str, name: str, type_: str) -> dict[str, Any]:
        """One condition of an object; empty when it is not there."""
        conditions = (self.get(kind, name).get("status") or {}).get("conditions") or []
        return next((c for c in conditions if c["type"] == type_), {})

    def wait(self, what: str, holds: Callable[[], bool], *, seconds: float) -> float:
        """Waits until something holds; a LabError with the state of all objects when it does not in time.

        Returns:
            How long it took.
        """
        begun = time.monotonic()
        while not holds():
            if time.monotonic() - begun > seconds:
                shown = self.kubectl("get", "hvp", "-o", "wide", check=False)
                tail = self.operator.log_tail(20)
                raise LabError(f"not within {seconds:.0f} s: {what}\n{shown}\noperator's log:\n{tail}")
            time.sleep(1)
        return time.monotonic() - begun

    def ready(self) -> bool:
        """Whether there are objects, and every one of them is Ready for its current spec."""
        objects = self.get("hvp")
        return bool(objects) and all(is_ready(obj) for obj in objects)

    def down(self) -> None:
        """Ends everything that belongs to it, and forgets it."""
        self.end_operator()
        self.control_plane.wipe()
        self.site.down()


def is_ready(obj: dict[str, Any]) -> bool:
    """Whether an object is Ready for its current spec."""
    conditions = {c["type"]: c for c in (obj.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    return bool(ready.get("status") == "True" and ready.get("observedGeneration") == obj["metadata"]["generation"])
