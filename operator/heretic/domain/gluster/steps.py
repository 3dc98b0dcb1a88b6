"""What Heretic does to volumes.

Every step names the host whose gluster command line is used; its conditions make it safe to repeat there. Paths,
names and options come from validated specs and travel as single arguments.
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.commands import Command, Expect, PutFile, Script
from heretic.domain.disks.proofs import is_source
from heretic.domain.gluster.proofs import (
    are_away,
    has_no_client,
    holds_brick,
    is_gone,
    is_not_mounted_as_client,
    is_online,
    is_volume,
    pool_is_whole,
    says,
    shape,
)
from heretic.domain.plan import HostStep, Risk
from heretic.domain.pool.command import CHANGING, SETTLE, local, transaction
from heretic.domain.pool.probes import heal_note

_SELF_HEAL_PROCESS = "^(/usr)?/sbin/glusterfs .*--process-name glustershd( |$)"
"""The whole command line of the self-heal daemon, as pkill matches it; not that of a shell that speaks of it."""


def _line(text: str, *arguments: str) -> Command:
    """Holds when a local question prints this line, or each of these."""
    return Command(local(*arguments), expect=Expect.CONTAINS, text=text)


def _act(*arguments: str) -> Command:
    return Command(transaction(*arguments), timeout=CHANGING)


@dataclass(frozen=True, kw_only=True)
class CreateVolume(HostStep):
    """Create a volume.

    ``force`` is never given: without it gluster refuses bricks on the root filesystem, two bricks of a set on one
    host, and bricks that already belong to a volume.

    Attributes:
        volume: Name in Gluster.
        replica_count: Copies, the arbiter's counted.
        arbiter_count: 1 or 0.
        bricks: "host:path" in order.
    """

    verb: ClassVar[str] = "CreateVolume"

    volume: str
    replica_count: int
    arbiter_count: int
    bricks: tuple[str, ...]

    def script(self) -> Script:
        """Done when the volume exists with exactly these bricks in these places."""
        return Script(
            done=(says(self.volume, shape(self.replica_count, self.arbiter_count, self.bricks)),),
            actions=(_act("volume", "create", self.volume, *self._replication(), "transport", "tcp", *self.bricks),),
        )

    def _replication(self) -> tuple[str, ...]:
        if self.replica_count == 1:
            return ()
        arbiter = ("arbiter", "1") if self.arbiter_count else ()
        return ("replica", str(self.replica_count), *arbiter)


@dataclass(frozen=True, kw_only=True)
class SetVolumeOptions(HostStep):
    """Set options of a volume, all in one transaction.

    Attributes:
        volume: Name in Gluster.
        options: Names and values.
    """

    verb: ClassVar[str] = "SetVolumeOptions"

    volume: str
    options: tuple[tuple[str, str], ...]

    def script(self) -> Script:
        """Done when the volume lists every option with its value."""
        pairs = (text for option in self.options for text in option)
        listed = "\n".join(f"{name}: {value}" for name, value in self.options)
        return Script(
            done=(_line(listed, "volume", "info", self.volume),),
            actions=(_act("volume", "set", self.volume, *pairs),),
        )


@dataclass(frozen=True, kw_only=True)
class StartVolume(HostStep):
    """Start a volume that is not started; without force, so that gluster itself checks what its bricks are.

    Attributes:
        volume: Name in Gluster.
        volume_id: Gluster's id, "" for one that is only being made.
    """

    verb: ClassVar[str] = "StartVolume"

    volume: str
    volume_id: str = ""

    def script(self) -> Script:
        """Done when gluster calls the volume started."""
        return Script(
            done=(says(self.volume, "Status: Started"),),
            guards=(says(self.volume, f"Volume ID: {self.volume_id}"),) if self.volume_id else (),
            actions=(_act("volume", "start", self.volume), SETTLE),
        )


@dataclass(frozen=True, kw_only=True)
class _StartByForce(HostStep):
    """What is done with ``start force``, which starts whatever of the volume does not run, wherever it is.

    Attributes:
        volume: Name in Gluster.
        volume_id: Gluster's id.
        places: Mount point, group, logical volume, filesystem and folder of each of its bricks on the step's host.
        online: "host:path" of the bricks that run, and must run still.
        away: "host:path" of the bricks that gluster does not reach, and must not reach now: they may be anything.
    """

    volume: str
    volume_id: str
    places: tuple[tuple[str, ...], ...]
    online: tuple[str, ...]
    away: tuple[str, ...]

    def _guards(self) -> tuple[Command, ...]:
        own: list[Command] = []
        for mount_point, group, name, filesystem, path in self.places:
            own += [*is_source(mount_point, group, name, filesystem), holds_brick(path, self.volume_id)]
        return (
            is_volume(self.volume, self.volume_id, "Started"),
            *own,
            *(is_online(self.volume, brick) for brick in self.online),
            *((are_away(self.volume, self.away),) if self.away else ()),
        )

    def _start(self) -> Command:
        return _act("volume", "start", self.volume, "force")


@dataclass(frozen=True, kw_only=True)
class RestartBricks(_StartByForce):
    """Start the missing brick processes of a started volume on the step's own host; those that run are left alone.

    ``start force`` says success also when a brick did not start, so each brick's own status is the proof.

    Attributes:
        bricks: "host:path" of the bricks whose processes are missing.
    """

    verb: ClassVar[str] = "RestartBricks"

    bricks: tuple[str, ...]

    def script(self) -> Script:
        """Done when each of the bricks is online."""
        return Script(
            done=tuple(is_online(self.volume, brick) for brick in self.bricks),
            guards=self._guards(),
            actions=(self._start(), SETTLE),
        )


@dataclass(frozen=True, kw_only=True)
class RestartSelfHeal(_StartByForce):
    """Start the self-heal daemon of a started replicated volume on the step's own host, where it is missing."""

    verb: ClassVar[str] = "RestartSelfHeal"

    def script(self) -> Script:
        """Done when no daemon that gluster lists for this volume is offline.

        A running process is no proof: one process serves all volumes of a host, and can lose one of them at boot
        ("adding svc glustershd to existing process with pid -1", seen with Gluster 10.3). Then no start by force
        brings it back, and the process is ended: it holds no data, and heals go on where it left them. The other
        volumes of the host get it back by their own passes.
        """
        listed = transaction("volume", "status", self.volume, "shd", "--xml")
        return Script(
            done=(
                Command(listed, expect=Expect.CONTAINS, text=f"<volName>{self.volume}</volName>"),
                Command(listed, expect=Expect.LACKS, text="<status>0</status>"),
            ),
            guards=self._guards(),
            actions=(start := self._start(), SETTLE),
            fallback=(Command(("pkill", "-f", _SELF_HEAL_PROCESS)), SETTLE, start, SETTLE),
        )


@dataclass(frozen=True, kw_only=True)
class AskForHeal(HostStep):
    """Ask the self-heal daemons of a volume to look through what they have to heal now, not at their next turn.

    Attributes:
        volume: Name in Gluster.
        volume_id: Gluster's id.
        note: What the host notes of it, so that the same standstill is answered once.
    """

    verb: ClassVar[str] = "AskForHeal"

    volume: str
    volume_id: str
    note: str

    def script(self) -> Script:
        """Done when it is noted; asked twice, Gluster does no more than asked once."""
        path, content = heal_note(self.volume), f"{self.note}\n"
        digest = hashlib.sha256(content.encode()).hexdigest()
        return Script(
            done=(Command(("sha256sum", path), expect=Expect.EQUALS, text=f"{digest}  {path}"),),
            guards=(is_volume(self.volume, self.volume_id, "Started"),),
            actions=(_act("volume", "heal", self.volume), PutFile(path, content)),
        )


@dataclass(frozen=True, kw_only=True)
class StopVolume(HostStep):
    """Stop a volume that is going to be deleted.

    Attributes:
        volume: Name in Gluster.
        volume_id: Gluster's id, so that a namesake made meanwhile is left alone.
        shape: Its bricks as ``volume info`` lists them.
    """

    verb: ClassVar[str] = "StopVolume"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    volume: str
    volume_id: str
    shape: str

    def script(self) -> Script:
        """Done when gluster calls this volume stopped; guarded by nobody's having it open, here or elsewhere."""
        return Script(
            done=(is_volume(self.volume, self.volume_id, "Stopped"),),
            guards=(
                is_volume(self.volume, self.volume_id, "Started", self.shape),
                pool_is_whole(),
                is_not_mounted_as_client(self.volume),
                has_no_client(self.volume),
            ),
            actions=(_act("volume", "stop", self.volume),),
        )


@dataclass(frozen=True, kw_only=True)
class DeleteVolume(HostStep):
    """Delete a stopped volume from the pool; its bricks keep their files.

    Attributes:
        volume: Name in Gluster.
        volume_id: Gluster's id, so that a namesake made meanwhile is left alone.
        shape: Its bricks as ``volume info`` lists them.
    """

    verb: ClassVar[str] = "DeleteVolume"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    volume: str
    volume_id: str
    shape: str

    def script(self) -> Script:
        """Done when glusterd lists its volumes and this one is not among them."""
        return Script(
            done=(is_gone(self.volume),),
            guards=(is_volume(self.volume, self.volume_id, "Stopped", self.shape), pool_is_whole()),
            actions=(_act("volume", "delete", self.volume),),
        )
