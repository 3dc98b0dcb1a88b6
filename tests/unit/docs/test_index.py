import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "operator/heretic"
ARCHITECTURE = ROOT / "docs/explanation/architecture.md"


def rows() -> list[str]:
    table = ARCHITECTURE.read_text().split("## Where to find what")[1]
    return [line for line in table.splitlines() if line.startswith("| ") and "`" in line]


def files(row: str) -> list[Path]:
    """The files that a row names; one without a folder is in the folder of the one before it."""
    folder, found = PACKAGE, []
    for name in re.findall(r"`([^`]+)`", row.split("|")[2]):
        if "/" in name.rstrip("/") and not name.startswith("parse"):
            path = PACKAGE / name
            folder = path.parent
        else:
            path = folder / name
        found.append(path)
    return found


@pytest.mark.parametrize("row", rows())
def test_every_file_of_the_index_exists(row: str) -> None:
    named = files(row)
    assert named
    missing = [
        str(path) for path in named if not (list(path.parent.glob(path.name)) if "*" in path.name else path.exists())
    ]
    assert missing == []


def test_the_index_covers_every_folder_of_the_package() -> None:
    named = {path for row in rows() for path in files(row)}
    folders = {path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}
    uncovered = [f for f in folders if not any(path.is_relative_to(f) or f.is_relative_to(path) for path in named)]
    assert uncovered == []
