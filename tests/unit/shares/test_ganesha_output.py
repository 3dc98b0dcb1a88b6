"""What is said of Ganesha on the bus, as 6.5 of Debian 13 and 4.3 of Debian 12 said it."""

from pathlib import Path

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.shares.ganesha.facts import TriedFile, parse_exports, parse_tried

DATA = Path(__file__).resolve().parents[2] / "data/shares/ganesha"
NOBODY = "Call failed: The name org.ganesha.nfsd was not provided by any .service files\n"


@pytest.mark.parametrize("name", ["exports", "exports-4.3"])
def test_the_exports_of_the_running_ganesha_by_number(name: str) -> None:
    said = (DATA / f"{name}.txt").read_text()
    assert parse_exports(Output(0, said, "")) == Known({1: "/groups", 2: "/homes"})


def test_a_ganesha_without_exports_serves_the_root_of_all_of_them_alone() -> None:
    assert parse_exports(Output(0, '{"type":"(tt)a(qs(tt))","data":[[1,2],[[0,"/",[0,0]]]]}', "")) == Known({})


@pytest.mark.parametrize(
    "output",
    [
        Output(1, "", NOBODY),
        Output(1, "", "Call failed: The name is not activatable\n"),  # dbus-broker
        Output(127, "", "sh: busctl: not found\n"),
    ],
)
def test_a_ganesha_that_does_not_run_serves_nothing(output: Output) -> None:
    assert parse_exports(output) == Absent()


@pytest.mark.parametrize(
    "output",
    [
        Output(1, "", "Call failed: Connection timed out\n"),
        Output(0, "", ""),
        Output(0, '{"type":"s","data":["1 exports added"]}', ""),
        Output(0, '{"type":"(tt)a(qs)","data":[[1,2],[["1","/a"]]]}', ""),
        Output(0, '{"type":"(tt)a(qs)","data":[[1,2],[[1]]]}', ""),
        Output(0, "[]", ""),
    ],
)
def test_a_list_that_was_not_read_is_not_empty(output: Output) -> None:
    assert isinstance(parse_exports(output), Unknown)


def test_what_was_tried_and_what_was_said_of_it() -> None:
    assert parse_tried(Known("ab")) == Known(TriedFile("ab"))
    words = (DATA / "refused.txt").read_text()
    tried = parse_tried(Known(f"ab\n{words}"))
    assert isinstance(tried, Known)
    assert tried.value.sha256 == "ab"
    assert "Unknown token (banana)" in tried.value.complaint
    assert "\n" not in tried.value.complaint
    assert parse_tried(Absent()) == Absent()
