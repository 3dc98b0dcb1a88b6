"""Writes the files that are made from the code: ``python -m heretic.generate [--check]``."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from heretic.api import crd, rights
from heretic.api.reference import page
from heretic.cli import codes
from heretic.kinds import KINDS
from heretic.reference import metrics_page, reasons_page


def generated() -> dict[str, str]:
    """Every generated file: its path below the top of the repository, and its content."""
    crds = {f"crds/{name}": content for name, content in crd.files(KINDS.models).items()}
    rights_of = {f"manifests/operator/{name}": text for name, text in rights.files(KINDS.models).items()}
    return (
        crds
        | rights_of
        | {
            "docs/reference/api.md": page(KINDS.models),
            "docs/reference/reasons.md": reasons_page(),
            "docs/reference/metrics.md": metrics_page(),
            "docs/reference/verify-codes.md": codes.reference(),
        }
    )


def stale(top: Path, files: Mapping[str, str]) -> list[str]:
    """Paths of files that differ from what would be generated, in order."""
    return sorted(name for name, content in files.items() if _read(top / name) != content)


def write(top: Path, files: Mapping[str, str]) -> None:
    """Writes files; folders are made when missing."""
    for name in stale(top, files):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(files[name], encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command line.

    Args:
        arguments: Of the command line; None: the process's own.

    Returns:
        Exit status; 1 when ``--check`` found stale files.
    """
    parser = argparse.ArgumentParser(
        prog="python -m heretic.generate", description="Generates crds/ and reference pages."
    )
    parser.add_argument("--out", type=Path, default=Path(), metavar="FOLDER", help="top of the repository")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    options = parser.parse_args(arguments)
    files = generated()
    if not options.check:
        write(options.out, files)
        return 0
    old = stale(options.out, files)
    if old:
        sys.stderr.write(f"stale: {', '.join(old)}; run make docs\n")
    return 1 if old else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main())
