"""Names of backups, and the times at which they are due."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from heretic.api.v1alpha1.engine_backup import BackupSchedule
from heretic.api.v1alpha1.site import Weekday

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"([a-z0-9.-]+)_([A-Za-z0-9.+~-]+)_(\d{8}T\d{6}Z)\.backup")
_DAYS = tuple(Weekday)

SUM = ".sha256"
"""What the file is called beside a backup that proves it."""


@dataclass(frozen=True, slots=True)
class BackupName:
    """What the name of a backup says: a person who has nothing but the file knows what it is of.

    Attributes:
        fqdn: Of the engine.
        version: Of it.
        taken: When the backup was begun.
    """

    fqdn: str
    version: str
    taken: datetime

    def __str__(self) -> str:
        version = re.sub(r"[^A-Za-z0-9.+~-]", "-", self.version) or "unknown"
        return f"{self.fqdn}_{version}_{self.taken.astimezone(UTC).strftime(_STAMP)}.backup"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Reads a name; None where it is not one of ours."""
        found = _NAME.fullmatch(text)
        if found is None:
            return None
        try:
            taken = datetime.strptime(found[3], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(found[1], found[2], taken)


def last_due(schedule: BackupSchedule, now: datetime) -> datetime:
    """The last time of the schedule that is over. However many were missed, one backup makes up for all of them.

    Args:
        schedule: As declared.
        now: In UTC.
    """
    now = now.astimezone(UTC)
    days = schedule.days or _DAYS
    times = sorted((int(text[:2]), int(text[3:])) for text in schedule.times)
    for back in range(8):
        day = now - timedelta(days=back)
        if _DAYS[day.weekday()] not in days:
            continue
        for hour, minute in reversed(times):
            due = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
            if due <= now:
                return due
    raise AssertionError("within eight days every schedule was due")
