"""What Samba's programs print, as 4.22 of Debian 13 printed it on three hosts under CTDB."""

from pathlib import Path

import pytest

from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.shares.samba.facts import TestedFile, parse_served, parse_tested, parse_users
from heretic.domain.shares.server_facts import FolderState, parse_accounts, parse_folders, parse_scripts

DATA = Path(__file__).resolve().parents[2] / "data/shares/samba"
REFUSED = "do_connect: Connection to 127.0.0.1 failed (Error NT_STATUS_CONNECTION_REFUSED)\n"


def recorded(name: str, rc: int = 0) -> Output:
    said = DATA / f"{name}.err"
    return Output(rc, (DATA / f"{name}.txt").read_text(), said.read_text() if said.exists() else "")


def test_a_file_that_testparm_understands() -> None:
    assert parse_tested(recorded("tested")) == Known(TestedFile(frozenset({"global", "groups"})))


@pytest.mark.parametrize(
    ("name", "rc", "word"), [("tested-unknown", 0, "Unknown parameter encountered"), ("tested-refused", 1, "banana")]
)
def test_a_file_that_testparm_does_not_like_says_why(name: str, rc: int, word: str) -> None:
    tested = parse_tested(recorded(name, rc))
    assert isinstance(tested, Known)
    assert word in " ".join(tested.value.complaints)


def test_a_testparm_that_fails_without_a_known_word_is_a_refusal() -> None:
    tested = parse_tested(Output(1, "", "Load smb config files from x\nError loading services.\n"))
    assert isinstance(tested, Known)
    assert tested.value.complaints == ("Error loading services.",)


def test_a_testparm_that_says_nothing_has_proved_nothing() -> None:
    assert isinstance(parse_tested(Output(0, "", "")), Unknown)


def test_the_shares_that_the_running_samba_lists() -> None:
    assert parse_served(recorded("served")) == Known(frozenset({"groups"}))


@pytest.mark.parametrize("output", [Output(1, "", REFUSED), Output(127, "", "sh: not found\n")])
def test_a_samba_that_does_not_run_serves_nothing(output: Output) -> None:
    assert parse_served(output) == Absent()


@pytest.mark.parametrize("output", [Output(1, "", "NT_STATUS_ACCESS_DENIED"), Output(0, "", "")])
def test_a_list_that_was_not_read_is_not_empty(output: Output) -> None:
    assert isinstance(parse_served(output), Unknown)


def test_who_may_log_in_and_where_the_password_came_from() -> None:
    assert parse_users(recorded("users")) == Known({"anna": "Heretic: heretic-shares"})
    assert parse_users(Output(0, "", "")) == Known({})


def test_accounts_of_the_host() -> None:
    text = "root:x:0:0:root:/root:/bin/bash\nanna:x:20001:20000::/nonexistent:/usr/sbin/nologin\n"
    assert parse_accounts(Known(text)) == Known({"root": 0, "anna": 20001})
    assert parse_accounts(Absent()) == Absent()
    assert isinstance(parse_accounts(Known("root\n")), Unknown)


def test_folders_in_volumes() -> None:
    said = "/gluster/shares/win/groups 0 20000 2770\n/gluster/shares/win/with a blank 0 0 755\n"
    assert parse_folders(Output(0, said, "")) == Known(
        {
            "/gluster/shares/win/groups": FolderState(0, 20000, "2770"),
            "/gluster/shares/win/with a blank": FolderState(0, 0, "0755"),
        }
    )
    gone = "find: '/gluster/shares': No such file or directory\n"
    assert parse_folders(Output(1, "", gone)) == Known({})
    assert isinstance(parse_folders(Output(1, "", "find: Transport endpoint is not connected\n")), Unknown)


def test_scripts_that_ctdb_runs() -> None:
    said = Output(0, "00.ctdb.script\n50.samba.script\nREADME\n", "")
    assert parse_scripts(said) == Known(frozenset({"00.ctdb", "50.samba"}))
