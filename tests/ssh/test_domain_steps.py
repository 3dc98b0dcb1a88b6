"""Steps of a domain in real shells, with a small program in place of Samba's ``net``."""

from pathlib import Path
from typing import Any

import pytest

from heretic.domain.commands import SecretRef
from heretic.domain.plan import HostStep
from heretic.domain.shares.samba.domain_steps import JoinDomain, LeaveDomain, StartWinbind
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from heretic.reconcile.secrets import with_secrets
from ssh.shell import Shell

PASSWORD = "a pass'word $(nobody) runs"
NET = r"""
d={0}
echo "$*" >>$d/called
case "$*" in
  getdomainsid) [ -e $d/joined ] && echo 'SID for domain OFFICE is: S-1-5-21-1' && exit 0; exit 1 ;;
  'ads search '*) cat >$d/typed; cat $d/search ;;
  'ads join '*) cat >$d/typed; cat $d/join; grep -q '^Joined' $d/join && : >$d/joined ;;
  'ads leave '*) cat >$d/typed; cat $d/leave 2>/dev/null && exit 1; rm $d/joined ;;
esac
"""
WORDS = {
    "logon": "The attempted logon is invalid. This is either due to a bad username or authentication information.",
    "unit": "Failed to join domain: failed to precreate account in ou ou=Nowhere,dc=OFFICE,dc=PRIVATE: No such object",
    "rights": "Failed to join domain: failed to precreate account in ou ou=X,dc=OFFICE,dc=PRIVATE: Insufficient access",
}
AWAY = "Failed to join domain: failed to find DC for domain OFFICE - The request is not supported."
REFS: dict[str, Any] = {
    "host": "n1",
    "why": "",
    "name": "FILES",
    "username": SecretRef("heretic-domain", "username"),
    "password": SecretRef("heretic-domain", "password"),
}


class KnownSecrets:
    async def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        return {"username": b"joiner", "password": PASSWORD.encode()}


@pytest.fixture
def host(shell: Shell) -> Shell:
    """A host with the lock mounted, which may join."""
    shell.program("findmnt", "echo n1:/lock")
    shell.program("ctdb", f"echo {shell.sandbox}/gluster/lock/ctdb")
    shell.program("net", NET.replace("{0}", str(shell.sandbox)))
    (shell.sandbox / "gluster/lock").mkdir(parents=True)
    says(shell, search="Got 0 replies", join="Joined 'FILES' to dns domain 'office.private'")
    return shell


def says(host: Shell, **words: str) -> None:
    for name, text in words.items():
        (host.sandbox / name).write_text(f"{text}\n")


def join(key: str = "k1") -> JoinDomain:
    return JoinDomain(**REFS, realm="office.private", unit="File Servers", key=key)


async def perform(host: Shell, step: HostStep) -> str:
    script = await with_secrets(step.script(), "demo", KnownSecrets())
    text = render_step(script, Fence())
    return (await host.send(text.replace(" /gluster/lock", f" {host.sandbox}/gluster/lock"))).name


def tried(host: Shell) -> list[str]:
    return (host.sandbox / "var/lib/heretic/domain-join").read_text().split()


def called(host: Shell, what: str) -> int:
    path: Path = host.sandbox / "called"
    return sum(line.startswith(what) for line in path.read_text().splitlines())


async def test_a_domain_is_joined_once_with_credentials_that_are_no_arguments(host: Shell) -> None:
    assert await perform(host, join()) == "changed:0"
    assert await perform(host, join()) == "unchanged:0"
    assert called(host, "ads join") == 1
    assert (host.sandbox / "typed").read_text() == f"username = joiner\npassword = {PASSWORD}\n"
    assert PASSWORD not in (host.sandbox / "called").read_text()
    assert "joiner" not in (host.sandbox / "called").read_text()
    assert not (host.sandbox / "run/heretic/domain-user").exists()
    assert "ads join --no-dns-updates createcomputer=File Servers" in (host.sandbox / "called").read_text()


async def test_a_host_that_has_joined_is_not_joined_again(host: Shell) -> None:
    (host.sandbox / "joined").touch()
    assert await perform(host, join()) == "guard:3"
    assert called(host, "ads") == 0


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("where", ["search", "join"])
async def test_a_refusal_is_noted_as_a_word_and_not_tried_again(host: Shell, word: str, where: str) -> None:
    says(host, **{where: WORDS[word]})
    assert await perform(host, join()) == "changed:0"
    assert tried(host) == ["k1", word]
    assert await perform(host, join()) == "unchanged:0"
    says(host, search="Got 0 replies", join="Joined 'FILES'")
    assert await perform(host, join("k2")) == "changed:0"
    assert tried(host) == ["k2"]


async def test_a_name_that_another_computer_has_is_left_to_it(host: Shell) -> None:
    says(host, search="Got 1 replies")
    assert await perform(host, join()) == "changed:0"
    assert tried(host) == ["k1", "name"]
    assert called(host, "ads join") == 0


async def test_a_join_that_was_cut_short_goes_on_with_its_own_account(host: Shell) -> None:
    says(host, join=AWAY)
    assert (await perform(host, join())).startswith("act:")
    assert not (host.sandbox / "var/lib/heretic/domain-join").exists()
    says(host, search="Got 1 replies", join="Joined 'FILES'")
    assert await perform(host, join()) == "changed:0"
    assert tried(host) == ["k1"]


async def test_a_domain_is_left_once(host: Shell) -> None:
    await perform(host, join())
    leave = LeaveDomain(**REFS, key="l1")
    assert await perform(host, leave) == "changed:0"
    assert await perform(host, leave) == "unchanged:0"
    assert list((host.sandbox / "gluster/lock").iterdir()) == []
    assert called(host, "ads leave") == 1


@pytest.mark.parametrize("word", ["logon", "rights"])
async def test_a_domain_that_refuses_to_be_left_is_not_asked_again(host: Shell, word: str) -> None:
    await perform(host, join())
    says(host, leave=WORDS[word])
    assert await perform(host, LeaveDomain(**REFS, key="l1")) == "changed:0"
    assert tried(host) == ["l1", word]
    assert await perform(host, LeaveDomain(**REFS, key="l1")) == "unchanged:0"
    assert called(host, "ads leave") == 1
    (host.sandbox / "leave").unlink()
    assert await perform(host, LeaveDomain(**REFS, key="l2")) == "changed:0"
    assert not (host.sandbox / "joined").exists()


async def test_a_leave_that_finds_no_controller_is_tried_again(host: Shell) -> None:
    await perform(host, join())
    says(host, leave=AWAY)
    assert (await perform(host, LeaveDomain(**REFS, key="l1"))).startswith("act:")
    (host.sandbox / "leave").unlink()
    assert await perform(host, LeaveDomain(**REFS, key="l1")) == "changed:0"


async def test_winbind_starts_where_a_domain_was_joined_only(host: Shell) -> None:
    host.program("systemctl", f"d={host.sandbox}; [ $1 = start ] && : >$d/on; [ ! -e $d/on ] || echo active")
    step = StartWinbind(host="n1", why="", service="winbind.service")
    assert await perform(host, step) == "guard:2"
    (host.sandbox / "joined").touch()
    assert await perform(host, step) == "changed:0"
