"""Physical volumes that LVM itself does not see, because its devices file lacks them (rule:devices-file)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from heretic.api.v1alpha1 import Node
from heretic.domain.commands import Command, Expect, Script
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.judge import judge
from heretic.domain.facts import NOT_OBSERVED, Known, Unknown
from heretic.domain.host.facts import Disk, HostFacts, PhysicalVolume
from heretic.domain.host.profiles import LVM_DEVICES_FILE
from heretic.domain.host.rule import HostContext, unseen
from heretic.domain.plan import HostStep, PlanItem


@dataclass(frozen=True, kw_only=True)
class AddToDevicesFile(HostStep):
    """Makes LVM see a physical volume that its devices file hides, so the next boot finds it (rule:devices-file)."""

    verb: ClassVar[str] = "AddToDevicesFile"

    device: str
    group: str

    def script(self) -> Script:
        """Only ever adds; LVM itself keeps the rest of the file."""
        seen = ("pvs", "--noheadings", "-o", "vg_name", self.device)
        return Script(
            done=(Command(seen, expect=Expect.EQUALS, text=self.group),),
            actions=(Command(("lvmdevices", "--yes", "--adddev", self.device)),),
        )


def devices_file(host: HostContext) -> Iterator[PlanItem]:
    """Physical volumes of bricks must be in LVM's devices file, or the next boot has no bricks (rule:devices-file)."""
    file = host.facts.files.get(LVM_DEVICES_FILE, NOT_OBSERVED)
    if isinstance(file, Unknown):
        yield unseen(host.facts, LVM_DEVICES_FILE, file)
        return
    for disk, volume in hidden_bricks(host.node, host.view, host.facts):
        yield AddToDevicesFile(
            host=host.name,
            why=f"{volume.device} with {volume.group} is not in {LVM_DEVICES_FILE}",
            device=disk.device or disk.path,
            group=volume.group,
        )


def hidden_bricks(node: Node, view: SiteView, facts: HostFacts) -> tuple[tuple[Disk, PhysicalVolume], ...]:
    """The physical volumes under bricks of ours that LVM does not see, with their disks.

    Args:
        node: The Node.
        view: The declared site.
        facts: Of the host.
    """
    hidden = hidden_volumes(facts)
    if not hidden:
        return ()
    ours = {g.disk.path: g.disk for g in judge(node, view, facts).groups.values()}
    return tuple((ours[volume.device], volume) for volume in hidden if volume.device in ours)


def hidden_volumes(facts: HostFacts) -> tuple[PhysicalVolume, ...]:
    """Physical volumes that LVM does not see because its devices file lacks them.

    Without that file LVM sees every device, and making one would hide all others: then nothing is hidden.
    """
    file, volumes = facts.files.get(LVM_DEVICES_FILE, NOT_OBSERVED), facts.physical_volumes
    if not isinstance(file, Known) or not isinstance(volumes, Known):
        return ()
    return tuple(v for v in volumes.value if f"PVID={v.uuid.replace('-', '')}" not in file.value.content)
