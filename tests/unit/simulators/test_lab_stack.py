"""Where the effects of the operator are found: it is started in two ways, and writes its audit to two places."""

from pathlib import Path

import pytest

from lab.stack import Stack

LINES = '2026-11-27 19:40:05 INFO heretic: started\n{"verb": "A"}\nlab: {it ended}\n{"verb": "B"}\n'


@pytest.mark.parametrize(
    ("files", "verbs"),
    [
        ({}, []),
        ({"operator.log": LINES}, ["A", "B"]),
        ({"operator.log": "no audit\n", "audit.jsonl": '{"verb": "C"}\n'}, ["C"]),
    ],
    ids=["nothing was started yet", "among the lines of the log", "in a file of its own"],
)
def test_effects_are_read_from_where_the_operator_writes_them(
    tmp_path: Path, files: dict[str, str], verbs: list[str]
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert [effect["verb"] for effect in Stack(tmp_path).effects()] == verbs
