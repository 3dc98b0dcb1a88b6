"""Reads one list of an engine."""

from heretic.domain.engine.record import Record
from heretic.engine.session import EngineSession
from heretic.engine.worker import Worker

LIST_SECONDS = 20.0
"""For one list."""


async def listed(
    session: EngineSession, worker: Worker, path: str, *, doing: str, query: dict[str, str] | None = None
) -> list[Record]:
    """All that a path of the API shows.

    Args:
        session: With the engine.
        worker: Reads the answer.
        path: Below the API's root.
        doing: For messages.
        query: Parameters.

    Raises:
        HereticError: It cannot be told.
    """
    reply = await session.request("GET", path, doing=doing, seconds=LIST_SECONDS, query=query)
    return await worker.read(session.settings, doing, reply.body, path)
