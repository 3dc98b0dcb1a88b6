"""A simulated engine that runs, its clock, and its clients."""

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import ovirtsdk4
from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.messages import HttpRequest
from sim.engine.routes import API
from sim.engine.server import EngineServer
from sim.engine.timeline import Timeline

START = datetime(2026, 1, 1, tzinfo=UTC)
RECORDED_43 = Path(__file__).parents[2] / "data/engine/4.3"


def states(life: Timeline, start: datetime) -> list[tuple[int, str]]:
    """When something comes into which state, in seconds from the start, within ten minutes."""
    found: list[tuple[int, str]] = []
    for second in range(600):
        state = life.status(start + timedelta(seconds=second)).value
        if not found or found[-1][1] != state:
            found.append((second, state))
    return found


def elements(entity: ET.Element) -> dict[str, Any]:
    """What an entity has, without its values."""
    actions = entity.find("actions")
    return {
        "fields": {child.tag for child in entity} - {"link", "actions"},
        "links": {child.get("rel") for child in entity.iterfind("link")},
        "actions": {child.get("rel") for child in (actions if actions is not None else ())},
        "storage": {child.tag for child in entity.iterfind("storage/*")},
    }


def recorded_43(file: str) -> dict[str | None, ET.Element]:
    """The entities of a list that an engine 4.3 showed, by their names."""
    return {entity.findtext("name"): entity for entity in ET.parse(RECORDED_43 / file).getroot()}


@dataclass
class Clock:
    """A clock that only goes when it is told."""

    now: datetime = START

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

    def listed(self, path: str) -> dict[str | None, ET.Element]:
        """The entities of a collection as they are written, by their names."""
        login = {"authorization": "Basic " + b64encode(b"admin@internal:secret").decode()}
        answer = self.server.engine.answer(HttpRequest("GET", f"{API}/{path}", headers=login))
        return {entity.findtext("name"): entity for entity in ET.fromstring(answer.body)}

    def add_host(self, hosts: Any, name: str = "node1", address: str = "192.0.2.11", **options: Any) -> Any:
        """Adds a host that the engine reaches; it is up, or where its options lead, some minutes later."""
        self.server.engine.state.reachable.add(address)
        ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY, port=22)
        cluster = types.Cluster(id=DEFAULT_CLUSTER)
        made = hosts.add(types.Host(name=name, address=address, cluster=cluster, ssh=ssh), **options)
        self.clock.go(minutes=6)
        return hosts.host_service(made.id)
