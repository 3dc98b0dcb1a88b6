"""The simulated engine answers as a real oVirt engine 4.5.7 did, and refuses what it was not told."""

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sim.engine.engine import SimEngine
from sim.engine.server import EngineServer
from sim.engine.state import EngineState
from unit.simulators.engine_replay import Answered, Exchange, Replay, exchanges

README = Path(__file__).parents[2] / "sim/engine/README.md"
# What a real engine answers and the simulated one was not told: the README lists the same.
LEFT_OUT = frozenset(
    f"GET /ovirt-engine/api/{name}"
    for name in (
        *("bookmarks", "cpuprofiles", "diskprofiles", "disks", "domains", "externalhostproviders", "groups", "icons"),
        *("imagetransfers", "instancetypes", "katelloerrata", "openstackimageproviders", "openstackvolumeproviders"),
        *(
            "operatingsystems",
            "permissions",
            "roles",
            "schedulingpolicyunits",
            "storageconnections",
            "tags",
            "templates",
        ),
        *("users", "vmpools"),
    )
)
AFTER_LOGIN = ("top", "datacenter-cluster", "networks", "host-refused")


@pytest.fixture
def replay() -> Iterator[Replay]:
    moment = datetime(2026, 11, 26, tzinfo=UTC)
    with EngineServer(SimEngine(EngineState(now=lambda: moment))) as server:
        yield Replay(server)


def _ask_about_login(replay: Replay, exchange: Exchange) -> Answered:
    """Recordings hold neither passwords nor tokens: the notes say which were right."""
    request = dict(exchange.request)
    password = "wrong" if "wrong password" in exchange.note else "secret"
    if request.get("body"):
        request["body"] = request["body"].replace("password=REDACTED", f"password={password}")
        request["body"] = request["body"].replace("token=REDACTED", f"token={replay.token}")
    headers = {}
    if request["headers"].get("Authorization", "").startswith("Basic"):
        headers["Authorization"] = "Basic " + b64encode(f"admin@internal:{password}".encode()).decode()
    if exchange.note == "garbage token":
        headers["Authorization"] = "Bearer garbage"
    if exchange.note == "second token":
        replay.log_in()
    changed = Exchange(exchange.scenario, exchange.number, request, exchange.response, exchange.note)
    return replay.ask_again(changed, **headers)


def test_login_and_services_answer_as_recorded(replay: Replay) -> None:
    for exchange in exchanges("sso"):
        replay.compare(exchange, _ask_about_login(replay, exchange))
    assert replay.differences == []
    assert replay.server.engine.refused == []


def test_the_api_answers_as_recorded_and_refuses_what_is_left_out(replay: Replay) -> None:
    replay.log_in()
    refused = 0
    for scenario in AFTER_LOGIN:
        for exchange in exchanges(scenario):
            answered = replay.ask_again(exchange)
            if f"{exchange.request['method']} {exchange.request['path']}" in LEFT_OUT:
                refused += 1
                assert answered.status == 501, exchange.title
                continue
            replay.compare(exchange, answered)
    assert replay.differences == []
    assert refused == len(LEFT_OUT)
    assert len(replay.server.engine.refused) == refused


def test_the_readme_lists_what_is_left_out() -> None:
    listed = re.search(r"Refused collections: (.*?)\.\n", README.read_text(), re.DOTALL)
    assert listed
    assert {f"GET /ovirt-engine/api/{name}" for name in re.findall(r"`(\w+)`", listed[1])} == LEFT_OUT
