"""Steps as the operator would send them for a Ready volume, sent straight to a machine.

The operator looks again before it sends anything. What these prove is what happens after that look.
"""

from dataclasses import dataclass

from heretic.domain.gluster.proofs import shape
from heretic.domain.gluster.steps import RestartBricks, StopVolume
from heretic.domain.plan import HostStep
from heretic.hosts.fence import Fence
from heretic.hosts.frames import Frame, parse_frames
from heretic.hosts.script import render_step
from lab.node import Node
from lab.stack import Stack


def send(node: Node, step: HostStep) -> Frame:
    """Lets a machine do a step; its verdict."""
    answer = node.ssh("sh -s", stdin=render_step(step.script(), Fence()), timeout=600)
    (frame,) = parse_frames(answer.stdout.encode())
    return frame


@dataclass(frozen=True)
class Brick:
    """One brick, as its Gluster volume's status records it."""

    node: str
    path: str
    group: str
    name: str
    filesystem: str

    @property
    def key(self) -> str:
        return f"{self.node}.gluster.private:{self.path}"

    @property
    def mount_point(self) -> str:
        return "/".join(self.path.split("/")[:3])


class Volume:
    """A volume with three bricks of which one is an arbiter, as it was recorded and is now on the machines."""

    def __init__(self, stack: Stack, name: str) -> None:
        status = stack.get("gvol", name)["status"]
        self.name = name
        self.id = str(status["volumeId"])
        self.bricks = tuple(_brick(stack, recorded) for recorded in status["bricks"])

    def brick(self, node: str) -> Brick:
        return next(b for b in self.bricks if b.node == node)

    def stop(self, node: str) -> StopVolume:
        bricks = shape(3, 1, (b.key for b in self.bricks))
        return StopVolume(host=node, why="a test", volume=self.name, volume_id=self.id, shape=bricks)

    def restart(self, node: str) -> RestartBricks:
        """Starts a node's brick, planned while all other bricks run."""
        own = self.brick(node)
        return RestartBricks(
            host=node,
            why="a test",
            volume=self.name,
            volume_id=self.id,
            places=((own.mount_point, own.group, own.name, own.filesystem, own.path),),
            online=tuple(b.key for b in self.bricks if b is not own),
            away=(),
            bricks=(own.key,),
        )


def _brick(stack: Stack, recorded: dict[str, str]) -> Brick:
    columns = ("lvs", "--noheadings", "-o", "vg_name,lv_name", "-S", f"lv_uuid={recorded['lvUuid']}")
    group, name = stack.site.nodes[recorded["node"]].ssh(" ".join(columns)).stdout.split()
    return Brick(recorded["node"], recorded["path"], group, name, recorded["filesystemUuid"])
