"""The operator as its Deployment starts it: out of the image, with its user, arguments, environment and token.

buildah runs it with chroot isolation. Its processes, mounts and root filesystem are its own; its network is this
machine's. What the kubelet adds is not here: probes that act, limits of memory, tokens that are renewed.
"""

import json
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lab.container import OperatorImage, buildah, command, make_container, remove_container
from lab.controlplane import ControlPlane
from lab.errors import LabError
from lab.pod import REPOSITORY, Pod
from lab.ports import free_port
from lab.processes import Process, innermost

TOKENS = "/run/secrets/kubernetes.io/serviceaccount"
# All that is started in a process namespace is gone with its first process, and so are the mounts.
_OWN_NAMESPACES = ("unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--propagation", "private")
# buildah makes the places of its own mounts in /run, and removes them at the end.
_READ_ONLY = """
set -e
mount --bind "$0" "$0"
mount -o remount,bind,ro "$0"
mount -t tmpfs -o mode=755,size=64k tmpfs "$0/run"
exec "$@"
"""
_NO_NEW_PRIVILEGES = ("setpriv", "--no-new-privs")


@dataclass(frozen=True)
class Answer:
    """Of a probe."""

    status: int
    said: str


class OperatorContainer:
    """A container made of the image, and the operator in it.

    Args:
        pod: What the Deployment says.
        folder: For the log and the token.
        name: Of the container; one that has it already makes way.
    """

    def __init__(self, pod: Pod, folder: Path, name: str) -> None:
        self.pod = pod.on_this_machine(free_port())
        self.process = Process("operator", folder)
        self.root = Path()
        self.program: tuple[str, ...] = ()
        self.name = name
        self._tokens = folder / "serviceaccount"

    @property
    def log(self) -> str:
        """What it said."""
        return self.process.log.read_text(errors="replace")

    def create(self, image: OperatorImage) -> None:
        """Makes the container."""
        self.root = make_container(self.name, image)
        inspected = json.loads(buildah("inspect", self.name))
        self.program = (*(self.pod.command or inspected["OCIv1"]["config"]["Entrypoint"]), *self.pod.arguments)
        # What the kubelet makes before it starts something.
        for file in ("hosts", "hostname", "resolv.conf"):
            (self.root / "etc" / file).touch()

    def start(self, control_plane: ControlPlane, *, user: str = "", kept: bool = False) -> None:
        """Starts the operator.

        Args:
            control_plane: Whose API server it works for.
            user: Another one than the Deployment's, as uid:gid.
            kept: It outlives this process, and is started again whenever it ends, until the process is stopped.
        """
        chosen = user or f"{self.pod.user}:{self.pod.group}"
        self._write_tokens(control_plane, int(chosen.partition(":")[0]))
        line = [*self._around(), *self._run(control_plane.url, chosen)]
        if kept:
            line = [sys.executable, "-m", "lab.restarts", *line]
        # A buildah that is killed leaves what it has in its folder for passing files.
        passing = self.process.folder / "buildah"
        passing.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "tests"), "TMPDIR": str(passing)}
        self.process.start(line, env=environment, detached=kept)

    def _around(self) -> Sequence[str]:
        """The part of the command line that stands around buildah, and does what buildah cannot."""
        read_only = ["sh", "-c", _READ_ONLY, str(self.root)] if self.pod.read_only else []
        return [*_OWN_NAMESPACES, *read_only, *(() if self.pod.new_privileges else _NO_NEW_PRIVILEGES)]

    def _run(self, server: str, user: str) -> Sequence[str]:
        parts = urlsplit(server)
        environment = {"KUBERNETES_SERVICE_HOST": parts.hostname, "KUBERNETES_SERVICE_PORT": parts.port}
        options = [f"--env={name}={value}" for name, value in (environment | dict(self.pod.environment)).items()]
        options += [f"--cap-drop={capability}" for capability in self.pod.dropped]
        options += ["--isolation=chroot", f"--user={user}", f"--volume={self._tokens}:{TOKENS}:ro"]
        return [*command(), "run", *options, self.name, "--", *self.program]

    def _write_tokens(self, control_plane: ControlPlane, user: int) -> None:
        """The files that a pod of this ServiceAccount finds; the token only for its user, as the kubelet writes it.

        The kubelet would renew a token; this one holds for a month.
        """
        namespace, account = self.pod.namespace, self.pod.account
        made = control_plane.kubectl("create", "token", account, f"--namespace={namespace}", "--duration=720h")
        self._tokens.mkdir(parents=True, exist_ok=True)
        self._tokens.chmod(0o755)
        (self._tokens / "namespace").write_text(namespace)
        (self._tokens / "ca.crt").write_bytes(control_plane.serving_certificate.read_bytes())
        token = self._tokens / "token"
        token.touch(mode=0o600)
        os.chown(token, user, -1)
        token.write_text(made.stdout.strip())

    def ask(self, path: str) -> Answer:
        """Asks as a probe does; status 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.pod.port}{path}", timeout=10) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())
        except OSError:
            return Answer(0, "")

    def wait_until_ready(self, seconds: float) -> None:
        """Returns once it says that it can do its work; a LabError with its last words when it does not in time."""
        deadline = time.monotonic() + seconds
        while (answer := self.ask(self.pod.ready)).status != 200:
            if time.monotonic() > deadline:
                said = answer.said.strip() or f"nothing answers on port {self.pod.port}"
                raise LabError(f"the operator is not ready after {seconds:.0f} s: {said}\n{self.process.log_tail()}")
            time.sleep(0.2)

    def operator_pid(self) -> int:
        """The process that is the operator."""
        pid = self.process.pid
        assert pid is not None, self.log
        return innermost(pid)

    def terminate(self) -> None:
        """SIGTERM to the operator itself, as the kubelet sends it, and not to what has started it."""
        os.kill(self.operator_pid(), signal.SIGTERM)

    def resident_mebibytes(self) -> float:
        """Memory of the operator."""
        for line in Path(f"/proc/{self.operator_pid()}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def close(self) -> None:
        """Kills it, and throws the container away."""
        end(self.process, self.name, grace=0)


def end(process: Process, name: str, grace: float = 15) -> None:
    """Ends an operator that is kept, as the kubelet does, and throws its container away.

    Args:
        process: What keeps it.
        name: Of the container; one that is gone is no trouble.
        grace: Seconds until it is killed.
    """
    if process.pid is not None:
        last = Path(f"/proc/{innermost(process.pid)}")
        process.stop(grace)
        while last.exists():  # the kernel ends it right after the process that held it
            time.sleep(0.02)
    if shutil.which("buildah"):
        remove_container(name)
