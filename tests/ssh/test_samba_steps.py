"""Steps for Samba in real shells, with small programs in place of those that would change this machine."""

import hashlib
import os

import pytest

from heretic.domain.commands import Command, SecretRef
from heretic.domain.plan import HostStep
from heretic.domain.shares.folder_steps import AddGroup, AddUser, MakeFolder
from heretic.domain.shares.lock_steps import FILE
from heretic.domain.shares.samba import texts
from heretic.domain.shares.samba.steps import (
    EnableScript,
    LeaveToCtdb,
    PutSambaConfiguration,
    RemovePassword,
    SetPassword,
    StartSamba,
)
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from heretic.reconcile.secrets import with_secrets
from ssh.shell import Shell, here, write

OLD, NEW = "[global]\n", "[global]\n\n# FileShare files\n[groups]\n\tpath = /groups\n"
PASSWORD = "p4ss 'word' $HOME \\n"


class Vault:
    """A Secret with one password, which ends as files of editors do."""

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        return {"anna": f"{PASSWORD}\n".encode()} if name == "heretic-shares" else None


CTDB = """
case "$*" in
  getreclock) cat {0}/lock ;;
  'event script list legacy') cat {0}/scripts ;;
  *) echo '* 50.samba' >{0}/scripts ;;
esac
"""
SYSTEMCTL = """
case "$1" in
  is-active) cat {0}/active ;;
  start) echo active >{0}/active ;;
  show) cat {0}/state ;;
  disable) echo "$*" >>{0}/told; echo disabled >{0}/state ;;
esac
"""
SHA256SUM = """
[ $# -gt 0 ] || exec /usr/bin/sha256sum
sum=$(/usr/bin/sha256sum <{0}"${1#{0}}") || exit 1
echo "${sum%% *}  $1"
"""


def program(host: Shell, name: str, text: str) -> None:
    host.program(name, text.replace("{0}", str(host.sandbox)))


@pytest.fixture
def host(shell: Shell) -> Shell:
    """One on which CTDB runs with its lock."""
    write(shell, "/lock", f"{FILE}\n")
    program(shell, "ctdb", CTDB)
    program(shell, "systemctl", SYSTEMCTL)
    program(shell, "sha256sum", SHA256SUM)
    return shell


async def perform(host: Shell, step: HostStep) -> str:
    script = await with_secrets(step.script(), "demo", Vault())
    return (await host.send(render_step(script, Fence()))).name


async def done_once(host: Shell, step: HostStep) -> None:
    assert await perform(host, step) == "changed:0"
    assert await perform(host, step) == "unchanged:0"


def put(host: Shell) -> PutSambaConfiguration:
    return PutSambaConfiguration(
        host="n1",
        why="",
        path=here(host, texts.CONFIGURATION),
        content=NEW,
        mode="0644",
        replaces_sha256=hashlib.sha256(OLD.encode()).hexdigest(),
        reader="smbd.service",
        tell=(("smbcontrol", "smbd", "reload-config"),),
        sections=("groups",),
    )


@pytest.fixture
def configured(host: Shell) -> Shell:
    """One whose next configuration is there, and understood."""
    write(host, texts.CONFIGURATION, OLD)
    write(host, texts.NEXT, NEW)
    host.program("testparm", f"cat {here(host, texts.NEXT)}")
    host.program("smbcontrol", f'echo "$@" >>{host.sandbox}/told')
    return host


async def test_a_proved_configuration_is_put_in_force_and_read_again(configured: Shell) -> None:
    await done_once(configured, put(configured))
    assert (configured.sandbox / "etc/samba/smb.conf").read_text() == NEW
    assert (configured.sandbox / "told").read_text() == "smbd reload-config\n"


@pytest.mark.parametrize(
    ("testparm", "following", "stops"),
    [("exit 1", NEW, "guard:2"), ("echo '[global]'", NEW, "guard:2"), ("cat {next}", OLD, "guard:1")],
)
async def test_what_was_not_proved_here_leaves_the_file_in_force_alone(
    configured: Shell, testparm: str, following: str, stops: str
) -> None:
    configured.program("testparm", testparm.format(next=here(configured, texts.NEXT)))
    write(configured, texts.NEXT, following)
    assert await perform(configured, put(configured)) == stops
    assert (configured.sandbox / "etc/samba/smb.conf").read_text() == OLD
    assert not (configured.sandbox / "told").exists()


async def test_a_configuration_that_somebody_changed_meanwhile_is_left_alone(configured: Shell) -> None:
    write(configured, texts.CONFIGURATION, "[mine]\n")
    assert (await perform(configured, put(configured))).startswith("stale")


PDBEDIT = """
case "$*" in
  '--list --verbose'*) cat {0}/passdb ;;
  '--modify '*) printf 'Unix username:        anna\\nAccount desc:         Heretic: heretic-shares\\n' >{0}/passdb ;;
esac
"""


SMBPASSWD = """
echo "$*" >>{0}/called
case "$1" in -s) cat >{0}/typed ;; *) : >{0}/passdb ;; esac
"""


@pytest.fixture
def passdb(host: Shell) -> Shell:
    """One with nobody who may log in."""
    write(host, "/passdb", "")
    program(host, "pdbedit", PDBEDIT)
    program(host, "smbpasswd", SMBPASSWD)
    return host


async def test_a_password_is_typed_twice_and_is_no_argument(passdb: Shell) -> None:
    step = SetPassword(
        host="n1", why="", user="anna", password=SecretRef("heretic-shares", "anna"), origin="heretic-shares"
    )
    await done_once(passdb, step)
    assert (passdb.sandbox / "typed").read_text() == f"{PASSWORD}\n" * 2
    assert (passdb.sandbox / "called").read_text() == "-s -a anna\n"
    words = [word for action in step.script().actions if isinstance(action, Command) for word in action.argv]
    assert not any(PASSWORD in word for word in [*words, str(step), *step.arguments().values()])


async def test_who_is_removed_is_forgotten_by_samba_once(passdb: Shell) -> None:
    write(passdb, "/passdb", "Unix username:        anna\nUnix username:        bert\n")
    await done_once(passdb, RemovePassword(host="n1", why="", user="anna"))


async def test_samba_starts_where_ctdb_runs_on_its_lock_only(host: Shell) -> None:
    write(host, "/active", "inactive\n")
    await done_once(host, StartSamba(host="n1", why="", smbd="smbd.service"))
    write(host, "/active", "inactive\n")
    write(host, "/lock", "/elsewhere\n")
    assert await perform(host, StartSamba(host="n1", why="", smbd="smbd.service")) == "guard:1"


async def test_ctdb_is_given_its_script(host: Shell) -> None:
    write(host, "/scripts", "  50.samba\n")
    host.program(
        "ctdb",
        f"case \"$3\" in list) cat {host.sandbox}/scripts ;; *) echo '* 50.samba' >{host.sandbox}/scripts ;; esac",
    )
    await done_once(host, EnableScript(host="n1", why="", name=texts.SCRIPT))


async def test_what_a_package_starts_is_left_to_ctdb(host: Shell) -> None:
    write(host, "/state", "enabled\n")
    await done_once(host, LeaveToCtdb(host="n1", why="", units=("smbd.service", "nmbd.service")))
    assert (host.sandbox / "told").read_text() == "".join(
        f"disable --now --no-block {unit}\n" for unit in ("smbd.service", "nmbd.service")
    )


async def test_accounts_are_made_with_their_numbers(host: Shell) -> None:
    """By the real programs, in files of their own."""
    write(host, "/etc/group", "root:x:0:\n")
    write(host, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    write(host, "/etc/shadow", "root:*:20000::::::\n")
    host.program("getent", f'grep "^$2:" {host.sandbox}/etc/$1')
    for name in ("groupadd", "useradd"):
        as_root = "" if os.geteuid() == 0 else "unshare --map-root-user "
        host.program(name, f'exec {as_root}/usr/sbin/{name} --prefix {host.sandbox} "$@"')
    await done_once(host, AddGroup(host="n1", why="", group="fileshares", number=20000))
    await done_once(host, AddUser(host="n1", why="", user="anna", number=20001, group="fileshares"))
    made = (host.sandbox / "etc/passwd").read_text().splitlines()[-1]
    assert made == "anna:x:20001:20000:User of file shares, by Heretic:/nonexistent:/usr/sbin/nologin"
    other = AddUser(host="n1", why="", user="anna", number=20002, group="fileshares")
    assert await perform(host, other) == "act:1"


async def test_a_folder_is_made_in_its_volume_only(host: Shell) -> None:
    volume = host.files / "winshare"
    volume.mkdir()
    host.program("findmnt", f"cat {host.sandbox}/mounted 2>/dev/null")
    host.program("chown", f'echo "$@" >{host.sandbox}/owned')
    user, group = volume.stat().st_uid, volume.stat().st_gid
    step = MakeFolder(
        host="n1", why="", mounted=str(volume), volume="winshare", folder="groups", owner=user, group=group, mode="2770"
    )
    assert await perform(host, step) == "guard:1"
    write(host, "/mounted", "n1:/other\n")
    assert await perform(host, step) == "guard:1"
    assert not (volume / "groups").exists()
    write(host, "/mounted", "n1:/winshare\n")
    await done_once(host, step)
    assert (host.sandbox / "owned").read_text() == f"{user}:{group} {volume}/groups\n"
