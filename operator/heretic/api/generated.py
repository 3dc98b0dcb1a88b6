"""Files that are made from the models: how they are written, and how one tells that they are stale."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path


def stale(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Names of files that differ from what would be generated, in order."""
    return sorted(name for name, content in files.items() if _read(folder / name) != content)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files into a folder, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale(folder, files):
        (folder / name).write_text(files[name], encoding="utf-8")


def main(module: str, folder: str, files: Mapping[str, str], arguments: list[str] | None = None) -> int:
    """The command line of a generator.

    Args:
        module: What ``python -m`` runs.
        folder: Where the files go unless the command line says otherwise.
        files: Name and content of each.
        arguments: Of the command line; None: the process's own.

    Returns:
        Exit status; 1 when ``--check`` found stale files.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Generates {', '.join(files)}.")
    parser.add_argument("--out", type=Path, default=Path(folder), metavar="FOLDER", help=f"instead of {folder}")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.out, files)
        return 0
    old = stale(options.out, files)
    if old:
        sys.stderr.write(f"stale in {options.out}: {', '.join(old)}; run python -m {module}\n")
    return 1 if old else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
