"""Steps for Ganesha in real shells, with small programs in place of those that would change this machine."""

import hashlib
import os

import pytest

from heretic.domain.host.rule import NOTE
from heretic.domain.plan import HostStep
from heretic.domain.shares.ganesha import texts
from heretic.domain.shares.ganesha.facts import MANAGER, TRIED
from heretic.domain.shares.ganesha.steps import (
    AddExport,
    PutEventScript,
    PutGaneshaConfiguration,
    RemoveExport,
    StartGanesha,
    TryExports,
    update,
)
from heretic.domain.shares.lock_steps import FILE
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from ssh.shell import Shell, here, write

BLOCK = '# FileShare files\nEXPORT {{\n\tExport_Id = {0};\n\tPath = "/{1}";\n\tSquash = {2};\n}}\n'
OLD = NOTE + BLOCK.format(1, "homes", "Root_Squash")
NEW = OLD + BLOCK.format(12, "software", "All_Squash")

BUSCTL = """
shift 6
case "$1 $2" in
'ShowExports ')
  printf '%s' '{"type":"(tt)","data":[[1,2],[[0,"/",[["NFSv3",false]],[0,0]]'
  while read -r id path; do printf ',[%s,"%s",[["NFSv3",false]],[0,0]]' "$id" "$path"; done <$d/exports
  echo ']]}' ;;
'AddExport ss')
  echo "$3 $4" >>$d/told
  [ ! -e $d/busy ] || { echo 'Call failed: another export admin operation is in progress' >&2; exit 1; }
  if grep -q 'Squash = All' "$3" && [ -e $d/bad ]; then
    printf 'Call failed: 0 export entries in %s added because (unknown param) errors. Details:\\n%s\\n%s\\n' \\
      "$3" "Config File ($3:23): Unknown token (All_Squash)" 'Config File: Errors' >&2
    exit 1
  fi
  case $4 in
  *=0*) echo "Call failed: Selected entries in $3 already active!!!" >&2; exit 1 ;;
  *=12*) [ ! -e $d/lenient ] || { echo '{"type":"s","data":["1 exports added. Errors found: Unknown"]}'; exit 0; } ;;
  esac
  echo '12 /software' >>$d/exports
  echo '{"type":"s","data":["1 exports added"]}' ;;
'UpdateExport ss') echo "$4" >>$d/told; echo '{"type":"s","data":["1 exports updated"]}' ;;
'RemoveExport q') sed -i "/^$3 /d" $d/exports ;;
*) exit 9 ;;
esac
"""
SYSTEMCTL = """
case "$1" in
is-active) cat $d/active; grep -qx active $d/active ;;
start) echo active >$d/active ;;
esac
"""


@pytest.fixture
def host(shell: Shell) -> Shell:
    """One on which CTDB runs with its lock, and Ganesha serves one folder."""
    shell.program("busctl", f"d={shell.sandbox}{BUSCTL}")
    shell.program("systemctl", f"d={shell.sandbox}{SYSTEMCTL}")
    shell.program("ctdb", f"cat {shell.sandbox}/lock")
    shell.program("findmnt", f"cat {shell.sandbox}/mounted")
    for path, content in (("/exports", "1 /homes\n"), ("/active", "active\n"), ("/lock", f"{FILE}\n")):
        write(shell, path, content)
    write(shell, "/mounted", "n1:/lock\n")
    write(shell, texts.CONFIGURATION, OLD)
    write(shell, texts.NEXT, NEW)
    return shell


async def perform(host: Shell, step: HostStep) -> str:
    text = render_step(step.script(), Fence()).replace(" /etc/", f" {host.sandbox}/etc/")
    return (await host.send(text)).name


def read(host: Shell, path: str) -> str:
    return (host.sandbox / path.lstrip("/")).read_text()


async def done_once(host: Shell, step: HostStep) -> None:
    assert await perform(host, step) == "changed:0"
    assert await perform(host, step) == "unchanged:0"


TRIAL = TryExports(host="n1", why="", sha256=hashlib.sha256(NEW.encode()).hexdigest(), numbers=(1, 12))


async def test_a_trial_adds_nothing_and_keeps_the_words(host: Shell) -> None:
    await done_once(host, TRIAL)
    assert read(host, TRIED) == f"{TRIAL.sha256}\n"
    assert read(host, "/exports") == "1 /homes\n"
    assert read(host, "/told").count("EXPORT(Export_Id=0)") == 2
    (host.sandbox / TRIED.lstrip("/")).unlink()
    write(host, "/bad", "")
    await done_once(host, TRIAL)
    first, *words = read(host, TRIED).splitlines()
    assert first == TRIAL.sha256
    assert "12: " in " ".join(words)
    assert "Unknown token (All_Squash)" in " ".join(words)


async def test_a_trial_that_was_not_answered_is_none(host: Shell) -> None:
    write(host, "/busy", "")
    assert (await perform(host, TRIAL)).startswith("act:")
    assert not (host.sandbox / TRIED.lstrip("/")).exists()


async def test_another_file_than_planned_is_not_tried(host: Shell) -> None:
    write(host, texts.NEXT, OLD)
    assert await perform(host, TRIAL) == "guard:1"


def put(host: Shell, *, tried: bool = True) -> PutGaneshaConfiguration:
    return PutGaneshaConfiguration(
        host="n1",
        why="",
        path=texts.CONFIGURATION,
        content=NEW,
        mode="0644",
        replaces_sha256=hashlib.sha256(OLD.encode()).hexdigest(),
        reader=texts.SERVICE,
        tell=(update(1),),
        tried=tried,
    )


async def test_a_tried_configuration_is_put_in_force_and_read_again(host: Shell) -> None:
    write(host, TRIED, f"{TRIAL.sha256}\n")
    await done_once(host, put(host))
    assert read(host, texts.CONFIGURATION) == NEW
    assert read(host, "/told") == "EXPORT(Export_Id=1)\n"


@pytest.mark.parametrize(
    ("tried", "following", "stops"),
    [
        ("", NEW, "guard:2"),
        (f"{'0' * 64}\n", NEW, "guard:2"),
        (f"{TRIAL.sha256}\n12: Unknown token\n", NEW, "guard:2"),
        (f"{TRIAL.sha256}\n", OLD, "guard:1"),
    ],
)
async def test_what_was_not_tried_here_leaves_the_file_in_force_alone(
    host: Shell, tried: str, following: str, stops: str
) -> None:
    write(host, TRIED, tried)
    write(host, texts.NEXT, following)
    assert await perform(host, put(host)) == stops
    assert read(host, texts.CONFIGURATION) == OLD


async def test_where_no_ganesha_runs_nobody_can_try(host: Shell) -> None:
    await done_once(host, put(host, tried=False))


def add(text: str = NEW) -> AddExport:
    return AddExport(host="n1", why="", number=12, path="/software", sha256=hashlib.sha256(text.encode()).hexdigest())


async def test_an_export_is_added_once_out_of_the_file_that_was_planned(host: Shell) -> None:
    assert await perform(host, add()) == "guard:1"
    write(host, texts.CONFIGURATION, NEW)
    await done_once(host, add())
    assert read(host, "/exports") == "1 /homes\n12 /software\n"


async def test_an_export_that_was_added_with_errors_fails_the_step(host: Shell) -> None:
    write(host, texts.CONFIGURATION, NEW)
    write(host, "/lenient", "")
    assert (await perform(host, add())).startswith("act:")


@pytest.mark.parametrize(("number", "path"), [(2, "/software"), (12, "/other"), (1, "/software")])
async def test_an_export_that_is_somebody_elses_is_not_removed(host: Shell, number: int, path: str) -> None:
    write(host, "/exports", "1 /homes\n12 /software\n")
    assert await perform(host, RemoveExport(host="n1", why="", number=number, path=path)) == "unchanged:0"
    assert read(host, "/exports") == "1 /homes\n12 /software\n"


async def test_an_export_is_removed_once(host: Shell) -> None:
    write(host, "/exports", "1 /homes\n12 /software\n")
    await done_once(host, RemoveExport(host="n1", why="", number=12, path="/software"))
    assert read(host, "/exports") == "1 /homes\n"


@pytest.mark.parametrize(("mounted", "lock", "stops"), [("", f"{FILE}\n", "guard:1"), ("n1:/lock\n", "\n", "guard:2")])
async def test_ganesha_starts_where_ctdb_runs_on_its_lock_only(
    host: Shell, mounted: str, lock: str, stops: str
) -> None:
    write(host, "/active", "inactive\n")
    write(host, "/mounted", mounted)
    write(host, "/lock", lock)
    assert await perform(host, StartGanesha(host="n1", why="")) == stops
    write(host, "/mounted", "n1:/lock\n")
    write(host, "/lock", f"{FILE}\n")
    await done_once(host, StartGanesha(host="n1", why=""))


def event_script(number: int = 1) -> PutEventScript:
    content = texts.script(number)
    return PutEventScript(host="n1", why="", path=texts.SCRIPT, content=content, mode="0755", replaces_sha256="")


async def test_ctdb_watches_a_ganesha_that_runs(host: Shell) -> None:
    write(host, "/active", "inactive\n")
    assert await perform(host, event_script()) == "guard:2"
    write(host, "/active", "active\n")
    await done_once(host, event_script())


EVENTS = """
shift 2
case "$*" in
*get_grace) [ ! -e $d/mute ] ;;
*' grace s '*) echo "${*##* }" >>$d/told ;;
esac
"""


async def event(host: Shell, *words: str) -> tuple[int, str]:
    """Runs the script as CTDB does."""
    text = texts.script(1).replace("/gluster/lock", here(host, "/gluster/lock"))
    write(host, "/script", text)
    stdout, _, rc = await host.run(f"env PATH={os.defpath} sh {host.sandbox}/script {' '.join(words)}")
    return rc, stdout.decode()


async def test_clients_of_the_host_that_had_an_address_last_may_come_back(host: Shell) -> None:
    host.program("busctl", f"d={host.sandbox}{EVENTS}")
    (host.sandbox / "gluster/lock").mkdir(parents=True)
    assert await event(host, "startipreallocate") == (0, "")
    assert await event(host, "takeip", "eth2", "172.20.12.101", "24") == (0, "")
    assert read(host, "/told") == "0:\n"  # nobody had it before
    write(host, "/gluster/lock/ganesha-addresses/172.20.12.101", "2\n")
    await event(host, "takeip", "eth2", "172.20.12.101", "24")
    assert read(host, "/told") == "0:\n4:2\n"
    assert read(host, "/gluster/lock/ganesha-addresses/172.20.12.101") == "1\n"
    await event(host, "releaseip", "eth2", "172.20.12.101", "24")
    assert read(host, "/told").endswith("2:172.20.12.101\n")


async def test_ctdb_learns_who_is_connected_to_a_public_address(host: Shell) -> None:
    host.program("busctl", f"d={host.sandbox}{EVENTS}")
    write(host, "/gluster/lock/ganesha-addresses/172.20.12.101", "1\n")
    peers = ("172.20.12.101]:2049 [::ffff:172.20.12.50]:536", "172.20.11.11]:2049 [::ffff:172.20.11.13]:9")
    host.program("ss", "".join(f"echo '0      0      [::ffff:{peer}'\n" for peer in peers))
    host.program("ctdb", f'echo "$*" >{host.sandbox}/tickles; cat >>{host.sandbox}/tickles')
    assert await event(host, "monitor") == (0, "")
    assert read(host, "/tickles") == "addtickle\n172.20.12.50:536 172.20.12.101:2049\n"


async def test_ctdb_is_told_of_a_ganesha_that_does_not_serve(host: Shell) -> None:
    host.program("busctl", f"d={host.sandbox}{EVENTS}")
    host.program("ss", "")
    host.program("ctdb", "cat")
    assert await event(host, "monitor") == (0, "")
    write(host, "/mute", "")
    assert await event(host, "monitor") == (1, "nfs-ganesha.service does not answer\n")
    host.program("systemctl", "exit 3")
    assert await event(host, "monitor") == (1, "nfs-ganesha.service is not active\n")


def test_the_manager_is_asked_for_json_within_a_time() -> None:
    assert MANAGER[:4] == ("busctl", "--json=short", "--timeout=20", "call")
