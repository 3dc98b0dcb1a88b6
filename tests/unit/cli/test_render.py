"""Durations, counts, columns."""

from datetime import UTC, datetime

import pytest

from heretic.cli import render


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-5, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (200000, "2 d")],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert render.duration(seconds) == text


def test_an_age_of_no_time_is_not_told() -> None:
    assert render.age("", datetime.now(UTC)) == ""


@pytest.mark.parametrize(
    ("reason", "text"),
    [("WaitingForNodes", "waiting for nodes"), ("APIServer", "API server"), ("NoRoot", "no root"), ("x", "x")],
)
def test_a_reason_is_told_in_words(reason: str, text: str) -> None:
    assert render.words(reason) == text


def test_columns_are_aligned_and_the_last_one_gives_way() -> None:
    console = render.console(no_color=True, width=30)
    lines = [
        line.plain
        for line in render.columns(console, ["A", "BB", "C"], [["aaaa", ("b", "red"), "c" * 40], ["", "", ""]])
    ]
    assert lines == ["A     BB  C", "aaaa  b   " + "c" * 19 + "…", ""]


def test_a_paragraph_wraps_below_itself() -> None:
    console = render.console(no_color=True, width=24)
    assert [line.plain for line in render.paragraph(console, "one two three four five six", 4)] == [
        "    one two three four",
        "    five six",
    ]


def test_output_that_is_no_terminal_has_neither_colours_nor_wrapping(capsys: pytest.CaptureFixture[str]) -> None:
    console = render.console(no_color=False)
    console.print(*render.paragraph(console, render.styled(("word " * 100, "red")), 2), sep="\n")
    assert capsys.readouterr().out == "  " + " ".join(["word"] * 100) + "\n"
