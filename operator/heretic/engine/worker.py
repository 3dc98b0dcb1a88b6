"""The thread in which the SDK works, so that the event loop never waits for it."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import EngineCall
from heretic.domain.engine.record import Record
from heretic.domain.errors import Bug, HereticError, Reason, Transient
from heretic.engine.settings import EngineSettings

T = TypeVar("T")


class Worker:
    """Reads and writes bodies. The SDK is loaded with the first of them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ovirtsdk4")

    async def write(self, call: EngineCall, secrets: Mapping[SecretRef, str]) -> tuple[str, str, bytes | None]:
        """The method, the path and the body of a call's request.

        Args:
            call: Of a step.
            secrets: The value of each secret that it names.

        Raises:
            HereticError: Bug; the API has no such path, operation or element.
        """

        def written() -> tuple[str, str, bytes | None]:
            from heretic.engine import model

            try:
                for path in call.collections:
                    model.check(path, "list")
                method, path = model.route(call.request)
                return method, path, model.body_of(call.request.body, secrets) if call.request.body else None
            except model.NotInModelError as error:
                raise HereticError(Bug(f"an engine was to be asked for what its API does not have: {error}")) from None

        return await self._in_thread(written)

    async def read(self, settings: EngineSettings, doing: str, body: bytes, path: str = "") -> list[Record]:
        """Reads an answer: all things of a list, or the one thing that it is.

        Args:
            settings: Of the engine.
            doing: What was asked, for the message.
            body: XML.
            path: Of the list that was asked for; "" = it was none.

        Raises:
            HereticError: Transient; it cannot be understood.
        """

        def read() -> list[Record]:
            from heretic.engine import model

            try:
                return model.records_of(body, path)
            except model.NotReadableError as error:
                message = f"{settings}: {doing}: the answer cannot be understood: {error}"
                raise HereticError(Transient(Reason.OUTPUT_NOT_UNDERSTOOD, message)) from None

        return await self._in_thread(read)

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)
