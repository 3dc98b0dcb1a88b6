"""Commands as data: what would run on a host, before anybody runs it.

A command is an argv tuple; it is quoted in one place (hosts/script.py) and nowhere else. A step's Script says
how to see that the step is done, what must hold before it may start, and what to run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from heretic.domain.facts import Fact

T = TypeVar("T", covariant=True)


class Expect(StrEnum):
    """What of a command's result counts as success; a program that failed never does, because it proves nothing."""

    OK = "ok"
    """It exits 0."""
    EMPTY = "empty"
    """It exits 0 and prints nothing but white space."""
    EQUALS = "equals"
    """It exits 0 and prints exactly ``Command.text``, white space at both ends aside."""
    CONTAINS = "contains"
    """It exits 0 and every line of ``Command.text`` is exactly one of the lines it prints, stripped."""
    LACKS = "lacks"
    """It exits 0 and no line of ``Command.text`` is exactly one of the lines it prints, stripped. Beside it should
    stand a condition that shows that the right thing was printed at all."""
    ONLY = "only"
    """It exits 0, every line it prints matches one of the shell patterns in ``Command.text``, one a line, and some line
    matches the first of them: what was printed is the right thing, and nothing else stands in it."""
    NONE = "none"
    """It exits 0, prints something, and no line matches a shell pattern of ``Command.text``."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A value in a Secret of the site's namespace.

    Steps hold the reference alone, so that plans, status and audit cannot show the value. The executor looks it up
    right before it sends the step.

    Attributes:
        name: Of the Secret.
        key: In its data.
        public: Whether what is meant is the public half of the private key that stands there.
    """

    name: str
    key: str
    public: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One program call on a host.

    Attributes:
        argv: Program and arguments; never a shell line.
        timeout: Seconds after which it is killed; at most 60, but for the actions of a job.
        stdin: What it reads; beside a file's content the only way for a secret to reach a host. Never logged.
        expect: What counts as success.
        text: What EQUALS, CONTAINS, LACKS, ONLY and NONE compare with.
    """

    argv: tuple[str, ...]
    timeout: int = 30
    stdin: str | SecretRef | None = field(default=None, repr=False)
    expect: Expect = Expect.OK
    text: str = ""


@dataclass(frozen=True, slots=True)
class PutFile:
    """Replace a file's whole content, atomically (written aside, synced, renamed).

    Attributes:
        path: Absolute path; its folder is made when missing.
        content: The new content.
        mode: Permission bits as four octal digits.
        replaces_sha256: The content this was planned from ("" = the file must not exist, None = any);
            a file that changed since is left alone and the step fails as Transient.
        secret: Whether the content must stay out of audit and logs.
    """

    path: str
    content: str | SecretRef = field(repr=False)
    mode: str = "0644"
    replaces_sha256: str | None = None
    secret: bool = False


Action = Command | PutFile


@dataclass(frozen=True, slots=True)
class Job:
    """Long work: it runs on as a detached systemd unit, and what became of it is kept on the host's disk.

    Its actions say aloud what they do: their output goes to the journal. A secret that one of them could print is the
    step's to prevent.

    Attributes:
        name: Of the unit: heretic-… (rule:time-limits).
        limit: Seconds after which systemd ends it, and it has failed; None = what its commands may take together.
        stage: Basic regular expression (grep) of the lines of its output that tell how far it is; "" = every line does.
        tail: How many lines of its output are kept when it fails; 0 where they could show a secret.
    """

    name: str
    limit: int | None = None
    stage: str = ""
    tail: int = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """A change that could cut the way to the host that it is made on.

    Before the change the host sets itself a time, after which it takes the change back. Then the change is made, and is
    proved on a new connection. Only with this proof the host keeps it. So an operator that dies or cannot come back
    leaves the host as it was. A boot within that time forgets the trial: what must not outlive it must not be written
    where a boot reads it before it is proved.

    Attributes:
        name: Of the unit that would take the change back: heretic-trial-…
        revert: What takes it back; safe to repeat, and right too where only a part of the change was made.
        proof: What must hold, asked on a new connection.
        seconds: After which the host takes the change back.
    """

    name: str
    revert: tuple[Action, ...]
    proof: tuple[Command, ...]
    seconds: int


@dataclass(frozen=True, slots=True)
class Script:
    """How one step is done on its host, in one round trip and safe to repeat.

    The host evaluates ``done``; where all of it holds, nothing is run. Else every guard must hold, then the
    actions run in order up to the first that fails. Where ``done`` does not hold after them, the fallback runs. At
    the end ``done`` must hold: that is the step's verification.

    Attributes:
        done: Conditions that hold once the step's effect is there; never empty.
        guards: Conditions without which the step must not run (for example "the disk is blank"), checked on the
            host right before the actions, because the observation that the plan came from is older.
        actions: What makes ``done`` true.
        fallback: What does where the actions were not enough: the harsher cure after the mild one. Not for jobs.
        job: When set, the actions start as this job and later passes observe it (domain/jobs.py).
        trial: When set, the host takes the actions back by itself unless they are proved. Not for jobs.
    """

    done: tuple[Command, ...]
    actions: tuple[Action, ...]
    guards: tuple[Command, ...] = ()
    job: Job | None = None
    fallback: tuple[Action, ...] = ()
    trial: Trial | None = None

    @property
    def all_actions(self) -> tuple[Action, ...]:
        """The actions and then those of the fallback, in the order in which a host numbers them."""
        return self.actions + self.fallback

    @property
    def contents(self) -> Iterator[Action]:
        """Everything that a secret can reach a host with: all conditions and actions, those of the trial too."""
        yield from (*self.done, *self.guards, *self.all_actions)
        if self.trial is not None:
            yield from (*self.trial.revert, *self.trial.proof)


@dataclass(frozen=True, slots=True)
class Output:
    """What a command returned.

    Attributes:
        rc: Exit status; 124 = timed out, 127 = not found.
        stdout: Standard output, decoded as UTF-8 with replacement.
        stderr: Standard error, likewise.
    """

    rc: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Probe(Generic[T]):
    """A question to a host: an argv and a pure parser of its answer.

    Attributes:
        name: Short unique name, used in messages and in the framing of a batch.
        argv: What to run; must change nothing on the host.
        parse: Turns the output into a fact; total: what it does not understand is Unknown.
        timeout: Seconds.
        lasting: Whether the answer changes only with hardware, packages or a boot, so that a calm host need not be
            asked at every pass.
    """

    name: str
    argv: tuple[str, ...]
    parse: Callable[[Output], Fact[T]]
    timeout: int = 15
    lasting: bool = False
