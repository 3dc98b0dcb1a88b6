"""How far a deployment is, and how it failed, by what oVirt's role says: the names of its tasks, and its messages."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from heretic.domain.errors import Reason
from heretic.domain.jobs import FailedJob

TASKS = r"^TASK \["
"""Lines that tell how far it is; for grep."""

_TASK = re.compile(r"^TASK \[(?:[\w.]+ : )?(.*?)\] ?\**$")
_FATAL = re.compile(r"^(?:fatal|failed): \[[^\]]*\][^{]*(\{.*\})?\s*$")


@dataclass(frozen=True, slots=True)
class DeploymentStage:
    """A part of a deployment.

    Attributes:
        name: For people.
        percent: How much of all work is done when it begins, roughly.
        tasks: Beginnings of names of tasks in it.
    """

    name: str
    percent: int
    tasks: tuple[str, ...]


STAGES = (
    DeploymentStage(
        "installing packages", 1, ("Gathering Facts", "Keep the password", "Install oVirt", "Install required packages")
    ),
    DeploymentStage("checking the host", 3, ("System configuration validations", "Validate", "Get Fully Qualified")),
    DeploymentStage(
        "cleaning the host", 6, ("Clean environment before deployment", "Stop libvirt service", "Drop vdsm")
    ),
    DeploymentStage(
        "making the temporary machine",
        12,
        (
            "Bootstrap local VM",
            "Create local VM",
            "Extract appliance",
            "Wait for SSH",
            "Get local VM IP",
            "Wait for the local VM",
        ),
    ),
    DeploymentStage(
        "restoring the backup",
        24,
        ("Copy the backup file", "Run engine-backup", "Remove previous hosted-engine VM", "Rename previous HE"),
    ),
    DeploymentStage(
        "setting up the engine",
        30,
        ("Engine Setup on local VM", "Execute engine-setup", "Run engine-setup", "Wait for engine-setup"),
    ),
    DeploymentStage(
        "adding the first host",
        50,
        (
            "Wait for ovirt-engine service",
            "Ensure that the target",
            "Enable GlusterFS",
            "Add host",
            "Wait for the host",
        ),
    ),
    DeploymentStage(
        "making the storage domain",
        68,
        ("Create Storage Domain", "Add glusterfs storage domain", "Get storage domain", "Activate storage domain"),
    ),
    DeploymentStage(
        "making the engine's machine", 75, ("Create target", "Add HE disks", "Add VM", "Register disk details")
    ),
    DeploymentStage(
        "moving the engine into its machine", 83, ("Shutdown local VM", "Copy local VM disk", "Wait for OVF_STORE")
    ),
    DeploymentStage(
        "starting the engine's machine", 92, ("Initialize lockspace", "Start ovirt-ha", "Check engine VM health")
    ),
    DeploymentStage("cleaning up", 97, ("Final clean", "Remove the bootstrap", "Clean local storage pools")),
)

_FAILURES: tuple[tuple[str, Reason], ...] = (
    (
        r"couldn't resolve module|No module named|jmespath|netaddr|was not found in configured",
        Reason.ENGINE_TOOLS_MISSING,
    ),
    (
        r"Check engine VM health|Engine VM is not running|Engine VM IP address|failed to start inside",
        Reason.ENGINE_MACHINE_NOT_GOOD,
    ),
    (r"engine-backup|Copy the backup file", Reason.RESTORE_FAILED),
    (r"storage domain", Reason.ENGINE_STORAGE_FAILED),
    (r"non_operational|install_failed|Host is not up|Wait for the host to be up", Reason.FIRST_HOST_NOT_UP),
    (r"[Ll]ocal VM|Wait for SSH|bootstrap VM", Reason.ENGINE_BOOTSTRAP_FAILED),
)
"""What a failure is told by; what comes later in a deployment stands first."""


def task_of(line: str) -> str:
    """The name of a task without its role; "" for another line."""
    found = _TASK.match(line.strip())
    return found[1] if found else ""


def stage_of(line: str) -> DeploymentStage | None:
    """The stage that a task belongs to; None for one that is not known."""
    task = task_of(line)
    return next((stage for stage in STAGES if task and task.startswith(stage.tasks)), None)


def failure_of(job: FailedJob) -> tuple[Reason, str]:
    """Why a deployment failed: one of the known ways, and the last lines that mean something.

    Args:
        job: What became of it.
    """
    said = tuple(_meaningful(job.tail))
    text = "\n".join(said)
    reason = next((reason for pattern, reason in _FAILURES if re.search(pattern, text)), Reason.DEPLOYMENT_FAILED)
    return reason, " / ".join(said[-3:]) or job.why


def _meaningful(lines: Iterable[str]) -> Iterator[str]:
    """Messages of failed tasks with the names of these; the rest of a result is not told, because it can be secret."""
    task = ""
    for line in lines:
        if found := task_of(line):
            task = found
        elif failed := _FATAL.match(line.strip()):
            yield f"{task}: {_message(failed[1])}" if task else _message(failed[1])
        elif line.startswith("ERROR!"):
            yield line.strip()


def _message(result: str | None) -> str:
    try:
        return str(json.loads(result or "{}").get("msg") or "it failed")
    except ValueError:
        return "it failed"
