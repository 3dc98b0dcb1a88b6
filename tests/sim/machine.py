"""The core of a simulated host: files, programs, detached jobs, boots.

A Machine answers only what it was told how to answer. Programs are registered by name in ``tools`` (other files
of this package bring them); an argv that no tool accepts is answered rc 127, as a shell would, and is also noted
in ``refusals``, which every test asserts to be empty. State that belongs to a tool lives with that tool.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from heretic.domain.commands import Output

Argv = tuple[str, ...]
Tool = Callable[["Machine", Argv, str | None], Output | None]
"""Called with the machine, the whole argv and stdin; None = "I do not know this argv" (a refusal)."""

OK = Output(0, "", "")
TIMED_OUT = Output(124, "", "")


def ok(stdout: str = "") -> Output:
    """Success."""
    return Output(0, stdout, "")


def failed(stderr: str, rc: int = 1, stdout: str = "") -> Output:
    """Failure with what the program says about it."""
    return Output(rc, stdout, stderr if stderr.endswith("\n") else stderr + "\n")


def before(tool: Tool, other: Tool | None) -> Tool:
    """A tool that leaves what it does not know to the one that was there."""

    def run(machine: "Machine", argv: Argv, stdin: str | None) -> Output | None:
        output = tool(machine, argv, stdin)
        return other(machine, argv, stdin) if output is None and other else output

    return run


@dataclass
class File:
    """One regular file."""

    content: str
    mode: str = "0644"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass
class SimJob:
    """One detached systemd unit that a step started.

    Attributes:
        work: What it does when it runs: the acts of the step, in order; gives the unit's exit status.
        state: active, inactive (succeeded, unit gone) or failed, as ActiveState of systemctl says.
        rc: Exit status once it ended.
    """

    unit: str
    work: Callable[[], int] = field(repr=False)
    state: str = "active"
    rc: int | None = None

    def finish(self) -> None:
        """Runs the work to its end."""
        if self.state == "active":
            self.rc = self.work()
            self.state = "inactive" if self.rc == 0 else "failed"


@dataclass
class Machine:
    """One simulated host.

    Attributes:
        name: For messages.
        files: Regular files by absolute path; folders exist implicitly.
        tools: Programs by name (``argv[0]``, no folder); the builtins @links, @numbers, @signatures, @bricks are tools
            too; @file and @jobs are answered here.
        seconds: How long a program takes, by name; one that takes longer than its timeout is answered rc 124 and
            has no effect. 0 when not named.
        refusals: Every argv that no tool accepted.
        ran: Every argv that ran, in order: probes, checks and acts.
        effects: What acts did, in order: an argv, or ("put", path).
        jobs: Detached units by name, as long as systemd would know them.
        outcomes: What the host keeps on its disk of each job: how it ended, the number and the status of what failed,
            and what it said.
        trials: What takes the change of each trial back that is neither proved nor taken back.
        due: When each of them is taken back, in simulated time.
        now: Simulated time, of which nothing passes by itself.
        taken_back: Trials that were taken back since the boot, and not begun again.
        job_starts: Every unit that was started, in order.
        jobs_finish_at_once: Whether a job ends in the moment it starts; else ``jobs[unit].finish()`` ends it.
        job_age: Seconds since the end of every job.
        put_error: What writing a file says instead of working ("No space left on device", "Read-only file
            system"), or None.
        lock_held: Whether another script holds the step lock.
        fence: What /var/lib/heretic/fence says: the newest operator that the host has seen; None = there is none.
        boot_id: Changes with each boot.
        on_boot: Called after each boot, to start services and lose what a reboot loses.
    """

    name: str = "node1"
    files: dict[str, File] = field(default_factory=dict)
    tools: dict[str, Tool] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    refusals: list[Argv] = field(default_factory=list)
    ran: list[Argv] = field(default_factory=list)
    effects: list[Argv] = field(default_factory=list)
    jobs: dict[str, SimJob] = field(default_factory=dict)
    outcomes: dict[str, tuple[str, int, int, tuple[str, ...]]] = field(default_factory=dict)
    trials: dict[str, Callable[[], None]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    now: Callable[[], float] = field(default=lambda: 0.0, repr=False)
    taken_back: set[str] = field(default_factory=set)
    job_starts: list[str] = field(default_factory=list)
    jobs_finish_at_once: bool = True
    job_age: int = 0
    put_error: str | None = None
    lock_held: bool = False
    fence: str | None = None
    boot_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    on_boot: list[Callable[["Machine"], None]] = field(default_factory=list)

    @property
    def token(self) -> int:
        """The greatest fencing token that the host has seen."""
        return int(self.fence.split()[0]) if self.fence else 0

    def run(self, argv: Argv, stdin: str | None = None, timeout: float = 60.0) -> Output:
        """Runs one program.

        Args:
            argv: Program and arguments; a program may be named with its folder.
            stdin: What it reads.
            timeout: Seconds.

        Returns:
            What it returned; rc 124 when it takes too long, rc 127 when no tool accepts the argv.
        """
        self.ran.append(argv)
        program = PurePosixPath(argv[0]).name
        if self.seconds.get(program, 0.0) > timeout:
            return TIMED_OUT
        if program == "@file":
            return self._file(argv[1])
        if argv == ("@jobs",):
            return self._told_jobs()
        tool = self.tools.get(program)
        output = tool(self, argv, stdin) if tool else None
        if output is None:
            self.refusals.append(argv)
            return failed(f"{program}: the simulated host does not know {argv}", 127)
        return output

    def put(self, path: str, content: str, mode: str, replaces_sha256: str | None) -> Output:
        """Replaces a file's content, as the prologue's ``put`` does.

        Returns:
            rc 0, rc 1 when writing fails, rc 3 when the present content is not the one named.
        """
        present = self.files.get(path)
        found = present.sha256 if present else ""
        if replaces_sha256 is not None and found != replaces_sha256:
            return failed(f"{path} has sha256 {found or '(none)'}", 3)
        if self.put_error:
            return failed(f"mktemp: failed to create file via template '{path}': {self.put_error}")
        self.files[path] = File(content, mode)
        self.effects.append(("put", path))
        return OK

    def act(self, argv: Argv, stdin: str | None = None, timeout: float = 60.0) -> Output:
        """Runs a program for its effect, and notes it in ``effects``."""
        self.effects.append(argv)
        return self.run(argv, stdin, timeout)

    def start_job(self, unit: str, work: Callable[[], int]) -> None:
        """Starts a detached unit; a failed one of the same name is replaced."""
        job = SimJob(unit, work)
        self.jobs[unit] = job
        self.job_starts.append(unit)
        if self.jobs_finish_at_once:
            job.finish()

    def keep_outcome(self, unit: str, verdict: str, number: int, status: int, said: Sequence[str] = ()) -> None:
        """Writes down on the host's disk what became of a job, as the prologue's ``outcome`` does."""
        self.outcomes[unit] = (verdict, number, status, tuple(said))

    def _told_jobs(self) -> Output:
        lines = []
        for unit, (verdict, number, status, said) in sorted(self.outcomes.items()):
            lost = verdict == "running" and not self.job_active(unit)
            lines.append(f"{unit} {'lost' if lost else verdict} {number} {status} {self.job_age}")
            lines += [f"|{line}" for line in said]
        return ok("".join(f"{line}\n" for line in lines))

    def arm(self, unit: str, seconds: int, revert: Callable[[], None]) -> None:
        """Starts the timer of a trial."""
        self.taken_back.discard(unit)
        self.trials[unit], self.due[unit] = revert, self.now() + seconds

    def take_back(self, unit: str) -> None:
        """What a trial's timer does when its time is over."""
        self.taken_back.add(unit)
        self.trials.pop(unit)()

    def job_active(self, unit: str) -> bool:
        """Whether a unit of this name still runs."""
        job = self.jobs.get(unit)
        return job is not None and job.state == "active"

    def reboot(self) -> None:
        """Loses what a reboot loses and runs ``on_boot``; running jobs are gone without having done their work."""
        self.boot_id = str(uuid.uuid4())
        self.lock_held = False
        self.jobs.clear()
        self.trials.clear()
        self.taken_back.clear()
        for path in [p for p in self.files if p.startswith(("/run/", "/tmp/"))]:
            del self.files[path]
        for hook in self.on_boot:
            hook(self)

    def _file(self, path: str) -> Output:
        found = self.files.get(path)
        return failed("", 1) if found is None else ok(f"{found.mode}\n{found.content}")
