"""Backups of the engine: what is declared of them, and what there is."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, Unique, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.site import Weekday
from heretic.api.v1alpha1.values import ObjectName, Text

TimeOfDay = Annotated[
    str,
    StringConstraints(max_length=8),
    matching("(?:[01][0-9]|2[0-3]):[0-5][0-9]", "must be a time of day from '00:00' to '23:59'"),
]


class BackupSchedule(Model):
    """When backups are made, in UTC."""

    days: Annotated[list[Weekday], Field(max_length=7), Unique()] = Field(
        default=[], description="Days on which one is made, such as [Sunday]. Empty: every day."
    )
    times: Annotated[list[TimeOfDay], Field(min_length=1, max_length=24), Unique()] = Field(
        default=["01:30"],
        description=(
            "Times of these days: hours and minutes in UTC, such as '01:30'. What was missed is made up for, once."
        ),
    )


class EngineBackup(Model):
    """When the engine is backed up, and where its backups are kept."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.path) != has(self.volume)",
            message="exactly one of `path` and `volume` must be set: where the node keeps the backups",
            holds=lambda backup: bool(backup.path) != bool(backup.volume),
        ),
    )

    node: ObjectName = Field(description="Node that fetches the backups from the engine's machine and keeps them.")
    path: Annotated[
        str,
        StringConstraints(max_length=255),
        matching(
            "(?:/[-A-Za-z0-9_+][-A-Za-z0-9_.+]*)+",
            "must be an absolute path without dots in front, such as '/srv/backup'",
        ),
    ] = Field(
        default="",
        description=(
            "Folder of that host, on a filesystem of its own: neither the host's root filesystem, nor one of bricks, "
            "nor the storage on which the engine's machine lies."
        ),
    )
    volume: ObjectName = Field(
        default="",
        description=(
            "GlusterVolume on which the backups are kept, such as one of purpose Backup; mounted on that host. Not the "
            "volume of the engine's machine."
        ),
    )
    schedule: BackupSchedule = Field(default=BackupSchedule(), description="When backups are made.")
    keep: Annotated[int, Field(strict=True, ge=2, le=365)] = Field(
        default=14, description="How many backups are kept, 2 to 365; older ones are removed after a new one is proved."
    )


class EngineBackupStatus(StatusModel):
    """The newest backup that was proved where it is kept."""

    taken: Text = Field(default="", description="When it was begun, in UTC.")
    place: Text = Field(default="", description="Where it is: node and file.")
    sha256: Text = Field(default="", description="Its checksum.")
    bytes: int | None = Field(default=None, description="Its size, in bytes.")
    version: Text = Field(default="", description="Version of the engine that was backed up.")
    count: int | None = Field(default=None, description="How many proved backups of this engine are there.")
    failure: Text = Field(default="", description="How the last try failed, where none succeeded since.")
