"""What one pass learns of the trusted pool's volumes, asked on one connected storage node."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from heretic.domain.facts import NOT_OBSERVED, Fact


class VolumeState(StrEnum):
    """gluster's statusStr."""

    CREATED = "Created"
    STARTED = "Started"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Brick:
    """One brick as ``volume info`` has it."""

    host: str
    path: str
    host_uuid: str
    arbiter: bool = False


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """One volume as ``volume info`` has it: the expected set, against which every status is held."""

    name: str
    volume_id: str
    state: VolumeState
    replica_count: int
    arbiter_count: int
    bricks: tuple[Brick, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    """Reconfigured options only."""


@dataclass(frozen=True, slots=True)
class BrickState:
    """One brick as ``volume status detail`` has it; a brick that is missing there is not in the mapping."""

    online: bool
    pid: int | None
    size: int | None
    free: int | None
    host_uuid: str = ""


@dataclass(frozen=True, slots=True)
class VolumeStatus:
    """Processes of one started volume.

    Attributes:
        bricks: By "host:path".
        self_heal: By host name as gluster prints it ("localhost" replaced by the asked node's name).
        daemons: UUID of the glusterd by the same host name.
        tasks: Tasks that are not completed ("Rebalance in progress").
    """

    bricks: Mapping[str, BrickState]
    self_heal: Mapping[str, bool] = field(default_factory=dict)
    daemons: Mapping[str, str] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HealSummary:
    """``heal info summary`` by "host:path"; Unknown for a brick that did not answer.

    Attributes:
        pending: Entries in total.
        split_brain: Entries in split-brain.
        host_uuids: UUID of the brick's glusterd, of bricks that answered.
    """

    pending: Mapping[str, Fact[int]]
    split_brain: Mapping[str, Fact[int]] = field(default_factory=dict)
    host_uuids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """All volumes as one storage node reports them.

    Attributes:
        asked: The Node that was asked.
        volumes: By name; a name that is not in it does not exist (the list itself may be Unknown).
        status: By volume name, only started volumes.
        heal: By volume name, only started replicated volumes.
        clients: By volume name, number of clients other than gluster's own daemons.
        heals: By volume name, what the asked node notes of the last heal that was asked for there; "" where none was.
    """

    asked: str
    volumes: Fact[Mapping[str, VolumeInfo]] = NOT_OBSERVED
    status: Mapping[str, Fact[VolumeStatus]] = field(default_factory=dict)
    heal: Mapping[str, Fact[HealSummary]] = field(default_factory=dict)
    clients: Mapping[str, Fact[int]] = field(default_factory=dict)
    heals: Mapping[str, Fact[str]] = field(default_factory=dict)
