"""Turns on one host: a fixed number of callers at the same time, first come, first served."""

import asyncio
from collections import deque


class Turns:
    """Turns of one host, of which there may be fewer from one moment to the next.

    Args:
        most: How many at the same time, at least 1.
    """

    def __init__(self, most: int) -> None:
        self.room = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, seconds: float) -> None:
        """Waits for a turn; the caller has to give it back.

        Raises:
            TimeoutError: None became free in this time.
        """
        if self._taken < self.room and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            # Not wait_for: before Python 3.12 it may swallow a cancellation.
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:  # on cancellation too: a turn that its caller does not use is somebody else's
            if turn.done() and not turn.cancelled():
                self.give()
            else:
                turn.cancel()
            raise

    def give(self) -> None:
        """Gives a turn back."""
        self._taken -= 1
        self._pass_on()

    def allow(self, room: int) -> None:
        """From now on there are so many turns, at least 1; those who have one keep it."""
        self.room = max(room, 1)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting and self._taken < self.room:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._taken += 1
