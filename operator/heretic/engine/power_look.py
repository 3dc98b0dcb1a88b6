"""What an engine is asked about switching hosts."""

from collections.abc import Collection
from datetime import datetime

from heretic.domain.engine import power
from heretic.domain.engine.extras import Question
from heretic.domain.engine.power import HostPower, PowerOf, PowerTest
from heretic.domain.engine.read import read_all
from heretic.domain.engine.record import NotUnderstoodError
from heretic.domain.errors import HereticError, Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.engine.reading import listed
from heretic.engine.session import EngineSession
from heretic.engine.worker import Worker

TEST_SECONDS = 25.0
"""For a test: a host speaks to the device meanwhile, and the engine waits for it."""

_ASKS = b"<action><fence_type>status</fence_type></action>"
_FAILURES = (Reason.ENGINE_REFUSES, Reason.ENGINE_NOT_ANSWERING)


async def power_of_hosts(
    session: EngineSession, worker: Worker, questions: Collection[Question], now: datetime | None
) -> dict[str, HostPower]:
    """Asks what is due; of tests only one, because each can take long. The others are asked at the next looks.

    Args:
        session: With the engine.
        worker: Reads the answers.
        questions: Of the look.
        now: The engine's clock.

    Returns:
        By the ids of the hosts that were asked about.
    """
    found: dict[str, HostPower] = {}
    tested = False
    for one in sorted((q for q in questions if isinstance(q, PowerOf)), key=lambda q: q.host):
        if (one.tests and tested) or (one.due is not None and (now is None or now < one.due)):
            continue
        agents = await _agents(session, worker, one.host)
        if not one.tests:
            found[one.host] = HostPower(agents)
            continue
        tested = True
        found[one.host] = HostPower(agents, await _test(session, worker, one.host))
    return found


async def _agents(session: EngineSession, worker: Worker, host: str) -> Fact[tuple[power.SeenAgent, ...]]:
    path = f"hosts/{host}/fenceagents"
    try:
        return read_all(await listed(session, worker, path, doing=f"its {path}"), power.agent)
    except HereticError as error:
        return Unknown(error.failure.message)


async def _test(session: EngineSession, worker: Worker, host: str) -> Fact[PowerTest]:
    """The action "status" switches nothing, whatever its name: the engine has the device say whether it gives power."""
    doing = "whether the host has power"
    try:
        reply = await session.request("POST", f"hosts/{host}/fence", doing=doing, seconds=TEST_SECONDS, body=_ASKS)
        (record,) = await worker.read(session.settings, doing, reply.body)
        return Known(power.test_of(record))
    except HereticError as error:
        failed = error.failure.reason in _FAILURES
        return Known(PowerTest("", error.failure.message)) if failed else Unknown(error.failure.message)
    except NotUnderstoodError as error:
        return Unknown(str(error))
