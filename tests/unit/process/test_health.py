"""What the probes are told, situation by situation, and over HTTP."""

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from heretic.health import OVERDUE, SILENT, STUCK, Health, serve


class Clock:
    """Seconds that the test decides."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def pass_time(health: Health, clock: Clock, seconds: float) -> None:
    """Time in which the event loop runs and the API server answers."""
    clock.now += seconds
    health.beat()
    health.heard()


def begin(health: Health) -> None:
    health.waits_for("")


def leave_alone(health: Health) -> None:
    """Nothing more happens."""


@pytest.mark.parametrize(
    ("happens", "seconds", "live", "ready"),
    [
        pytest.param(leave_alone, 0, "", "it is starting", id="it has not started"),
        pytest.param(begin, 0, "", "", id="it has started"),
        pytest.param(begin, STUCK - 1, "", "", id="the event loop is late"),
        pytest.param(begin, STUCK + 1, "event loop", "event loop", id="the event loop stands still"),
        pytest.param(
            lambda h: h.waits_for("no right to list nodes"), 5, "", "no right to list nodes", id="it cannot start yet"
        ),
    ],
)
def test_a_process_that_runs_is_live_and_one_that_has_started_is_ready(
    health: Health, clock: Clock, happens: Callable[[Health], None], seconds: float, live: str, ready: str
) -> None:
    happens(health)
    clock.now += seconds

    assert live in health.illness()
    assert bool(health.illness()) == bool(live)
    assert ready in health.obstacle()
    assert bool(health.obstacle()) == bool(ready)


def test_an_api_server_that_does_not_answer_is_no_reason_for_a_new_process(health: Health, clock: Clock) -> None:
    health.waits_for("")
    health.unheard("no answer: connection refused")
    clock.now += SILENT - 1
    health.beat()
    assert health.obstacle() == ""

    clock.now += 2
    health.beat()
    assert "connection refused" in health.obstacle()
    assert health.illness() == ""

    health.heard()
    assert health.obstacle() == ""


@pytest.mark.parametrize(
    ("told", "seconds", "red"),
    [
        pytest.param(lambda h: h.knows("n1"), OVERDUE + 1, True, id="no pass over it ever began"),
        pytest.param(lambda h: h.expects("n1"), OVERDUE - 1, False, id="a long pass"),
        pytest.param(lambda h: h.expects("n1"), OVERDUE + 1, True, id="a pass that never ends"),
        pytest.param(lambda h: h.expects("n1", 3600), 3600 + OVERDUE - 1, False, id="the next pass may wait"),
        pytest.param(lambda h: h.expects("n1", 60), 60 + OVERDUE + 1, True, id="the next pass does not come"),
        pytest.param(lambda h: (h.expects("n1"), h.forget("n1")), 2 * OVERDUE, False, id="the object is gone"),
        pytest.param(
            lambda h: (h.expects("n1", 2 * OVERDUE), h.knows("n1")), OVERDUE + 1, False, id="it is only seen again"
        ),
    ],
)
def test_an_object_whose_pass_does_not_end_makes_the_process_ill(
    health: Health, clock: Clock, told: Callable[[Health], object], seconds: float, red: bool
) -> None:
    health.waits_for("")
    told(health)
    pass_time(health, clock, seconds)

    assert ("n1" in health.illness()) == red
    assert bool(health.illness()) == red


@pytest.fixture
def url(health: Health) -> Iterator[str]:
    server = serve(health, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_probes_and_prometheus_ask_on_one_port(health: Health, clock: Clock, url: str) -> None:
    assert get(f"{url}/healthz") == (200, "ok\n")
    assert get(f"{url}/readyz") == (503, "it is starting\n")
    assert "python_info" in get(f"{url}/metrics")[1]
    assert get(f"{url}/other")[0] == 404

    health.waits_for("")
    assert get(f"{url}/readyz") == (200, "ok\n")

    clock.now += STUCK + 1
    assert get(f"{url}/healthz")[0] == 503
