"""The operator as its Deployment starts it: out of the image, with its user, arguments, environment and token.

buildah runs it with chroot isolation: the network is that of this machine, and so is the kernel's view of processes.
The root filesystem is mounted read-only, as the Deployment wants it.
"""

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lab.container import OperatorImage, buildah, command
from lab.controlplane import ControlPlane
from lab.ports import free_port
from lab.processes import Process
from lab.shell import run

REPOSITORY = Path(__file__).resolve().parents[2]
TOKENS = "/run/secrets/kubernetes.io/serviceaccount"
_READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def deployment(control_plane: ControlPlane, overlay: str = "manifests/operator") -> dict[str, Any]:
    """The pod template of the Deployment."""
    rendered = control_plane.kubectl("kustomize", str(REPOSITORY / overlay)).stdout
    found = [obj for obj in yaml.safe_load_all(rendered) if obj["kind"] == "Deployment"]
    template: dict[str, Any] = found[0]["spec"]["template"]
    return template


@dataclass(frozen=True)
class Answer:
    """Of a probe."""

    status: int
    said: str


class OperatorContainer:
    """A container made of the image, and the operator in it.

    Args:
        image: What it is made of.
        pod: Template of the Deployment's pods.
        folder: For the log and the token.
    """

    def __init__(self, image: OperatorImage, pod: Mapping[str, Any], folder: Path) -> None:
        self._pod = pod["spec"]
        self._container = pod["spec"]["containers"][0]
        self._folder = folder
        self._name = buildah("from", image.reference)
        self.root = Path(buildah("mount", self._name))
        # What a runtime and the kubelet make before they start something.
        for file in ("run/.containerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf"):
            (self.root / file).touch()
        (self.root / TOKENS.removeprefix("/")).mkdir(parents=True)
        self.process = Process("operator", folder)
        self.port = free_port()

    @property
    def log(self) -> str:
        """What it said."""
        return self.process.log.read_text(errors="replace")

    def start(self, server: str, tokens: Path, user: str = "") -> None:
        """Starts it.

        Args:
            server: Address of the API server.
            tokens: Folder with the files of a ServiceAccount.
            user: Another one than the Deployment's, as uid:gid.
        """
        context = self._pod["securityContext"]
        chosen = user or f"{context['runAsUser']}:{context['runAsGroup']}"
        inspected = json.loads(buildah("inspect", self._name))
        entrypoint = inspected["OCIv1"]["config"]["Entrypoint"]
        parts = urlsplit(server)
        environment = {"KUBERNETES_SERVICE_HOST": parts.hostname, "KUBERNETES_SERVICE_PORT": parts.port}
        environment |= {entry["name"]: entry["value"] for entry in self._container.get("env", [])}
        options = [f"--env={name}={value}" for name, value in environment.items()]
        options += ["--isolation=chroot", f"--user={chosen}", f"--volume={tokens}:{TOKENS}:ro"]
        read_only: list[str | Path] = [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            _READ_ONLY,
            self.root,
        ]
        run_it: list[str | Path] = [*command(), "run", *options, self._name, "--", *entrypoint, *self._arguments()]
        self.process.start([*read_only, *run_it], detached=False)

    def _arguments(self) -> Sequence[str]:
        """Of the Deployment, but for the port: others use this machine's network as well."""
        wanted = "--metrics-port=8080"
        assert wanted in self._container["args"]
        return [f"--metrics-port={self.port}" if a == wanted else a for a in self._container["args"]]

    def ask(self, path: str) -> Answer:
        """Asks as a probe does; status 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())
        except OSError:
            return Answer(0, "")

    def terminate(self) -> None:
        """SIGTERM to the operator itself, as the kubelet sends it, and not to buildah around it."""
        os.kill(self.operator_pid(), signal.SIGTERM)

    def operator_pid(self) -> int:
        """The process that is the operator."""
        pid = self.process.pid
        assert pid is not None, self.log
        # Any thread of buildah may have started the next process.
        while children := [c for task in Path(f"/proc/{pid}/task").iterdir() for c in _words(task / "children")]:
            pid = int(children[-1])
        return pid

    def resident_mebibytes(self) -> float:
        """Memory of the operator."""
        for line in Path(f"/proc/{self.operator_pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def close(self) -> None:
        """Ends it, and throws the container away."""
        if self.process.pid is not None:
            os.kill(self.operator_pid(), signal.SIGKILL)
            self.process.stop(grace=10)
        buildah("umount", self._name)
        buildah("rm", self._name)


def _words(file: Path) -> list[str]:
    return file.read_text().split()


def write_tokens(control_plane: ControlPlane, folder: Path, namespace: str, account: str) -> Path:
    """The files that a pod of this ServiceAccount finds."""
    folder.mkdir(mode=0o755)
    token = control_plane.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=24h").stdout
    (folder / "token").write_text(token.strip())
    (folder / "namespace").write_text(namespace)
    (folder / "ca.crt").write_bytes(control_plane.serving_certificate.read_bytes())
    run(["chmod", "-R", "a+rX", folder])
    return folder
