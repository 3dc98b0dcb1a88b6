"""Running programs on this machine, and telling how long things take."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lab.errors import LabError

Argument = str | Path


def run(
    argv: Sequence[Argument],
    *,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    timeout: float | None = 600,
) -> str:
    """Run a program and return its standard output; a LabError with its last words when it fails.

    With `log`, everything it says goes to that file instead: for the programs that talk for minutes.
    """
    command = [str(arg) for arg in argv]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
    try:
        if log is not None:
            with log.open("wb") as sink:
                done = subprocess.run(
                    command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=environment, timeout=timeout
                )
            said = log.read_text(errors="replace") if done.returncode else ""
        else:
            captured = subprocess.run(
                command,
                input=(stdin or "").encode(),
                capture_output=True,
                env=environment,
                timeout=timeout,
            )
            done = captured
            said = captured.stderr.decode(errors="replace")
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed; run: python -m lab install") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"`{shlex.join(command)}` did not end within {timeout:.0f} s") from None
    if done.returncode != 0:
        last_words = "\n  ".join(said.strip().splitlines()[-15:])
        raise LabError(f"`{shlex.join(command)}` failed with status {done.returncode}:\n  {last_words}")
    return "" if log is not None else bytes(done.stdout).decode(errors="replace")


def require_root() -> None:
    """Namespaces, taps and file ownership inside images need root; say so before anything else fails."""
    if os.geteuid() != 0:
        raise LabError("the lab's machines need root on this machine: run it with `sudo -E`")


def require_programs(*names: str) -> None:
    missing = [name for name in names if shutil.which(name, path=search_path()) is None]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}; run: python -m lab install")


def search_path() -> str:
    """$PATH with the sbin folders, which a plain user's PATH lacks on Debian."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def say(message: str) -> None:
    """Progress, on stderr: stdout belongs to the answer of a command."""
    print(f"lab: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def timed(what: str, *, expect: str = "") -> Iterator[None]:
    """Announce a long step, and say afterwards how long it took."""
    say(f"{what}{f' (about {expect})' if expect else ''} ...")
    started = time.monotonic()
    yield
    say(f"{what}: done in {time.monotonic() - started:.1f} s")
