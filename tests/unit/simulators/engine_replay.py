"""Holds the simulated engine against recordings of a real one: what each asks is asked again, in the same order.

Ids and times differ from run to run. An id that is seen for the first time is taken for the recorded one at the same
place; from then on it has to be that one everywhere.
"""

import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from sim.engine.server import EngineServer

DATA = Path(__file__).parents[2] / "data/engine/4.5.7"
RECORDED_BASE = "https://engine.example.test"
COMPARED_HEADERS = ("Content-Type", "WWW-Authenticate", "Location", "Link")
_TIMES = frozenset({"time", "start_time", "end_time", "last_updated"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_CUT = re.compile(r"…? \(cut: .*", re.DOTALL)
_ENUM_VALUES = re.compile(r"(Valid values are: )(.*)\.")


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its response."""

    scenario: str
    number: int
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    note: str

    @property
    def title(self) -> str:
        """Which one it is, for a person."""
        return f"{self.scenario} {self.number}: {self.request['method']} {self.request['path']} {self.note}".strip()


def exchanges(scenario: str) -> Iterator[Exchange]:
    """What was recorded, in order."""
    recording = json.loads((DATA / f"{scenario}.json").read_text())
    for number, found in enumerate(recording["exchanges"]):
        yield Exchange(scenario, number, found["request"], found["response"], found.get("note") or "")


@dataclass(frozen=True)
class Answered:
    """What the simulated engine answered."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Replay:
    """A simulated engine that is asked what a real one was asked.

    Attributes:
        server: It.
        token: Of the session that asks.
        ids: Recorded ids, and what is made of them, -> those of this engine.
        differences: What is not as recorded.
    """

    server: EngineServer
    token: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Answered:
        """Sends a request as it is."""
        trusted = ssl.create_default_context(cadata=self.server.engine.authority.pem)
        connection = http.client.HTTPSConnection("localhost", self.server.port, timeout=20, context=trusted)
        try:
            # The library itself would say what it accepts, and in which encoding.
            connection.putrequest(method, path, skip_accept_encoding=True)
            sent = dict(headers or {})
            if body is not None:
                sent["Content-Length"] = str(len(body.encode()))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body.encode() if body else None)
            response = connection.getresponse()
            return Answered(response.status, dict(response.headers), response.read().decode())
        finally:
            connection.close()

    def log_in(self) -> str:
        """A new session, which asks from now on."""
        form = "grant_type=password&username=admin%40internal&password=secret&scope=ovirt-app-api"
        answered = self.ask("POST", "/ovirt-engine/sso/oauth/token", body=form)
        self.token = json.loads(answered.body)["access_token"]
        return self.token

    def ask_again(self, exchange: Exchange, **headers: str) -> Answered:
        """Sends a recorded request, with the ids and the session of this engine."""
        request = exchange.request
        body = request.get("body")
        sent = dict(request["headers"]) | headers
        if sent.get("Authorization") == "Bearer REDACTED":
            sent["Authorization"] = f"Bearer {self.token}"
        if body and "Content-Type" not in sent:
            sent["Content-Type"] = "application/xml"
        return self.ask(request["method"], self.mapped(request["path"]), sent, body and self.mapped(body))

    def mapped(self, text: str) -> str:
        """A recorded text with the ids and the name of this engine."""
        for recorded, ours in self.ids.items():
            text = text.replace(recorded, ours)
        return text.replace(RECORDED_BASE, f"https://localhost:{self.server.port}")

    def compare(self, exchange: Exchange, answered: Answered) -> None:
        """Notes what is not as recorded: status, headers, structure, values."""
        recorded = exchange.response
        at = exchange.title
        self._equal(at, "status", recorded["status"], answered.status)
        body = recorded.get("body") or ""
        kind = recorded["headers"].get("Content-Type", "")
        if kind.startswith("application/xml") and body:
            self._compare_xml(at, ET.fromstring(body.encode()), ET.fromstring(answered.body.encode()))
        elif kind == "application/json" and body:
            self._compare_json(at, json.loads(body), json.loads(answered.body))
        elif "(cut: " in body:
            start = _CUT.sub("", body).replace("<style>…</style>", "").rstrip("…")
            self._equal(at, "page", self.mapped(start), answered.body[: len(self.mapped(start))])
        elif "pki-resource" not in exchange.request["path"] or recorded["status"] != 200:
            self._equal(at, "text", self.mapped(body).strip(), answered.body.strip())
        for name in COMPARED_HEADERS:
            self._equal(at, name, self.mapped(recorded["headers"].get(name, "")), answered.headers.get(name, ""))
        self._equal(at, "correlation", "Correlation-Id" in recorded["headers"], "Correlation-Id" in answered.headers)

    def _compare_xml(self, at: str, recorded: ET.Element, ours: ET.Element) -> None:
        if recorded.tag in ("events", "jobs"):
            self._compare_history(at, recorded, ours)
            return
        self._learn(recorded, ours)
        self._compare_element(at, recorded, ours)

    def _compare_history(self, at: str, recorded: ET.Element, ours: ET.Element) -> None:
        """Events and jobs depend on all that happened before; those that both engines had are compared."""
        known = {_told(entry): entry for entry in recorded}
        for entry in ours:
            if (told := _told(entry)) in known:
                self._compare_element(f"{at} {told}", _shape(known[told]), _shape(entry))
        self._equal(at, "something in common", bool(len(recorded)), any(_told(entry) in known for entry in ours))

    def _learn(self, recorded: ET.Element, ours: ET.Element) -> None:
        theirs, key = recorded.get("id"), ours.get("id")
        if theirs and key and theirs not in self.ids and key not in self.ids.values():
            self.ids[theirs] = key
            self.ids[_linux_name(theirs)] = _linux_name(key)
        for one, other in _pairs(recorded, ours):
            if one is not None and other is not None:
                self._learn(one, other)

    def _compare_element(self, at: str, recorded: ET.Element, ours: ET.Element) -> None:
        at = f"{at} {recorded.tag}"
        attributes = {name: self.mapped(value) for name, value in recorded.attrib.items()}
        self._equal(at, "attributes", attributes, dict(ours.attrib))
        self._compare_text(at, recorded.tag, (recorded.text or "").strip(), (ours.text or "").strip())
        for one, other in _pairs(recorded, ours):
            if one is None or other is None:
                found = one if one is not None else other
                assert found is not None
                side = "missing" if other is None else "too much"
                self.differences.append(f"{at}: {side}: {ET.tostring(found, encoding='unicode')[:200]}")
            else:
                self._compare_element(at, one, other)

    def _compare_text(self, at: str, tag: str, recorded: str, ours: str) -> None:
        if tag in _TIMES:
            self._equal(at, "a time", bool(_TIME.fullmatch(recorded)), bool(_TIME.fullmatch(ours)))
        elif tag == "detail":
            self._equal(at, "text", _sorted_values(self.mapped(recorded)), _sorted_values(ours))
        else:
            self._equal(at, "text", self.mapped(recorded), ours)

    def _compare_json(self, at: str, recorded: Any, ours: Any) -> None:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            self._equal(at, "fields", sorted(recorded), sorted(ours))
            for name in recorded.keys() & ours.keys():
                self._compare_json(f"{at} {name}", recorded[name], ours[name])
        elif isinstance(recorded, list) and isinstance(ours, list):
            self._equal(at, "length", len(recorded), len(ours))
            for one, other in zip(sorted(recorded, key=str), sorted(ours, key=str), strict=False):
                self._compare_json(at, one, other)
        elif not (recorded == "REDACTED" or at.rpartition(" ")[2] in _TIMES):
            self._equal(at, "value", self.mapped(str(recorded)), str(ours))

    def _equal(self, at: str, what: str, recorded: object, ours: object) -> None:
        if recorded != ours:
            self.differences.append(f"{at}: {what}: recorded {recorded!r}, here {ours!r}")


def _pairs(recorded: ET.Element, ours: ET.Element) -> Iterator[tuple[ET.Element | None, ET.Element | None]]:
    """Children of the same tag and name, or of the same link; the order of fields says nothing."""
    left = list(ours)
    for one in recorded:
        other = next((found for found in left if _alike(one, found)), None)
        if other is not None:
            left.remove(other)
        yield one, other
    for other in left:
        yield None, other


def _alike(one: ET.Element, other: ET.Element) -> bool:
    return (one.tag, one.get("rel"), one.findtext("name")) == (other.tag, other.get("rel"), other.findtext("name"))


def _linux_name(key: str) -> str:
    """What the engine calls a network on hosts whose own name does not do there."""
    return f"on{key.replace('-', '')}"[:15]


def _told(entry: ET.Element) -> str:
    """What an event or a job says, without the name of a session; and what became of a job."""
    return (entry.findtext("status") or "") + re.sub(r"'[^']{20,}'", "'…'", entry.findtext("description") or "")


def _shape(entry: ET.Element) -> ET.Element:
    """An event or a job without what differs from run to run."""
    shape = ET.Element(entry.tag)
    for child in entry:
        kept = child.tag in (
            "code",
            "severity",
            "status",
            "origin",
            "custom_id",
            "flood_rate",
            "auto_cleared",
            "external",
        )
        made = ET.SubElement(shape, child.tag)
        made.text = child.text if kept else None
        made.extend(ET.Element(inner.tag) for inner in child)
    for child in shape:
        if child.tag in _TIMES:
            child.text = "2026-01-01T00:00:00.000Z"
    return shape


def _sorted_values(detail: str) -> str:
    """The SDK lists the values of an enumeration in another order than the engine."""
    return _ENUM_VALUES.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), detail)
