"""Renders probes and steps as the text of one ``sh -s`` call: the only place where anything is quoted.

The text is a constant prologue of shell functions (prologue.sh with observation.sh or step.sh; jobs.sh for a job,
trial.sh for a trial, reading.sh where disks are read, erasing.sh where one is erased, links.sh where links change) and
one call of such a function a line, between ``{`` and ``}`` so that the shell reads all of it before it runs any of it.
"""

import base64
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from heretic.api.shorten import shorten
from heretic.domain.commands import Action, Command, Expect, Job, Probe, PutFile, Script, SecretRef, Trial
from heretic.domain.errors import Bug, HereticError
from heretic.domain.jobs import TRIAL_PREFIX
from heretic.hosts.fence import Fence

LONGEST = 60
"""Seconds that no command and no call of this package exceeds; longer work is a job (rule:time-limits)."""

LONGEST_JOB = 4 * 3600
"""The longest time of a job and of each of its commands, in seconds; a job that hangs must fail one day."""

LONGEST_TRIAL = 600
"""Seconds after which the change of any trial is proved or taken back."""

_MARGIN = 10
"""Seconds on top of the commands' own: start of the shell, the lock of a step, the way there and back."""

_NAME = re.compile(r"[!-~]+")
_UNIT = re.compile(r"heretic-[A-Za-z0-9:_.@-]{1,200}")
_MODE = re.compile(r"[0-7]{4}")
_SHA256 = re.compile(r"([0-9a-f]{64})?")


def _functions(*names: str) -> str:
    """Files of shell functions, without what the shell does not need."""
    texts = (files("heretic.hosts").joinpath(name).read_text("utf-8") for name in names)
    lines = (line.strip() for text in texts for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and line[0] != "#")


OBSERVATION_PROLOGUE = _functions("prologue.sh", "observation.sh")
STEP_PROLOGUE = _functions("prologue.sh", "step.sh")

READING_PROLOGUE = _functions("reading.sh")
"""Comes after one of the others where a command reads disks."""

JOBS_PROLOGUE = _functions("jobs.sh")
"""Comes after the step's where it starts a job, and in the job itself."""

TRIAL_PROLOGUE = _functions("trial.sh")
"""Comes after the step's where it is a trial, in its proof, and in what takes it back."""

ERASING_PROLOGUE = _functions("erasing.sh")
"""Comes after these where a command empties a disk."""

ASKING = frozenset({"@ask"})
"""Commands that ask ports where they lead."""

LINKS_PROLOGUE = _functions("links.sh")
"""Comes after these where a command changes links."""

LINKING = frozenset({"@reach", "@checkpoint", "@reached", "@unused", "@aggregated", "@rollback"})
ERASING = frozenset({"@held", "@erase"})
READING = frozenset({"@signatures", "@found", "@blank", "@unsigned"}) | ERASING | ASKING | LINKING
"""Commands that do; the others stand on functions of that file."""


def render_observation(probes: Sequence[Probe[Any]]) -> str:
    """The script that asks all probes at once.

    Args:
        probes: At least one, names unique.

    Raises:
        HereticError: Bug; a probe cannot be asked as it is.
    """
    return _observation(tuple(probes))


@lru_cache(maxsize=64)
def _observation(probes: tuple[Probe[Any], ...]) -> str:
    """Remembered, because a pass asks every host the same questions and the quoting costs half a millisecond."""
    names = [p.name for p in probes]
    if not names or len(set(names)) != len(names):
        raise _bug(f"a batch needs probes of different names, not {names}")
    for name in names:
        if not _NAME.fullmatch(name):
            raise _bug(f"{name!r} cannot name a probe")
    lines = (("probe", p.name, _seconds(p.timeout, LONGEST - _MARGIN), *_argv(p.argv)) for p in probes)
    return _text(OBSERVATION_PROLOGUE, [*lines, ("finish",)], (p.argv for p in probes))


def observation_deadline(probes: Sequence[Probe[Any]]) -> float:
    """Seconds after which a batch is given up."""
    return min(max(p.timeout for p in probes) + _MARGIN, LONGEST)


def render_announcement(fence: Fence) -> str:
    """The script that tells a host of a new operator, and does nothing else."""
    return _text(STEP_PROLOGUE, [_begin(fence), ("end",)], ())


def announcement_deadline() -> float:
    """Seconds after which the answer to it is given up: a step may hold the host's lock for ten."""
    return 2.0 * _MARGIN


def render_step(script: Script, fence: Fence) -> str:
    """The script that does one step, as the docstring of Script says.

    Args:
        script: What to check, do and verify.
        fence: Who sends it.

    Raises:
        HereticError: Bug; the script cannot be run as it is.
    """
    if not script.done or not script.actions:
        raise _bug("a step needs conditions that say when it is done, and actions")
    if script.job and (script.fallback or script.trial):
        raise _bug("a job has no fallback and is no trial")
    lines: list[tuple[str, ...]] = [_begin(fence)]
    if script.trial is not None:
        if script.trial.seconds <= step_deadline(script):
            raise _bug(f"{script.trial.name} is taken back before its step must have ended")
        lines.append(("armed", trial_unit(script.trial)))
    lines += _conditions("done_when", script.done)
    guards = list(_conditions("guard", script.guards))
    if script.trial is not None:
        guards.append(_arm(script.trial))
    if script.job is None:
        lines += [*guards, *_actions(script.actions), *_fallback(script), *_conditions("verify", script.done), ("end",)]
    else:
        unit = unit_name(script.job)
        limit = str(job_limit(script, script.job))
        lines += [("running", unit), *guards, ("job", unit, limit, _base64(_render_job(script, script.job)))]
    commands = (*script.done, *script.guards, *(a for a in script.all_actions if isinstance(a, Command)))
    return _text(STEP_PROLOGUE, lines, (c.argv for c in commands))


def render_proof(script: Script, trial: Trial, fence: Fence) -> str:
    """The script that proves a trial and makes it stay.

    Args:
        script: Of the step that made the change.
        trial: Its trial.
        fence: Who sends it.

    Raises:
        HereticError: Bug; it cannot be asked as it is.
    """
    unit = trial_unit(trial)
    if not trial.proof:
        raise _bug(f"{unit} has no proof")
    lines = [_begin(fence), ("prove", unit), *_conditions("there", script.done), ("stays",)]
    lines += [*_conditions("proof", trial.proof), ("commit", unit), ("end",)]
    return _text(STEP_PROLOGUE, lines, (c.argv for c in (*script.done, *trial.proof)))


def proof_deadline(script: Script, trial: Trial) -> float:
    """Seconds after which the answer to a proof is given up: it asks for the change or for the proof."""
    longest = max(sum(c.timeout for c in conditions) for conditions in (script.done, trial.proof))
    return min(longest + _MARGIN, LONGEST)


def _arm(trial: Trial) -> tuple[str, ...]:
    unit = trial_unit(trial)
    lines = [("begin_revert", unit), *_actions(trial.revert), ("end",)]
    revert = _text(STEP_PROLOGUE, lines, (a.argv for a in trial.revert if isinstance(a, Command)))
    return "arm", unit, _seconds(trial.seconds, LONGEST_TRIAL), _base64(revert)


def trial_unit(trial: Trial) -> str:
    """The name of the unit that takes a trial back, without the suffix: it is a timer and a service."""
    if not (trial.name.startswith(TRIAL_PREFIX) and _UNIT.fullmatch(f"{trial.name}.service")):
        raise _bug(f"{trial.name!r} cannot name a trial; {TRIAL_PREFIX}… can")
    return trial.name


def _begin(fence: Fence) -> tuple[str, ...]:
    if fence.token == 0:
        return ("begin", "0")
    if fence.token < 0 or not (_NAME.fullmatch(fence.cluster) and _NAME.fullmatch(fence.holder)):
        raise _bug(f"{fence} cannot be shown to a host")
    return ("begin", str(fence.token), fence.cluster, fence.holder)


def _fallback(script: Script) -> Iterator[tuple[str, ...]]:
    if script.fallback:
        yield ("again",)
        yield from _conditions("done_when", script.done)
        yield ("fallback", str(len(script.actions)))
        yield from _actions(script.fallback)


def _render_job(script: Script, job: Job) -> str:
    """What the unit runs: the same actions, each within its own longer time, then the same conditions."""
    acts = tuple(a for a in script.actions if isinstance(a, Command))
    for act in acts:
        if act.expect is not Expect.OK:
            raise _bug(f"{shown(act.argv)}: what an action of a job prints goes to the journal and cannot be compared")
    if "\n" in job.stage or job.tail < 0:
        raise _bug(f"{job.stage!r} and {job.tail} cannot say how far a job is")
    begin = ("begin_job", unit_name(job), str(job.tail), job.stage)
    actions = _actions(script.actions, LONGEST_JOB)
    lines = [begin, *actions, *_conditions("verify", script.done), ("end",)]
    return _text(STEP_PROLOGUE, lines, (c.argv for c in (*script.done, *acts)))


def job_limit(script: Script, job: Job) -> int:
    """Seconds after which systemd ends a job: its own limit, or what its commands may take together.

    Raises:
        HereticError: Bug; that is longer than a job may be.
    """
    if job.limit is not None:
        return int(_seconds(job.limit, LONGEST_JOB))
    commands = [*(a for a in script.actions if isinstance(a, Command)), *script.done]
    return int(_seconds(sum(c.timeout for c in commands) + _MARGIN, LONGEST_JOB))


def step_deadline(script: Script) -> float:
    """Seconds after which an answer is no longer waited for."""
    commands = [*script.done, *script.guards, *script.done]
    commands += [a for a in script.all_actions if isinstance(a, Command) and script.job is None]
    return min(sum(c.timeout for c in commands) + _MARGIN, LONGEST)


def unit_name(job: Job) -> str:
    """The full name of a job's systemd unit."""
    unit = job.name if job.name.endswith(".service") else f"{job.name}.service"
    if not _UNIT.fullmatch(unit):
        raise _bug(f"{job.name!r} cannot name a job; heretic-… can")
    return unit


def shown(argv: Iterable[str], most: int = 200) -> str:
    """A command as a person would type it, for messages, cut where it gets long."""
    return shorten(shlex.join(argv).replace("\n", "\\n"), most)


def _text(prologue: str, lines: Iterable[tuple[str, ...]], argvs: Iterable[tuple[str, ...]]) -> str:
    lines = tuple(lines)
    called = {argv[0] for argv in argvs}
    verbs = {verb for verb, *_ in lines}
    jobs = JOBS_PROLOGUE if verbs & {"job", "begin_job"} else ""
    trial = TRIAL_PROLOGUE if verbs & {"armed", "begin_revert", "prove"} else ""
    reading = READING_PROLOGUE if called & READING else ""
    erasing = ERASING_PROLOGUE if called & ERASING else ""
    asking = asking_prologue() if called & ASKING else ""
    links = LINKS_PROLOGUE if called & LINKING else ""
    text = "".join(f"{shlex.join(line)}\n" for line in lines)
    return f"{prologue}{jobs}{trial}{reading}{erasing}{asking}{links}{{\n{text}}}\n"


@lru_cache(maxsize=1)
def asking_prologue() -> str:
    """Comes after these where ports are asked: the function that runs ask_ports.py with the Python of the host."""
    program = files("heretic.hosts").joinpath("ask_ports.py").read_text("utf-8")
    return _functions("asking.sh").replace("PROGRAM", _base64(program))


def _conditions(verb: str, commands: Iterable[Command]) -> Iterator[tuple[str, ...]]:
    return (_command(verb, c, _seconds(c.timeout)) for c in commands)


def _actions(actions: Iterable[Action], most: int = LONGEST) -> Iterator[tuple[str, ...]]:
    for action in actions:
        if isinstance(action, PutFile):
            yield _put(action)
        else:
            yield _command("act", action, _seconds(action.timeout, most))


def _command(verb: str, command: Command, timeout: str) -> tuple[str, ...]:
    stdin = "-" if command.stdin is None else _base64(command.stdin)
    return verb, command.expect.value, command.text.strip(), timeout, stdin, *_argv(command.argv)


def _put(file: PutFile) -> tuple[str, ...]:
    if not file.path.startswith("/") or file.path.endswith("/") or "\0" in file.path:
        raise _bug(f"{file.path!r} is not the absolute path of a file")
    if not _MODE.fullmatch(file.mode):
        raise _bug(f"{file.path}: {file.mode!r} is not a file mode of four octal digits")
    replaces = file.replaces_sha256
    if replaces is not None and not _SHA256.fullmatch(replaces):
        raise _bug(f"{file.path}: {replaces!r} is not a sha256")
    return "put", file.path, file.mode, "-" if replaces is None else replaces, _base64(file.content)


def _argv(argv: tuple[str, ...]) -> tuple[str, ...]:
    if not argv or not argv[0] or any("\0" in word for word in argv):
        raise _bug(f"{argv!r} is not a command")
    if argv[0].startswith("-"):
        raise _bug(f"{argv[0]!r} is not a program")
    return argv


def _seconds(timeout: int, most: int = LONGEST) -> str:
    if not 0 < timeout <= most:
        raise _bug(f"a command may take 1 to {most} seconds, not {timeout}; longer work is a job")
    return str(timeout)


def _base64(text: str | SecretRef) -> str:
    if isinstance(text, SecretRef):
        raise _bug(f"the key {text.key} of Secret {text.name} was not looked up before the step was sent")
    return base64.b64encode(text.encode()).decode()


def _bug(message: str) -> HereticError:
    return HereticError(Bug(message))
