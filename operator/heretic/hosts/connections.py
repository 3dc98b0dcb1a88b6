"""The connections to all hosts: every question to a host and every change of one goes through here."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import random as system_random
from typing import Any

from heretic.domain.commands import Output, Probe, Script, Trial
from heretic.domain.errors import Failure, HereticError, Reason, Transient
from heretic.domain.plan import Done, Failed, StepResult
from heretic.hosts.answer import announced, outputs_of, step_result_of
from heretic.hosts.fence import Admission, Fence, Fencing
from heretic.hosts.link import Limits, Link, ReconnectDelays
from heretic.hosts.script import (
    announcement_deadline,
    observation_deadline,
    proof_deadline,
    render_announcement,
    render_observation,
    render_proof,
    render_step,
    step_deadline,
)
from heretic.hosts.session import Traffic
from heretic.hosts.settings import HostSettings


@dataclass(frozen=True, slots=True)
class Batch:
    """What a host answered to a set of probes.

    Attributes:
        outputs: By the probe's name; one for each probe.
        sent_at: The operator's clock when the questions left, seconds since 1970.
        received_at: Likewise when the answer was complete.
    """

    outputs: Mapping[str, Output]
    sent_at: float
    received_at: float


_PROOF_PAUSE = 1.0
"""Seconds between two tries to prove a trial."""


class _FencedScript:
    """A script whose text is written in the moment in which it is sent: the fence in it is never an old one.

    Attributes:
        fence: The fence in the text.
        written: Whether there is a text: from then on the host may have got it.
    """

    def __init__(self, fencing: Fencing, render: Callable[[Fence], str]) -> None:
        self._fencing = fencing
        self._render = render
        self.fence = Fence()
        self.written = False

    def write(self) -> str:
        """Writes the text.

        Raises:
            HereticError: It may not be sent any more.
        """
        fence = self._fencing.fence()
        if not isinstance(fence, Fence):
            raise HereticError(fence)
        self.fence = fence
        text = self._render(fence)
        self.written = True
        return text


class Hosts:
    """One persistent SSH connection a host, opened when it is first needed.

    Bound to the event loop that it is first used in; every method is safe for concurrent use there.
    """

    def __init__(
        self,
        *,
        on_change: Callable[[str], None] = lambda host: None,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = system_random,
        delays: ReconnectDelays | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            on_change: Called with a host's name when its connection was lost, and when it is back.
            clock: Seconds since 1970.
            random: Uniform in [0, 1), for the jitter of pauses.
            delays: Pauses between attempts to connect.
            limits: How much may happen at once.
        """
        self._on_change = on_change
        self._clock = clock
        self._random = random
        self._delays = delays or ReconnectDelays()
        self._limits = limits or Limits()
        self._gate = asyncio.Semaphore(self._limits.connects)
        self._links: dict[str, Link] = {}
        self._traffic: dict[str, Traffic] = {}
        self._trusted: dict[str, str] = {}

    async def probe(self, settings: HostSettings, probes: Sequence[Probe[Any]]) -> Batch:
        """Asks a host all questions of a pass in one round trip.

        Args:
            settings: Of the host; when they changed since the last call, a new connection is opened.
            probes: At least one, of different names.

        Returns:
            The outputs, also those of probes that failed or timed out.

        Raises:
            HereticError: Transient or NeedsUser when the host gave no usable answer at all; Bug when the probes
                cannot be asked.
        """
        script = render_observation(probes)
        async with self._link(settings).channel() as channel:
            sent_at = self._clock()
            answer = await channel.execute(
                lambda: script, observation_deadline(probes), doing=f"{len(probes)} probes", stop=True
            )
            received_at = self._clock()
        outputs = outputs_of(settings, probes, answer)
        if not isinstance(outputs, Mapping):
            raise HereticError(outputs)
        return Batch(outputs, sent_at, received_at)

    async def perform(self, settings: HostSettings, script: Script, *, admission: Admission) -> StepResult:
        """Does one step on a host in one round trip, or two where it is a trial; safe to repeat.

        Args:
            settings: Of the host.
            script: What to check, do and verify.
            admission: Asked when the connection is there and the step's turn has come, and once more in the moment
                in which the script is written.

        Returns:
            Done, Started or Failed. After Failed with ConnectionLost or CommandTimedOut nobody knows whether the
            step took effect; the next observation shows it.
        """
        until = asyncio.get_running_loop().time() + (script.trial.seconds if script.trial else 0)
        result = await self._perform(settings, script, admission)
        if script.trial is not None and _may_be_made(result):
            return await self._prove(settings, script, script.trial, admission, until)
        return result

    async def _perform(self, settings: HostSettings, script: Script, admission: Admission) -> StepResult:
        fenced = _FencedScript(admission, lambda fence: render_step(script, fence))
        try:
            async with self._link(settings).channel() as channel:
                refused = await admission.check()
                if refused is not None:
                    return Failed(refused)
                answer = await channel.execute(fenced.write, step_deadline(script), doing="a step", stop=False)
        except HereticError as error:
            return Failed(error.failure)
        result = step_result_of(settings, script, fenced.fence, answer)
        if isinstance(result, Fence):
            return Failed(await admission.outdated(settings.name, result))
        return result

    async def _prove(
        self, settings: HostSettings, script: Script, trial: Trial, admission: Admission, until: float
    ) -> StepResult:
        """Proves a trial on new connections, as long as the host waits for that."""
        last, unanswered = "no new connection to it could be opened", False
        deadline = proof_deadline(script, trial)
        while asyncio.get_running_loop().time() < until:
            fenced = _FencedScript(admission, lambda fence: render_proof(script, trial, fence))
            link = self._new_link(self._pinned(settings), on_change=lambda host: None)
            try:
                async with asyncio.timeout_at(until), link.channel() as channel:
                    answer = await channel.execute(fenced.write, deadline, doing="a proof", stop=False)
            except TimeoutError:
                unanswered |= fenced.written
                break
            except HereticError as error:
                unanswered |= fenced.written
                last = error.failure.message
            else:
                result = step_result_of(settings, script, fenced.fence, answer)
                if isinstance(result, Fence):
                    return Failed(await admission.outdated(settings.name, result))
                if not isinstance(result, Failed) or result.failure.reason is Reason.CHANGE_TAKEN_BACK:
                    return result
                last, unanswered = result.failure.message, result.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD
            finally:
                await link.close()
            await asyncio.sleep(_PROOF_PAUSE)
        if unanswered:
            message = (
                f"{settings.name}: no answer to the proof of the change came within {trial.seconds} s, so whether the "
                f"host kept it is not known; the next look shows it: {last}"
            )
            return Failed(Transient(Reason.CONNECTION_LOST, message))
        message = (
            f"{settings.name}: the change was not proved within {trial.seconds} s, after which the host takes it back: "
            f"{last}"
        )
        return Failed(Transient(Reason.CHANGE_TAKEN_BACK, message))

    async def announce(self, settings: HostSettings, fencing: Fencing) -> Fence | Failure:
        """Tells a host which operator is the newest, in one round trip, so that it refuses those before it.

        Args:
            settings: Of the host.
            fencing: What to tell.

        Returns:
            What the host keeps now, or why it did not take it.

        Raises:
            HereticError: The host gave no usable answer at all.
        """
        fenced = _FencedScript(fencing, render_announcement)
        async with self._link(settings).channel() as channel:
            answer = await channel.execute(
                fenced.write, announcement_deadline(), doing="the announcement of this operator", stop=False
            )
        told = announced(settings, fenced.fence, answer)
        if isinstance(told, Fence) and told != fenced.fence:
            return await fencing.outdated(settings.name, told)
        return told

    def trusted_key(self, name: str) -> str | None:
        """The host key line that was accepted on first use and not pinned, to be recorded; None if there is none."""
        return self._trusted.get(name)

    @property
    def counters(self) -> Mapping[str, Traffic]:
        """Round trips, bytes and logins by host name."""
        return self._traffic

    def forget(self, name: str) -> None:
        """Ends the connection to a host that is no longer declared, and what was remembered of it."""
        link = self._links.pop(name, None)
        if link is not None:
            link.retire()
        self._traffic.pop(name, None)
        self._trusted.pop(name, None)

    async def close(self) -> None:
        """Ends all connections."""
        links = list(self._links.values())
        self._links.clear()
        await asyncio.gather(*(link.close() for link in links))

    def _link(self, settings: HostSettings) -> Link:
        settings = self._pinned(settings)
        link = self._links.get(settings.name)
        if link is not None and link.accept(settings):
            return link
        if link is not None:
            link.retire()
        link = self._links[settings.name] = self._new_link(settings, on_change=self._on_change)
        return link

    def _pinned(self, settings: HostSettings) -> HostSettings:
        """The settings with the host key that was accepted on first use, which counts as pinned from there on."""
        first_use = self._trusted.get(settings.name)
        return replace(settings, host_keys=(first_use,)) if first_use and not settings.host_keys else settings

    def _new_link(self, settings: HostSettings, *, on_change: Callable[[str], None]) -> Link:
        return Link(
            settings,
            traffic=self._traffic.setdefault(settings.name, Traffic()),
            gate=self._gate,
            limits=self._limits,
            delays=self._delays,
            random=self._random,
            on_change=on_change,
            on_first_use=self._trusted.__setitem__,
        )


def _may_be_made(result: StepResult) -> bool:
    """Whether the change of a trial may be there now; where nobody knows, the proof tells."""
    match result:
        case Done(changed):
            return changed
        case Failed(failure):
            return failure.reason in (Reason.CONNECTION_LOST, Reason.COMMAND_TIMED_OUT)
    return False
