"""What ``sh`` does with a script of heretic.hosts, done to a Machine: a second reading of the shell functions.

It accepts the exact prologue and nothing else; the contract tests of tests/ssh hold it against real shells.
"""

import base64
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from heretic.domain.commands import Output
from heretic.hosts.script import (
    ERASING_PROLOGUE,
    JOBS_PROLOGUE,
    LINKS_PROLOGUE,
    OBSERVATION_PROLOGUE,
    READING_PROLOGUE,
    STEP_PROLOGUE,
    TRIAL_PROLOGUE,
    asking_prologue,
)
from sim.machine import Argv, Machine

TIMED_OUT = (124, 137)
SAID = 4096


class ProtocolError(Exception):
    """The script is not one of ours."""


def run_script(machine: Machine, text: str) -> str:
    """Runs one script.

    Returns:
        What it prints.

    Raises:
        ProtocolError: It is not one of ours.
    """
    for prologue, run in ((OBSERVATION_PROLOGUE, _observe), (STEP_PROLOGUE, _step)):
        if text.startswith(prologue) and text.endswith("\n}\n"):
            return run(machine, _calls(_body(text, prologue)))
    raise ProtocolError("the prologue is not the one of this version")


def _body(text: str, prologue: str) -> str:
    """What stands between the braces."""
    body = text.removeprefix(prologue)
    own = (JOBS_PROLOGUE, TRIAL_PROLOGUE, READING_PROLOGUE, ERASING_PROLOGUE, asking_prologue(), LINKS_PROLOGUE)
    for more in own:
        body = body.removeprefix(more)
    if not body.startswith("{\n"):
        raise ProtocolError("the prologue is not the one of this version")
    return body[2:-2]


def _calls(body: str) -> list[Argv]:
    """The lines of a script; a quoted word may hold a new line."""
    return [tuple(shlex.split(line)) for line in _lines(body)]


def _lines(body: str) -> list[str]:
    lines, start, quote = [], 0, ""
    for position, character in enumerate(body):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "\n":
            lines.append(body[start:position])
            start = position + 1
    return lines


def _observe(machine: Machine, calls: list[Argv]) -> str:
    if calls[-1] != ("finish",) or any(c[0] != "probe" for c in calls[:-1]):
        raise ProtocolError(f"not an observation: {calls}")
    longest = max(float(timeout) for _, _, timeout, *_ in calls[:-1])
    frames = [(name, machine.run(tuple(argv), None, longest)) for _, name, _, *argv in calls[:-1]]
    return _framed(frames)


def _framed(frames: list[tuple[str, Output]]) -> str:
    head = [f"heretic/1 {len(frames)}\n"]
    body = []
    for name, o in frames:
        head.append(f"{name} {o.rc} {len(o.stdout.encode())} {len(o.stderr.encode())}\n")
        body += [o.stdout, o.stderr]
    return "".join([*head, *body, "heretic/1 end\n"])


class _AnsweredError(Exception):
    """The step has its answer."""

    def __init__(self, verdict: str, number: int, output: Output) -> None:
        super().__init__(verdict)
        quiet = verdict in ("unchanged", "changed", "started")
        out, err = ("", "") if quiet else (_tail(output.stdout), _tail(output.stderr))
        self.verdict = verdict
        self.frame = (f"{verdict}:{number}", Output(output.rc, out, err))


def _tail(text: str) -> str:
    """The end of it, without trailing new lines, as a command substitution gives it."""
    return text.encode()[-SAID:].decode("utf-8", "replace").rstrip("\n")


_NOTHING = Output(0, "", "")


@dataclass
class _Step:
    """The interpreter of a step's lines."""

    machine: Machine
    open: bool = False
    met: str = "unchanged"
    verb: str = ""
    number: int = 0
    trial: str = ""
    over: bool = False
    handlers: dict[str, Callable[..., None]] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            "begin": self.begin,
            "begin_job": self.begin_job,
            "begin_revert": self.begin_revert,
            "armed": self.armed,
            "arm": self.arm,
            "prove": self.prove,
            "there": self.there,
            "stays": self.stays,
            "proof": lambda *a: self.condition("proof", *a),
            "commit": self.commit,
            "done_when": self.done_when,
            "again": self.again,
            "fallback": self.fallback,
            "running": self.running,
            "guard": lambda *a: self.condition("guard", *a),
            "act": self.act,
            "put": self.put,
            "job": self.job,
            "verify": lambda *a: self.condition("verify", *a),
            "end": self.end,
        }

    def run(self, calls: list[Argv]) -> tuple[str, Output]:
        try:
            for verb, *arguments in calls:
                if verb not in self.handlers:
                    raise ProtocolError(f"unknown line {verb}")
                self.handlers[verb](*arguments)
        except _AnsweredError as answer:
            if self.trial and answer.verdict not in ("unchanged", "changed", "started"):
                self.machine.take_back(self.trial)
            return answer.frame
        raise ProtocolError("the step ends without an answer")

    def settled(self, verb: str) -> None:
        if not self.open:
            raise _AnsweredError(self.met, 0, _NOTHING)
        self.number = self.number + 1 if self.verb == verb else 1
        self.verb = verb

    def begin(self, token: str, cluster: str = "", holder: str = "") -> None:
        machine = self.machine
        if machine.lock_held:
            raise _AnsweredError("locked", 0, Output(1, "", ""))
        if token == "0":
            return
        if machine.fence is not None:
            kept, of, by = (*machine.fence.split(), "", "", "")[:3]
            newest = kept.isdecimal() and of == cluster and int(token) >= int(kept)
            if not newest or (token == kept and by != holder):
                raise _AnsweredError("fenced", 0, Output(1, machine.fence, ""))
            if token == kept:
                return
        if machine.put_error:
            said = f"sh: cannot create /var/lib/heretic/fence.new: {machine.put_error}"
            raise _AnsweredError("fence", 0, Output(2, "", said))
        machine.fence = f"{token} {cluster} {holder}\n"

    def begin_job(self, unit: str, tail: str, stage: str) -> None:
        assert int(tail) >= 0, stage
        self.open = True
        self.machine.keep_outcome(unit, "running", 0, 0)

    def begin_revert(self, unit: str) -> None:
        self.open = True

    def armed(self, unit: str) -> None:
        if unit in self.machine.trials:
            self.machine.take_back(unit)
            raise _AnsweredError("armed", 1, _NOTHING)

    def arm(self, unit: str, seconds: str, script: str) -> None:
        self.settled("arm")
        assert int(seconds) > 0, "a trial without an end"
        text = _decoded(script)
        machine = self.machine

        def revert() -> None:
            verdict, _ = _Step(machine).run(_calls(_body(text, STEP_PROLOGUE)))
            assert verdict.startswith("changed"), verdict

        machine.arm(unit, int(seconds), revert)
        self.trial = unit

    def prove(self, unit: str) -> None:
        self.open = True
        self.over = unit not in self.machine.trials
        if unit in self.machine.taken_back:
            raise _AnsweredError("late", 1, Output(1, "", ""))

    def there(self, *arguments: str) -> None:
        if self.over:
            self.condition("there", *arguments)

    def stays(self) -> None:
        if self.over:
            raise _AnsweredError("changed", 0, _NOTHING)

    def commit(self, unit: str) -> None:
        self.settled("commit")
        del self.machine.trials[unit]

    def done_when(self, *arguments: str) -> None:
        if self.open:
            return
        self.number += 1
        held, output = self.holds(*arguments)
        if output.rc in TIMED_OUT:
            raise _AnsweredError("undecided", self.number, output)
        self.open = not held

    def again(self) -> None:
        self.settled("again")
        self.open, self.met, self.number = False, "changed", 0

    def fallback(self, actions: str) -> None:
        self.settled("fallback")
        self.verb, self.number = "act", int(actions)

    def condition(self, verb: str, *arguments: str) -> None:
        self.settled(verb)
        held, output = self.holds(*arguments)
        if not held:
            raise _AnsweredError(verb, self.number, output)

    def act(self, *arguments: str) -> None:
        self.settled("act")
        held, output = self.holds(*arguments, effect=True)
        if not held:
            raise _AnsweredError("act", self.number, output)

    def put(self, path: str, mode: str, replaces: str, content: str) -> None:
        self.settled("act")
        output = self.machine.put(path, _decoded(content), mode, None if replaces == "-" else replaces)
        if output.rc == 3:
            raise _AnsweredError("stale", self.number, Output(1, output.stderr, ""))
        if output.rc:
            raise _AnsweredError("act", self.number, output)

    def running(self, unit: str) -> None:
        self.settled("job")
        if self.machine.job_active(unit):
            raise _AnsweredError("started", 0, _NOTHING)

    def job(self, unit: str, seconds: str, script: str) -> None:
        self.settled("job")
        assert int(seconds) > 0, "a job without an end"
        text = _decoded(script)
        machine = self.machine

        def work() -> int:
            answer, output = _Step(machine).run(_calls(_body(text, STEP_PROLOGUE)))
            verdict, _, number = answer.partition(":")
            said = (output.stdout + output.stderr).splitlines()
            machine.keep_outcome(unit, verdict, int(number), output.rc, () if verdict == "changed" else said)
            return 0 if verdict == "changed" else 1

        machine.start_job(unit, work)
        raise _AnsweredError("started", 0, _NOTHING)

    def end(self) -> None:
        self.settled("end")
        raise _AnsweredError("changed", 0, _NOTHING)

    def holds(
        self, expect: str, text: str, timeout: str, stdin: str, *argv: str, effect: bool = False
    ) -> tuple[bool, Output]:
        run = self.machine.act if effect else self.machine.run
        limit = float(timeout) or float("inf")
        output = run(argv, None if stdin == "-" else _decoded(stdin), limit)
        return _meets(expect, text, output), output


def _meets(expect: str, text: str, output: Output) -> bool:
    if output.rc != 0:
        return False
    printed = output.stdout
    match expect:
        case "ok":
            return True
        case "empty":
            return not printed.strip()
        case "equals":
            return printed.strip() == text
        case "contains":
            return {line.strip() for line in text.splitlines()} <= {line.strip() for line in printed.splitlines()}
        case "lacks":
            return {line.strip() for line in text.splitlines()}.isdisjoint(
                line.strip() for line in printed.splitlines()
            )
        case "only" | "none":
            return _patterns(expect, text.splitlines(), [line.strip() for line in printed.splitlines() if line.strip()])
    raise ProtocolError(f"unknown expectation {expect}")


def _patterns(expect: str, patterns: list[str], lines: list[str]) -> bool:
    matched = [[n for n, pattern in enumerate(patterns) if fnmatchcase(line, pattern.strip())] for line in lines]
    if expect == "none":
        return bool(lines) and not any(matched)
    return all(matched) and any(0 in found for found in matched)


def _decoded(word: str) -> str:
    return base64.b64decode(word).decode()


def _step(machine: Machine, calls: list[Argv]) -> str:
    return _framed([_Step(machine).run(calls)])
