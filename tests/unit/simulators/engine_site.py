"""A simulated engine that runs, its clock, and its clients."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import ovirtsdk4

from sim.engine.server import EngineServer


@dataclass
class Clock:
    """A clock that only goes when it is told."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def go(self, **step: float) -> None:
        self.now += timedelta(**step)


@dataclass
class EngineSite:
    """A running engine and its clients."""

    server: EngineServer
    clock: Clock
    folder: Path
    connections: list[Any] = field(default_factory=list)

    def connect(self, **changed: Any) -> Any:
        trusted = self.folder / "ca.pem"
        trusted.write_text(self.server.engine.authority.pem)
        options = {
            "url": self.server.url,
            "username": "admin@internal",
            "password": "secret",
            "ca_file": str(trusted),
            "timeout": 20,
        }
        self.connections.append(ovirtsdk4.Connection(**{**options, **changed}))
        return self.connections[-1].system_service()

    def names(self, table: str) -> list[str]:
        return [value.name for value in getattr(self.server.engine.state, table).values()]
