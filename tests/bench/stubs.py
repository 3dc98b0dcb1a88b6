"""Stand-ins for a host's programs: each prints what the simulated host answered when it was recorded.

They are what keeps a benchmark of many hosts on one machine honest in one direction only: a stub costs a shell's
start, the program itself mostly more.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from heretic.domain.commands import Output
from sim.machine import Argv

REAL = frozenset({"stat", "sha256sum", "grep", "date", "find", "flock", "cat"})
"""Programs that run on the benchmark's hosts as they are; their answers come from real files."""


def write_stubs(folder: Path, answers: Mapping[Argv, Output]) -> None:
    """Writes a program for every name that was asked.

    Args:
        folder: First on the hosts' PATH.
        answers: By argv; builtins and programs that are real are left out.
    """
    programs: dict[str, dict[Argv, Output]] = {}
    for argv, output in answers.items():
        if argv[0] == "flock":
            argv = argv[argv.index("gluster") :]
        if argv[0] not in REAL and not argv[0].startswith("@"):
            programs.setdefault(argv[0], {})[argv[1:]] = output
    for name, known in programs.items():
        path = folder / name
        path.write_text(_script(name, known))
        path.chmod(0o755)


def _script(name: str, known: Mapping[Argv, Output]) -> str:
    """Only what a shell does by itself: one process each."""
    lines = ["#!/bin/sh", 'case "$*" in']
    for argv, output in known.items():
        lines.append(f"{shlex.quote(' '.join(argv))})")
        lines += [f"printf %s {shlex.quote(output.stdout)}"] if output.stdout else []
        lines += [f"printf %s {shlex.quote(output.stderr)} >&2"] if output.stderr else []
        lines.append(f"exit {output.rc} ;;")
    lines += [f'*) echo "{name}: not recorded: $*" >&2; exit 99 ;;', "esac", ""]
    return "\n".join(lines)


WIPEFS = ("wipefs", "--no-act", "-J", "-O", "OFFSET,TYPE,UUID,LABEL")


def signature_answers(signatures: Output) -> dict[Argv, Output]:
    """What the programs behind ``@signatures`` answer, from the recorded answer of the whole."""
    found: dict[Argv, Output] = {}
    disks: list[str] = []
    said: dict[str, tuple[int, list[str]]] = {}

    def store() -> None:
        for program, (rc, lines) in said.items():
            words = WIPEFS if program == "wipefs" else ("blkid", "-p", "-o", "export")
            found[(*words, disks[-1])] = Output(rc, "".join(f"{line}\n" for line in lines), "")
        said.clear()

    for line in signatures.stdout.splitlines():
        word, _, rest = line.partition(" ")
        match word:
            case "disk":
                store()
                disks.append(rest)
            case "wipefs" | "blkid":
                said[word] = (int(rest), [])
            case "w" | "b":
                said["wipefs" if word == "w" else "blkid"][1].append(rest)
    store()
    listed = "".join(f"{disk} disk {200 * 2**30}\n" for disk in disks)
    found[("lsblk", "-dnbpo", "NAME,TYPE,SIZE")] = Output(0, listed, "")
    return found
