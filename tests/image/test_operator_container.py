"""The operator's container: that it is started as its Deployment says, and what becomes of it."""

import json
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import container
from lab.controlplane import ControlPlane
from lab.operator_container import OperatorContainer, end
from lab.pod import Pod
from lab.processes import Process

PATIENCE = 90.0
pytestmark = pytest.mark.timeout(300)


def wait(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.1)


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def below(pid: int) -> list[int]:
    """A process, those that it has started, and so on."""
    children = [int(c) for task in Path(f"/proc/{pid}/task").glob("*/children") for c in task.read_text().split()]
    return [pid, *(one for child in children for one in below(child))]


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def uses(place: Path) -> list[str]:
    """Mounts at a place in this namespace, and processes with a mount there in theirs."""
    found = []
    for mounts in Path("/proc").glob("[0-9]*/mounts"):
        try:
            found += [f"{mounts}: {line}" for line in mounts.read_text().splitlines() if f" {place}" in line]
        except OSError:
            continue  # it has ended
    return found


@pytest.fixture
def running(operator: OperatorContainer, control_plane: ControlPlane) -> OperatorContainer:
    operator.start(control_plane, kept=True)
    operator.wait_until_ready(PATIENCE)
    return operator


def test_it_is_started_as_the_deployment_says(running: OperatorContainer, pod: Pod) -> None:
    pid = running.operator_pid()
    seen = status(pid)
    words = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    token = running.process.folder / "serviceaccount/token"

    assert seen["Uid"].split() == [str(pod.user)] * 4
    assert seen["Gid"].split() == [str(pod.group)] * 4
    assert seen["CapEff"] == seen["CapPrm"] == seen["CapAmb"] == "0" * 16
    assert (seen["NoNewPrivs"], seen["Seccomp"]) == ("1", "2")
    assert words[1] == "/opt/heretic/bin/heretic-operator"
    assert words[2:] == [f"--metrics-port={running.pod.port}", "--listen=127.0.0.1", "--audit-log=/dev/stdout"]
    assert "KUBERNETES_SERVICE_HOST=127.0.0.1" in variables
    assert (token.stat().st_uid, stat.S_IMODE(token.stat().st_mode)) == (pod.user, 0o600)
    with pytest.raises(OSError, match="Read-only"):
        Path(f"/proc/{pid}/root/opt/written").touch()


def test_a_killed_operator_is_started_again(running: OperatorContainer, control_plane: ControlPlane) -> None:
    killed = running.operator_pid()

    os.kill(killed, signal.SIGKILL)

    wait("another one is ready", lambda: gone([killed]) and running.ask(running.pod.ready).status == 200)
    assert running.operator_pid() != killed
    assert status(running.operator_pid())["Uid"].split()[0] == str(running.pod.user)
    assert "is started again at once" in running.log


def test_its_end_leaves_no_process_no_mount_and_no_container(
    running: OperatorContainer, control_plane: ControlPlane, pod: Pod
) -> None:
    pids = below(running.process.pid or 0)
    root = running.root
    assert uses(root) != []
    assert list((running.process.folder / "buildah").iterdir()) != []  # and not in /var/tmp
    wait("it has the Lease", lambda: "heretic_leader 1.0" in running.ask("/metrics").said)

    end(running.process, running.name, grace=60)

    lease = control_plane.kubectl("get", "lease", "heretic-operator", "-n", pod.namespace, "-o", "json").stdout
    assert json.loads(lease)["spec"]["holderIdentity"] == ""  # it was asked to end, and not killed
    assert gone(pids)
    assert uses(root) == []
    assert not root.exists()
    assert "heretic-test" not in container.buildah("containers", "--format", "{{.ContainerName}}")
    assert not running.process.pid_file.exists()


def test_it_dies_with_what_keeps_it(running: OperatorContainer) -> None:
    pids = below(running.process.pid or 0)

    running.process.kill()

    wait("all that was started is gone", lambda: gone(pids))


def test_another_process_can_end_it(running: OperatorContainer) -> None:
    pids = below(running.process.pid or 0)

    Process("operator", running.process.folder).stop(grace=15)

    wait("all that was started is gone", lambda: gone(pids))
