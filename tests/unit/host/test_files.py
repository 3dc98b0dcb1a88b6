"""Files read with stat, sha256sum and grep: the real programs on a real folder, and answers that disagree."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.parse.files import LINES, MODES, SUMS, Files, parse_files
from heretic.domain.host.parse.locks import LOCK_FILES, TABLE, package_lock


def run(*argv: str) -> Output:
    done = subprocess.run(argv, capture_output=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    return Output(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def read(*paths: str) -> Files:
    return parse_files(run(*MODES, *paths), run(*SUMS, *paths), run(*LINES, *paths), paths)


@settings(max_examples=30, deadline=None)
@given(content=st.text() | st.just("a\r\nb\x0bc\u2028d\n"))
def test_what_was_written_is_read_whatever_it_is(tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    path = tmp_path_factory.mktemp("f") / "file"
    path.write_bytes(content.encode(errors="surrogatepass"))
    path.chmod(0o640)
    fact = read(str(path)).content(str(path))
    assert isinstance(fact, Known)
    assert fact.value.content == content
    assert fact.value.mode == "0640"


def test_missing_empty_and_binary_files_side_by_side(tmp_path: Path) -> None:
    empty, binary, missing = tmp_path / "empty", tmp_path / "binary", tmp_path / "missing"
    empty.touch()
    binary.write_bytes(b"\xff\xfe\x00\n")
    files = read(str(empty), str(binary), str(missing))
    found = files.content(str(empty))
    assert isinstance(found, Known)
    assert found.value.content == ""
    assert files.content(str(missing)) == Absent()
    assert files.text(str(missing)) == Absent()
    assert isinstance(files.content(str(binary)), Unknown)
    assert files.exists(str(missing)) == Known(False)


GOOD = (Output(0, "0644 801:5 /a\n", ""), Output(0, "0" * 64 + "  /a\n", ""), Output(0, "/a:x\n", ""))


def test_a_file_that_changed_while_it_was_read_is_unknown() -> None:
    assert isinstance(parse_files(*GOOD, ["/a"]).content("/a"), Unknown)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_nothing_is_absent_when_a_program_did_not_run(which: int) -> None:
    answers = list(GOOD)
    answers[which] = Output(124, "", "")
    files = parse_files(answers[0], answers[1], answers[2], ["/a", "/b"])
    for path in ("/a", "/b"):
        assert isinstance(files.content(path), Unknown)
        assert isinstance(files.text(path), Unknown)
        assert isinstance(files.exists(path), Unknown)


def test_a_file_that_may_not_be_read_is_not_absent() -> None:
    modes = Output(1, "", "stat: cannot statx '/a': Permission denied\n")
    files = parse_files(modes, Output(1, "", ""), Output(2, "", ""), ["/a"])
    assert isinstance(files.content("/a"), Unknown)
    assert isinstance(files.text("/a"), Unknown)


HELD = "1: POSIX  ADVISORY  WRITE 812 fe:01:77 0 EOF\n1: -> POSIX  ADVISORY  WRITE 900 fe:01:77 0 EOF\n"


@pytest.mark.parametrize(
    ("table", "holder"),
    [
        (HELD, Known(f"process 812 ({LOCK_FILES[0]})")),
        (HELD.replace("fe:01:77", "fe:01:78"), Known("")),
        (HELD.replace("fe:01:77", "fe:02:77"), Known("")),
        ("", Known("")),
    ],
    ids=["held", "another file", "another filesystem", "nobody holds anything"],
)
def test_package_lock(table: str, holder: Known[str]) -> None:
    modes = {LOCK_FILES[0]: ("0640", "fe01:77"), TABLE: ("0444", "16:1")}
    assert package_lock(Files(contents={TABLE: table} if table else {}, modes=modes)) == holder


def test_package_lock_is_unknown_when_the_table_was_not_read() -> None:
    assert isinstance(package_lock(Files(trouble="grep hangs")), Unknown)
