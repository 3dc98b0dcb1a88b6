from datetime import UTC, datetime
from typing import Any

import pytest

from heretic.cluster.events import BURST, REFILL_SECONDS, EventRecorder, transitions
from unit.cluster.fake_api import FakeApi, volume


def condition(type_: str, status: str, reason: str, message: str = "said") -> dict[str, Any]:
    return {"type": type_, "status": status, "reason": reason, "message": message}


READY = condition("Ready", "True", "AsDeclared")
NOT_READY = condition("Ready", "False", "BrickDown", "node2: brick down")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param([], [NOT_READY], [], id="a first look that is not good yet is no transition"),
        pytest.param([NOT_READY], [READY], [("AsDeclared", "Ready: said", False)], id="turned Ready"),
        pytest.param([READY], [NOT_READY], [("BrickDown", "Ready: node2: brick down", True)], id="turned bad"),
        pytest.param([READY], [READY | {"message": "other words"}], [], id="other words only"),
        pytest.param(
            [condition("Maintenance", "True", "AsDeclared")],
            [condition("Maintenance", "False", "AsDeclared")],
            [("AsDeclared", "Maintenance: said", False)],
            id="the end of a maintenance is no bad news",
        ),
        pytest.param(
            [NOT_READY],
            [condition("Ready", "False", "QuorumLost")],
            [("QuorumLost", "Ready: said", True)],
            id="bad for another reason",
        ),
        pytest.param(
            [],
            [condition("Stalled", "True", "InvalidSpec")],
            [("InvalidSpec", "Stalled: said", True)],
            id="stalled",
        ),
        pytest.param([], [condition("Reconciling", "True", "Applying")], [], id="progress is no event"),
        pytest.param(
            [condition("Started", "Unknown", "NotObserved")],
            [condition("Started", "False", "WorkInProgress")],
            [],
            id="looked at for the first time, and work has begun",
        ),
        pytest.param(
            [condition("DisksReady", "True", "AsDeclared")],
            [condition("DisksReady", "False", "Applying")],
            [("Applying", "DisksReady: said", False)],
            id="work on what was there is no bad news",
        ),
        pytest.param(
            [condition("Started", "Unknown", "NotObserved")],
            [condition("Started", "False", "VolumeNotStarted")],
            [("VolumeNotStarted", "Started: said", True)],
            id="found stopped",
        ),
    ],
)
def test_transitions(
    before: list[dict[str, Any]], after: list[dict[str, Any]], said: list[tuple[str, str, bool]]
) -> None:
    assert transitions(before, after) == said


class Clock:
    at = 0.0

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_repeat_raises_a_count_and_a_flood_is_cut_off() -> None:
    api, clock = FakeApi(), Clock()
    recorder = EventRecorder(api, now=clock.now, monotonic=clock.monotonic, component="test")  # type: ignore[arg-type]
    for _ in range(3):
        await recorder.record("GlusterVolume", volume(), "BrickDown", "node2", warning=True)
    assert len(api.events) == 1
    assert api.repeats == [("event-1", 2), ("event-1", 3)]
    assert api.events[0]["type"] == "Warning"
    assert api.events[0]["involvedObject"]["uid"] == "uid-data"
    for n in range(BURST * 2):
        await recorder.record("GlusterVolume", volume(), "BrickDown", f"other {n}", warning=True)
    assert len(api.events) == BURST - 3 + 1
    clock.at += REFILL_SECONDS
    await recorder.record("GlusterVolume", volume(), "BrickDown", "later", warning=True)
    assert len(api.events) == BURST - 3 + 2
