"""Steps of Kerberos in real shells, with a small program in place of Samba's ``net``."""

import hashlib
import os

import pytest

from heretic.domain.plan import HostStep
from heretic.domain.shares.ganesha.texts import KEYTAB
from heretic.domain.shares.kerberos.steps import RegisterService, RemoveKeytab, SyncKeytab
from heretic.domain.shares.kerberos.texts import SCRIPT, script
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from ssh.shell import Shell, here, write

NAME = "nfs/files.office.private"
PRINCIPAL = f"{NAME}@OFFICE.PRIVATE"
NET = r"""
echo "$*" >>{0}/called
case "$*" in
  getdomainsid) [ -e {0}/joined ] ;;
  'ads setspn list '*) cat {0}/names ;;
  'ads setspn add '*) printf '\t%s\n' "$5" >>{0}/names ;;
  'ads keytab list '*) [ -e {0}/keys ] || exit 2; echo 'Vno  Type      Principal'; cat {0}/keys ;;
  'ads keytab '*) [ ! -e {0}/away ] || exit 255
    echo "  $(cat {0}/version)  aes256-cts  nfs/files.office.private@OFFICE.PRIVATE" >>{0}/keys; : >{1} ;;
esac
"""


@pytest.fixture
def host(shell: Shell) -> Shell:
    """One that has joined, whose domain has version 2 of the key."""
    write(shell, "/joined", "")
    write(shell, "/version", "2\n")
    write(shell, "/names", "\tHOST/FILES\n")
    (shell.sandbox / KEYTAB[1:]).parent.mkdir(parents=True)
    shell.program("net", NET.replace("{0}", str(shell.sandbox)).replace("{1}", here(shell, KEYTAB)))
    shell.program("stat", "echo 600 root")
    return shell


async def perform(host: Shell, step: HostStep) -> str:
    text = render_step(step.script(), Fence())
    for path in (KEYTAB, SCRIPT):
        text = text.replace(path, here(host, path))
    return (await host.send(text)).name


async def done_once(host: Shell, step: HostStep) -> None:
    assert await perform(host, step) == "changed:0"
    assert await perform(host, step) == "unchanged:0"


async def test_the_service_gets_its_name_once_and_only_where_the_domain_was_joined(host: Shell) -> None:
    step = RegisterService(host="n1", why="", server="FILES", name=NAME)
    await done_once(host, step)
    assert (host.sandbox / "called").read_text().count(f"ads setspn add FILES {NAME} -P") == 1
    (host.sandbox / "joined").unlink()
    write(host, "/names", "\tHOST/FILES\n")
    assert await perform(host, step) == "guard:1"


def sync(host: Shell, version: int, text: str) -> SyncKeytab:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return SyncKeytab(host="n1", why="", principals=(PRINCIPAL,), version=version, sha256=digest)


@pytest.mark.parametrize("synchronizes", [True, False])
async def test_a_keytab_gets_the_present_key_beside_those_of_before(host: Shell, synchronizes: bool) -> None:
    text = put_script(host, script((NAME,), 0, synchronizes=synchronizes))
    await done_once(host, sync(host, 2, text))
    write(host, "/version", "3\n")
    await done_once(host, sync(host, 3, text))
    assert [line.split()[0] for line in (host.sandbox / "keys").read_text().splitlines()] == ["2", "3"]


async def test_a_key_that_could_not_be_had_is_no_success(host: Shell) -> None:
    text = put_script(host, script((NAME,), 0, synchronizes=True))
    write(host, "/away", "")
    assert await perform(host, sync(host, 2, text)) == "act:1"
    (host.sandbox / "away").unlink()
    assert await perform(host, sync(host, 3, text)) == "verify:1", "the domain has another key meanwhile"


async def test_a_script_that_somebody_changed_is_not_run(host: Shell) -> None:
    text = put_script(host, script((NAME,), 0, synchronizes=True))
    put_script(host, f"{text}\n")
    assert await perform(host, sync(host, 2, text)) == "guard:1"


async def test_a_keytab_goes_with_what_would_make_it_anew(host: Shell) -> None:
    put_script(host, script((NAME,), 0, synchronizes=True))
    write(host, KEYTAB, "")
    await done_once(host, RemoveKeytab(host="n1", why=""))
    assert not any((host.sandbox / path[1:]).exists() for path in (KEYTAB, SCRIPT))


@pytest.mark.parametrize(("newer", "asked"), [("keytab", 0), ("secrets", 1), ("no keytab", 1)])
async def test_ctdb_has_the_keytab_made_anew_when_its_secrets_are_newer(host: Shell, newer: str, asked: int) -> None:
    put_script(host, script((NAME,), 3, synchronizes=True))
    secrets = host.sandbox / "var/lib/ctdb/persistent/secrets.tdb.3"
    write(host, "/var/lib/ctdb/persistent/secrets.tdb.3", "")
    keytab = host.sandbox / KEYTAB[1:]
    if newer != "no keytab":
        keytab.touch()
        os.utime(secrets, (1, 1) if newer == "keytab" else (2**31 - 1, 2**31 - 1))
    out, _, rc = await host.run(f"export PATH={host.sandbox}/bin:$PATH; {here(host, SCRIPT)} monitor; sleep 1")
    called = host.sandbox / "called"
    assert (out, rc, called.read_text().count("ads keytab") if called.exists() else 0) == (b"", 0, asked)


def put_script(host: Shell, text: str) -> str:
    """The script as the host has it: its paths are those of the sandbox."""
    for path in (KEYTAB, "/var/lib/ctdb"):
        text = text.replace(path, here(host, path))
    write(host, SCRIPT, text)
    (host.sandbox / SCRIPT[1:]).chmod(0o755)
    return text
