"""What the answer of a script means: Outputs of probes, the StepResult of a step."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heretic.domain.commands import Command, Expect, Output, Probe, PutFile, Script, SecretRef
from heretic.domain.errors import Failure, NeedsUser, Reason, Transient
from heretic.domain.plan import Done, Failed, Started, StepResult
from heretic.hosts.errors import brief, trouble_of_host
from heretic.hosts.fence import FENCE_FILE, Fence, refusal
from heretic.hosts.frames import MARK, FrameError, parse_frames
from heretic.hosts.script import shown, unit_name
from heretic.hosts.settings import HostSettings

_TIMED_OUT = (124, 137)
_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back on one channel.

    Attributes:
        stdout: Everything on it.
        stderr: Likewise.
        status: Exit status of the shell; None when a signal ended it.
    """

    stdout: bytes
    stderr: bytes
    status: int | None


def outputs_of(settings: HostSettings, probes: Sequence[Probe[Any]], answer: Answer) -> Mapping[str, Output] | Failure:
    """The output of each probe by its name, or why there is none."""
    try:
        frames = parse_frames(answer.stdout)
    except FrameError as error:
        return _not_understood(settings, answer, str(error), ())
    if [f.name for f in frames] != [p.name for p in probes]:
        return _not_understood(settings, answer, "it answers other questions", ())
    return {f.name: f.output for f in frames}


def announced(settings: HostSettings, fence: Fence, answer: Answer) -> Fence | Failure:
    """What a host keeps now: our fence, or a newer one of this cluster; or why it did not take ours."""
    try:
        (frame,) = parse_frames(answer.stdout)
    except ValueError as error:
        return _not_understood(settings, answer, str(error), ())
    match frame.name.partition(":")[0]:
        case "unchanged":
            return fence
        case verdict:
            told = _not_begun(settings.name, verdict, frame.output, fence)
            return told or _not_understood(settings, answer, f"it says {frame.name}", ())


def _not_begun(host: str, verdict: str, said: Output, fence: Fence) -> Fence | Failure | None:
    """What `begin` of the prologue answers where it lets nothing begin; None for any other answer."""
    match verdict:
        case "locked":
            busy = f"{host}: an earlier step still runs there (it has held the host's lock for 10 s)"
            return Transient(Reason.HOST_BUSY, busy)
        case "fenced":
            return refusal(host, fence, said.stdout or said.stderr)
        case "fence":
            return _command_failure(host, f"keeping the fencing token in {FENCE_FILE}", said)
    return None


def step_result_of(settings: HostSettings, script: Script, fence: Fence, answer: Answer) -> StepResult | Fence:
    """What became of a step, or the newer fence for which the host did not begin it.

    Secrets of the script are taken out of everything that is said.
    """
    secrets = tuple(_secrets(script))
    try:
        (frame,) = parse_frames(answer.stdout)
        verdict, _, number = frame.name.partition(":")
        index = int(number) - 1
    except ValueError as error:
        return Failed(_not_understood(settings, answer, str(error), secrets))
    match verdict:
        case "changed":
            return Done(changed=True)
        case "unchanged":
            return Done(changed=False)
        case "started" if script.job is not None:
            return Started(unit_name(script.job))
    refused = _not_begun(settings.name, verdict, frame.output, fence)
    if refused is not None:
        return refused if isinstance(refused, Fence) else Failed(refused)
    said = Output(frame.output.rc, _redacted(frame.output.stdout, secrets), _redacted(frame.output.stderr, secrets))
    try:
        return Failed(_failure(settings.name, script, verdict, index, said))
    except IndexError:
        return Failed(_not_understood(settings, answer, f"it says {frame.name}", secrets))


def _failure(host: str, script: Script, verdict: str, index: int, said: Output) -> Failure:
    """Classifies the line of a step that did not succeed."""
    match verdict:
        case "undecided":
            what = f"{host}: cannot see whether the step is done"
            return _condition_failure(what, script.done[index], said)
        case "guard":
            what = f"{host}: the step may not start"
            return _condition_failure(what, script.guards[index], said)
        case "verify":
            what = f"{host}: the step ran, and its effect is not there"
            return _condition_failure(what, script.done[index], said)
        case "stale":
            path = _put_path(script, index)
            return Transient(
                Reason.VERIFICATION_FAILED,
                f"{host}: {path} was changed by somebody since the step was planned (now {brief(said.stdout)}); "
                f"left alone, planned again from what it is now",
            )
        case "armed" if said.rc == 0:
            what = (
                "an earlier try of this change was never proved; the host takes it back, and then it is planned again"
            )
            return Transient(Reason.CHANGE_TAKEN_BACK, f"{host}: {what}")
        case "late":
            return Transient(Reason.CHANGE_TAKEN_BACK, f"{host}: the change was proved too late; the host took it back")
        case "there":
            failure = _condition_failure(f"{host}: the change never came or is gone", script.done[index], said)
            gone = failure.reason is Reason.VERIFICATION_FAILED
            return Transient(Reason.CHANGE_TAKEN_BACK, failure.message) if gone else failure
        case "proof" if script.trial is not None:
            what = f"{host}: the change was made, and is not proved"
            return _condition_failure(what, script.trial.proof[index], said)
        case "armed" | "arm" | "prove" | "commit":
            return _command_failure(host, "having the change taken back unless it is proved", said)
        case "act":
            return _action_failure(host, script, index, said)
        case "job":
            return _command_failure(host, f"starting {script.job.name if script.job else 'the job'}", said)
    raise IndexError(verdict)


def _condition_failure(what: str, command: Command, said: Output) -> Failure:
    asked = shown(command.argv)
    if said.rc in _TIMED_OUT:
        return Transient(Reason.COMMAND_TIMED_OUT, f"{what}: `{asked}` gave no answer within {command.timeout} s")
    wanted = {
        Expect.OK: "should succeed",
        Expect.EMPTY: "should print nothing",
        Expect.EQUALS: f"should print {command.text.strip()!r}",
        Expect.CONTAINS: f"should print a line {command.text.strip()!r}",
        Expect.LACKS: f"should print no line {command.text.strip()!r}",
        Expect.ONLY: f"should print nothing but {command.text.strip()!r}",
        Expect.NONE: f"should print nothing like {command.text.strip()!r}",
    }[command.expect]
    return Transient(Reason.VERIFICATION_FAILED, f"{what}: `{asked}` {wanted}, but {_said(said)}")


def _action_failure(host: str, script: Script, index: int, said: Output) -> Failure:
    action = script.all_actions[index]
    if isinstance(action, PutFile):
        return _command_failure(host, f"writing {action.path}", said)
    return _command_failure(host, f"`{shown(action.argv)}`", said, action.timeout)


def _command_failure(host: str, what: str, said: Output, timeout: int = 0) -> Failure:
    trouble = trouble_of_host(host, what, f"{said.stdout}\n{said.stderr}")
    if trouble is not None:
        return trouble
    if said.rc in _TIMED_OUT:
        return Transient(Reason.COMMAND_TIMED_OUT, f"{host}: {what} did not end within {timeout} s")
    return Transient(Reason.COMMAND_FAILED, f"{host}: {what} failed: it {_said(said)}")


def _said(output: Output) -> str:
    text = brief(output.stderr) or brief(output.stdout)
    return f"exited {output.rc}" + (f" and said: {text}" if text else " and said nothing")


def _put_path(script: Script, index: int) -> str:
    action = script.all_actions[index]
    return action.path if isinstance(action, PutFile) else shown(action.argv)


def _not_understood(settings: HostSettings, answer: Answer, why: str, secrets: tuple[str, ...]) -> Failure:
    """The answer is not from our script: sudo refused, memory ran out, or another program wrote on this channel."""
    stderr = _redacted(answer.stderr.decode("utf-8", "replace"), secrets)
    stdout = _redacted(answer.stdout.decode("utf-8", "replace"), secrets)
    said = brief(stderr, 200) or brief(stdout, 200) or "nothing"
    if MARK not in answer.stdout and _refused(settings, answer.status):
        return _refusal(settings, f"it exited {answer.status} and said: {said}")
    trouble = trouble_of_host(settings.name, "preparing to work", stderr)
    if trouble is not None:
        return trouble
    ended = "was killed" if answer.status is None else f"exited {answer.status}"
    return Transient(
        Reason.OUTPUT_NOT_UNDERSTOOD, f"{settings}: the shell {ended}, and its answer is not usable: {why}; {said}"
    )


def _refused(settings: HostSettings, status: int | None) -> bool:
    """Whether the host let the user in and ran something else than our script, or nothing.

    Our shell never came so far as to print a mark. It ends with 0 when it can work, with 70 when it finds no room, and
    with 2 when it does not understand the script; it was killed when there is no status. Any other status is that of
    who stands before it: sudo, a shell that refuses, a forced command, an account that has expired.
    """
    if settings.user != "root" and status == _UNUSABLE:
        return True
    return status not in (None, 0, _NOT_UNDERSTOOD, _NO_ROOM)


_UNUSABLE, _NOT_UNDERSTOOD, _NO_ROOM = 127, 2, 70


def _refusal(settings: HostSettings, said: str) -> NeedsUser:
    user = settings.user
    if user == "root":
        return NeedsUser(
            Reason.LOGIN_REFUSED,
            f"{settings}: user root is let in and gets no shell: {said}; give it a shell (chsh), renew its password or "
            f"account if it has expired (chage, passwd); authorized_keys and sshd_config must force no command on it",
        )
    return NeedsUser(
        Reason.NO_ROOT,
        f"{settings}: user {user!r} may not run `sudo -n sh -s` there: {said}; put `{user} ALL=(root) NOPASSWD: ALL` "
        f"and `Defaults:{user} !requiretty` into sudoers; the account itself needs a shell, must not have expired, and "
        f"no command may be forced on it",
    )


def _secrets(script: Script) -> Iterator[str]:
    """Every secret text of a script, in each form that a message could show: whole, by line, and encoded."""
    contents: list[str | SecretRef] = []
    for action in script.contents:
        if isinstance(action, Command) and action.stdin:
            contents.append(action.stdin)
        elif isinstance(action, PutFile) and action.secret:
            contents.append(action.content)
    for content in contents:
        if isinstance(content, SecretRef):
            continue  # such a step is never sent
        yield base64.b64encode(content.encode()).decode()
        yield content.strip()
        yield from (line.strip() for line in content.splitlines())


def _redacted(text: str, secrets: tuple[str, ...]) -> str:
    """The text without secrets. A secret that is cut off at either end of the text is removed too.

    A host sends only the end of a long output, and a program that is killed may have printed a part.
    """
    ordered = sorted((s for s in set(secrets) if len(s) >= _SHORTEST_SECRET), key=len, reverse=True)
    for secret in ordered:
        text = text.replace(secret, _HIDDEN)
    # A character that the cut went through is read as one that stands for what is unreadable.
    text = text.lstrip("\ufffd")
    for secret in ordered:
        for length in range(len(secret) - 1, _SHORTEST_SECRET - 1, -1):
            if text.startswith(secret[-length:]):
                text = _HIDDEN + text[length:]
            if text.endswith(secret[:length]):
                text = text[:-length] + _HIDDEN
    return text


_HIDDEN = "(secret)"
