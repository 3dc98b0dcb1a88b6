"""The connection to one host. It is opened when needed, once for all callers, with growing pauses between attempts."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace

from heretic.domain.errors import Bug, Failure, HereticError, NeedsUser, Reason, Transient
from heretic.hosts.errors import no_session
from heretic.hosts.session import Channel, ChannelRefusedError, Session, Traffic
from heretic.hosts.settings import HostSettings
from heretic.hosts.turns import Turns

_TRIES = 5
"""How often a host that runs nothing of ours is asked for a session."""


@dataclass(frozen=True, slots=True)
class ReconnectDelays:
    """Pauses between attempts to connect: 1, 2, 4, 8, 16, 30, 30 … seconds, each shortened at random by up to half.

    Attributes:
        first: Seconds after the first failure.
        most: Seconds at most.
    """

    first: float = 1.0
    most: float = 30.0

    def within(self, failures: int) -> float:
        """Seconds within which the next attempt is made.

        Args:
            failures: Attempts that failed in a row, at least 1.
        """
        return min(self.first * 2.0 ** min(failures - 1, 20), self.most)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much happens at once.

    Attributes:
        connects: Logins at the same time, over all hosts.
        sessions: Scripts at the same time on one host; sshd allows 10 by default. A host that allows fewer gets
            fewer for as long as the connection lasts.
        queue_seconds: How long a script waits for its turn.
        unused_seconds: How long a host that nobody asked for is still tried to be reached.
        steady_seconds: How long a connection must hold for its loss not to count as a failed attempt.
        known_seconds: How long a caller waits for a new attempt to reach a host that is known not to answer.
        again_seconds: How long after a refusal a host is asked for a session again, when none is open.
    """

    connects: int = 20
    sessions: int = 4
    queue_seconds: float = 30.0
    unused_seconds: float = 900.0
    steady_seconds: float = 10.0
    known_seconds: float = 2.0
    again_seconds: float = 0.2


class Link:
    """One host's connection, kept open; safe for concurrent use in one event loop.

    A failed attempt is remembered: until the next one is due, every caller gets its failure at once. A host that
    went away is tried again without a caller too, so that its return is noticed.
    """

    def __init__(
        self,
        settings: HostSettings,
        *,
        traffic: Traffic,
        gate: asyncio.Semaphore,
        limits: Limits,
        delays: ReconnectDelays,
        random: Callable[[], float],
        on_change: Callable[[str], None],
        on_first_use: Callable[[str, str], None],
    ) -> None:
        self.settings = settings
        self._traffic = traffic
        self._gate = gate
        self._limits = limits
        self._delays = delays
        self._random = random
        self._on_change = on_change
        self._on_first_use = on_first_use
        self._turns = Turns(limits.sessions)
        self._session: Session | None = None
        self._connecting: asyncio.Task[Session | Failure] | None = None
        self._failure: Failure | None = None
        self._failures = 0
        self._was_lost = False
        self._due = -math.inf
        self._retry: asyncio.TimerHandle | None = None
        self._asked = -math.inf
        self._since = -math.inf
        self._in_use = 0
        self._closed = False

    def accept(self, settings: HostSettings) -> bool:
        """Takes over new settings where the open connection is as good under them.

        Returns:
            Whether this link goes on; False = another one is needed.
        """
        if self._session is None or not self._session.suits(settings):
            return settings == self.settings
        self.settings = settings
        return True

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Channel]:
        """An open channel, with one of the host's turns.

        Raises:
            HereticError: The host cannot be reached or refuses (NeedsUser or Transient), or all turns stay taken.
        """
        self._asked = asyncio.get_running_loop().time()
        self._in_use += 1
        try:
            while True:
                async with self._turn():
                    channel = await self._open()
                    if channel is not None:
                        with closing(channel):
                            yield channel
                        return
        finally:
            self._in_use -= 1
            if self._closed and not self._in_use:
                self._drop()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            await self._turns.take(self._limits.queue_seconds)
        except TimeoutError:
            raise HereticError(self._busy()) from None
        try:
            yield
        finally:
            self._turns.give()

    async def _open(self) -> Channel | None:
        """A channel; None = the host has fewer turns than were thought, and the caller has to wait for one.

        A host may allow fewer sessions than others do (sshd's MaxSessions, down to 1): what runs there must not lose
        its connection for that. A refusal while nothing runs is no such thing, but sshd counts a session that has just
        ended for a moment longer. After some tries sessions have leaked there, and only a new connection can be relied
        on.
        """
        for _ in range(_TRIES):
            session = await self._connected()
            try:
                return await session.channel()
            except ChannelRefusedError as refused:
                said = str(refused)
            if session.channels:
                self._turns.allow(min(session.channels, self._turns.room))
                return None
            await asyncio.sleep(self._limits.again_seconds)
        self._leave(session, said)
        return None

    def _leave(self, session: Session, said: str) -> None:
        """Ends a connection on which the host opens no session, unless it has just opened one to somebody else.

        Raises:
            HereticError: It has not.
        """
        if session.channels:
            return
        failure = no_session(self.settings, said, ever=session.proved)
        if not session.proved and self._session is session:
            # Its end is no loss: the login works, and nothing else. What is told stays the same until the next try.
            self._session = None
            failure = self._failed(failure)
        session.abort()
        raise HereticError(failure)

    async def _connected(self) -> Session:
        if self._session is not None and self._session.alive:
            return self._session
        if self._failure is not None and asyncio.get_running_loop().time() < self._due:
            raise HereticError(self._failure)
        attempt = self._connect()
        # Not awaited itself: a caller that is cancelled must not take the connection away from the others. Nor waited
        # for long where the host is known not to answer: the attempt goes on, and its success is told to everybody.
        known = self._failure
        done, _ = await asyncio.wait([attempt], timeout=self._limits.known_seconds if known else None)
        if known is not None and not done:
            raise HereticError(known)
        if attempt.cancelled():
            raise HereticError(self._closing())
        result = attempt.result()
        if isinstance(result, Session):
            return result
        raise HereticError(result)

    def _connect(self) -> "asyncio.Task[Session | Failure]":
        if self._connecting is None:
            self._stop_retry()
            self._connecting = asyncio.create_task(self._attempt(), name=f"connect {self.settings.name}")
            self._connecting.add_done_callback(self._attempted)
        return self._connecting

    def _attempted(self, _: object) -> None:
        self._connecting = None

    async def _attempt(self) -> Session | Failure:
        try:
            async with self._gate:
                session, accepted = await Session.open(self.settings, self._traffic, self._lost)
        except HereticError as error:
            return self._failed(error.failure)
        if self._closed and not self._in_use:
            session.abort()
            return self._closing()
        if accepted is not None:
            self._on_first_use(self.settings.name, accepted)
            self.settings = replace(self.settings, host_keys=(accepted,))
        self._session = session
        self._turns.allow(self._limits.sessions)
        self._since = asyncio.get_running_loop().time()
        came_back = self._was_lost or self._failure is not None
        self._failure, self._was_lost = None, False
        if came_back:
            self._on_change(self.settings.name)
        return session

    def _failed(self, failure: Failure) -> Failure:
        """Remembers a failure and when to try again; the message stays the same until then."""
        self._failures += 1
        within = self._delays.within(self._failures)
        pause = within * (1.0 - 0.5 * self._random())
        loop = asyncio.get_running_loop()
        self._due = loop.time() + pause
        self._failure = _with_next_try(failure, within)
        if isinstance(failure, Transient) and not self._closed:
            self._retry = loop.call_later(pause, self._try_again)
        return self._failure

    def _try_again(self) -> None:
        self._retry = None
        if asyncio.get_running_loop().time() - self._asked < self._limits.unused_seconds:
            self._connect()

    def _lost(self) -> None:
        if self._session is None:
            return
        self._session = None
        self._was_lost = True
        if self._closed:
            return
        if asyncio.get_running_loop().time() - self._since < self._limits.steady_seconds:
            # A host that hangs up after each login must not be called without pause.
            self._failed(Transient(Reason.CONNECTION_LOST, f"{self.settings}: the connection was lost"))
        else:
            self._failures = 0
            lost = Transient(Reason.CONNECTION_LOST, f"{self.settings}: the connection was lost")
            self._failure, self._due = _with_next_try(lost, self._delays.first), -math.inf
        self._on_change(self.settings.name)

    def _stop_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None

    def _closing(self) -> Failure:
        return Transient(Reason.CONNECTION_LOST, f"{self.settings}: the connection is being closed")

    def _busy(self) -> Failure:
        return Transient(
            Reason.COMMAND_TIMED_OUT,
            f"{self.settings}: {self._turns.room} other scripts kept the host busy "
            f"for {self._limits.queue_seconds:.0f} s",
        )

    def retire(self) -> None:
        """Ends the connection as soon as the calls that use it have ended; nothing starts it again."""
        self._closed = True
        self._stop_retry()
        if not self._in_use:
            self._drop()

    def _drop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._session is not None:
            self._session.abort()

    async def close(self) -> None:
        """Ends the connection now and waits for that."""
        self._closed = True
        self._stop_retry()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


def _with_next_try(failure: Failure, within: float) -> Failure:
    """Adds when the host is tried again: the bound of the pause, which repeats, not the moment, which does not."""
    match failure:
        case Transient(reason, message):
            return Transient(reason, f"{message}; tried again within {within:.0f} s")
        case NeedsUser() | Bug():
            return failure
