"""Backups of an engine by real shells and real coreutils; engine-backup and sftp are stand-ins that fail on demand."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from heretic.domain.commands import Command, Script
from heretic.domain.engine.machine import SETTINGS
from heretic.domain.hosted_engine.backup.names import SUM
from heretic.domain.hosted_engine.backup.steps import (
    AuthorizeBackups,
    BackUpEngine,
    FetchBackup,
    MakeBackupKey,
    MountBackupVolume,
    RemoveOldBackups,
    RemoveStagedBackups,
)
from ssh.shell import Shell

FQDN = "engine.example.test"
NAME = f"{FQDN}_4.5.7_20261128T060000Z.backup"

ENGINE_BACKUP = """
file= log= mode= scope=
for word; do
  case $word in
    --file=/*) file=${word#*=} ;;
    --log=/*) log=${word#*=} ;;
    --mode=backup | --mode=verify) mode=${word#*=} ;;
    --scope=all) scope=all ;;
    *) echo "FATAL: invalid option $word" >&2; exit 1 ;;
  esac
done
: >"$log" || exit 1
case $mode:$scope in
  backup:all) echo backup >"$file" || exit 1 ;;
  verify:) grep -qx backup "$file" || { echo "FATAL: not a backup" >&2; exit 1; } ;;
  *) echo "FATAL: mode and scope do not fit" >&2; exit 1 ;;
esac
[ ! -e "@/$mode" ] || { cat "@/$mode" >&2; exit 1; }
echo Done.
"""

SFTP = """
for target; do source=${previous-}; previous=$target; done
for word; do
  case ${option-} in -o) echo "$word" >>"@/options" ;; esac
  option=$word
done
case $source in root@192.0.2.5:/*) cat "${source#*:}" >"$target" ;; *) exit 255 ;; esac
[ ! -e "@/mangled" ] || echo ! >>"$target"
"""


@pytest.fixture
def there(shell: Shell) -> Path:
    """The engine's machine: its settings, and programs that are stand-ins."""
    settings = shell.files / "engine.conf.d"
    settings.mkdir()
    (settings / "10-setup-protocols.conf").write_text(f"ENGINE_FQDN={FQDN}\nENGINE_PROXY_ENABLED=true\n")
    shell.program("engine-backup", ENGINE_BACKUP.replace("@/", f"{shell.files}/"))
    shell.program("sftp", SFTP.replace("@/", f"{shell.files}/"))
    shell.program("systemctl", f"[ ! -e {shell.files}/busy ] || echo heretic-engine-backup.service loaded")
    return settings


def at_once(script: Script) -> Script:
    """What the unit of a job runs, without the unit."""
    acts = tuple(replace(a, timeout=min(a.timeout, 20)) if isinstance(a, Command) else a for a in script.actions)
    return replace(script, job=None, actions=acts)


async def perform(shell: Shell, script: Script) -> str:
    return (await shell.perform(at_once(script), change=(SETTINGS, str(shell.files / "engine.conf.d")))).name


def backup(shell: Shell, fqdn: str = FQDN) -> BackUpEngine:
    folder, log = str(shell.files / "staged"), str(shell.files / "log")
    return BackUpEngine(engine="engine", why="", fqdn=fqdn, name=NAME, folder=folder, log=log)


def fetch(shell: Shell, sha256: str = hashlib.sha256(b"backup\n").hexdigest()) -> FetchBackup:
    (shell.files / "kept").mkdir(exist_ok=True)
    return FetchBackup(
        host="node1",
        why="",
        name=NAME,
        folder=str(shell.files / "kept"),
        sha256=sha256,
        machine="192.0.2.5",
        port=22,
        known_hosts="192.0.2.5 ssh-ed25519 AAAA\n",
        own=str(shell.files / "own"),
        staged=str(shell.files / "staged"),
    )


async def test_a_backup_gets_its_name_once_it_was_verified(shell: Shell, there: Path) -> None:
    script = backup(shell).script()
    assert await perform(shell, script) == "changed:0"
    assert await perform(shell, script) == "unchanged:0"
    (file,) = (shell.files / "staged").iterdir()
    assert (file.name, file.stat().st_mode & 0o777) == (NAME, 0o600)
    assert (shell.files / "staged").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("mode", "number"), [("backup", 3), ("verify", 4)])
async def test_a_program_that_fails_leaves_no_file_of_that_name(
    shell: Shell, there: Path, mode: str, number: int
) -> None:
    (shell.files / mode).write_text("FATAL: No space left on device\n")
    assert await perform(shell, backup(shell).script()) == f"act:{number}"
    assert [p.name for p in (shell.files / "staged").iterdir()] == [f"{NAME}.part"]
    (shell.files / mode).unlink()
    assert await perform(shell, backup(shell).script()) == "changed:0"
    assert [p.name for p in (shell.files / "staged").iterdir()] == [NAME]


async def test_the_machine_of_another_engine_is_not_backed_up(shell: Shell, there: Path) -> None:
    assert await perform(shell, backup(shell, "engine.example.tes").script()) == "guard:1"
    assert not (shell.files / "staged").exists()


async def test_a_copy_with_the_right_checksum_is_proved(shell: Shell, there: Path) -> None:
    await perform(shell, backup(shell).script())
    script = fetch(shell).script()
    assert await perform(shell, script) == "changed:0"
    assert await perform(shell, script) == "unchanged:0"
    kept = shell.files / "kept"
    assert sorted(p.name for p in kept.iterdir()) == [NAME, f"{NAME}{SUM}"]
    assert (kept / NAME).stat().st_mode & 0o777 == 0o600
    options = (shell.files / "options").read_text().splitlines()
    assert "StrictHostKeyChecking=yes" in options
    assert f"UserKnownHostsFile={shell.files}/own/known_hosts" in options
    (kept / NAME).write_text("it rots\n")
    assert await perform(shell, script) == "changed:0", "a proof that does not hold any more is none"


async def test_a_copy_that_changed_on_its_way_gets_neither_name_nor_proof(shell: Shell, there: Path) -> None:
    await perform(shell, backup(shell).script())
    (shell.files / "mangled").touch()
    assert (await perform(shell, fetch(shell).script())).startswith("act:")
    assert [p.name for p in (shell.files / "kept").iterdir()] == [f"{NAME}.part"]


async def test_nothing_is_fetched_into_a_folder_that_is_gone(shell: Shell, there: Path) -> None:
    script = fetch(shell).script()
    (shell.files / "kept").rmdir()
    assert await perform(shell, script) == "guard:1"
    assert not (shell.files / "kept").exists()


def keep(shell: Shell, *names: str) -> RemoveOldBackups:
    kept = shell.files / "kept"
    kept.mkdir()
    for name in names:
        (kept / name).write_text("backup\n")
        (kept / f"{name}{SUM}").write_text("proof\n")
    newest = hashlib.sha256(b"backup\n").hexdigest()
    first, *others, last = names
    return RemoveOldBackups(
        host="node1", why="", folder=str(kept), names=(first,), newest=last, sha256=newest, others=tuple(others)
    )


async def test_an_old_backup_goes_with_its_proof(shell: Shell, there: Path) -> None:
    script = keep(shell, "a", "b", "c").script()
    assert await perform(shell, script) == "changed:0"
    assert await perform(shell, script) == "unchanged:0"
    assert sorted(p.name for p in (shell.files / "kept").iterdir()) == ["b", f"b{SUM}", "c", f"c{SUM}"]


@pytest.mark.parametrize("wrong", ["rotten", "gone", "unproved", "busy"])
async def test_none_goes_while_those_that_stay_are_not_whole(shell: Shell, there: Path, wrong: str) -> None:
    step, kept = keep(shell, "a", "b", "c"), shell.files / "kept"
    match wrong:
        case "rotten":
            (kept / "c").write_text("bakcup\n")
        case "gone":
            (kept / "c").unlink()
        case "unproved":
            (kept / f"b{SUM}").unlink()
        case "busy":
            (shell.files / "busy").touch()
    assert (await perform(shell, step.script())).startswith("guard:")
    assert (kept / "a").exists()


async def test_what_was_staged_goes_only_while_no_backup_is_made(shell: Shell, there: Path) -> None:
    await perform(shell, backup(shell).script())
    folder = str(shell.files / "staged")
    step = RemoveStagedBackups(engine="engine", why="", fqdn=FQDN, names=(NAME,), folder=folder)
    (shell.files / "busy").touch()
    assert (await perform(shell, step.script())).startswith("guard:")
    (shell.files / "busy").unlink()
    assert await perform(shell, step.script()) == "changed:0"
    assert list((shell.files / "staged").iterdir()) == []


async def test_a_key_is_made_once_and_a_line_is_added_once(shell: Shell, there: Path) -> None:
    shell.program("ssh-keygen", 'for last; do :; done; echo secret >"$last"; echo ssh-ed25519 AAAA >"$last.pub"')
    making = MakeBackupKey(host="node1", why="", folder=str(shell.files / "own")).script()
    assert [await perform(shell, making) for _ in range(2)] == ["changed:0", "unchanged:0"]
    file, line = shell.files / "authorized_keys", 'restrict,command="internal-sftp -R" ssh-ed25519 AAAA ours'
    file.write_text("theirs\n")
    adding = AuthorizeBackups(
        engine="engine",
        why="",
        fqdn=FQDN,
        line=line,
        content=f"theirs\n{line}\n",
        replaces_sha256=hashlib.sha256(b"theirs\n").hexdigest(),
        path=str(file),
    ).script()
    assert [await perform(shell, adding) for _ in range(2)] == ["changed:0", "unchanged:0"]
    assert file.read_text() == f"theirs\n{line}\n"
    file.write_text("changed meanwhile\n")
    assert (await perform(shell, adding)).startswith("stale:")
    assert file.read_text() == "changed meanwhile\n"


FINDMNT = """
case "$*" in
  *--mountpoint*) grep " ${*##* }$" "@/mounts" | cut -d' ' -f1 | grep . ;;
  '--raw --noheadings --output TARGET') cut -d' ' -f2 "@/mounts" ;;
  *) exit 64 ;;
esac
"""


@pytest.mark.parametrize(
    ("mounts", "mounted"),
    [("/dev/sda /", True), ("/dev/sda /\nother:/vol @/kept", False), ("/dev/sda /\nnode1:/backup @/kept", False)],
    ids=["nothing is there", "another volume is there, and empty", "it is there already"],
)
async def test_the_volume_for_backups_is_mounted_over_nothing(shell: Shell, mounts: str, mounted: bool) -> None:
    (shell.files / "kept").mkdir()
    (shell.files / "mounts").write_text(mounts.replace("@/", f"{shell.files}/") + "\n")
    shell.program("findmnt", FINDMNT.replace("@/", f"{shell.files}/"))
    shell.program("mount", f'echo "$3 $4" >>{shell.files}/mounts; echo >{shell.files}/called')
    step = MountBackupVolume(host="node1", why="", source="node1:/backup", folder=f"{shell.files}/kept")
    await perform(shell, step.script())
    assert (shell.files / "called").exists() is mounted
