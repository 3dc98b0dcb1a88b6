"""Steps of the file servers in real shells, with small programs in place of those that would change this machine."""

import hashlib
from typing import Any

import pytest

from heretic.domain.plan import HostStep
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ctdb.outage_steps import TakeServerBack, TakeServerOut
from heretic.domain.shares.ctdb.steps import GivePublicAddresses, ReloadNodes, StartCtdb
from heretic.domain.shares.lock_steps import FILE, HoldLock, MountLock, ProveLock, ReleaseLock
from heretic.hosts.fence import Fence
from heretic.hosts.script import render_step
from ssh.shell import Shell, here, write

NODES = "172.20.11.11\n172.20.11.12\n"
DIGEST = hashlib.sha256(NODES.encode()).hexdigest()
ADDRESSES = "172.20.12.101/24 eth2\n"

SYSTEMCTL = """
d={0}
case "$*" in
  'is-enabled ctdb.service') [ -e $d/started ] && echo enabled ;;
  'is-active '*) [ -e $d/started ] && echo active ;;
  'is-enabled '*) [ -e $d/mounted ] && echo enabled ;;
  'show --property Description'*) [ ! -e $d/mounted ] || sed -n 's/^Description=//p' $d/etc/systemd/system/*.mount ;;
  'show --property ActiveState'*) [ -e $d/started ] && echo active || echo inactive ;;
  'start gluster-lock.mount') echo n1.gluster.private:/lock >$d/mounted ;;
  'start ctdb.service') : >$d/started ;;
  'stop '*) rm $d/started ;;
  *) ;;
esac
"""


@pytest.fixture
def host(shell: Shell) -> Shell:
    """One that has nothing mounted, and whose CTDB does not run."""
    shell.program("systemctl", SYSTEMCTL.replace("{0}", str(shell.sandbox)))
    shell.program("findmnt", f"cat {shell.sandbox}/mounted 2>/dev/null")
    return shell


def mounted(host: Shell, source: str = "n1.gluster.private:/lock") -> None:
    (host.sandbox / "mounted").write_text(f"{source}\n")


async def perform(host: Shell, step: HostStep) -> str:
    text = render_step(step.script(), Fence())
    for folder, moved in ((" /etc/", "/etc/"), (" /usr/libexec/ctdb/", "/bin/")):
        text = text.replace(folder, f" {host.sandbox}{moved}")
    return (await host.send(text)).name


async def done_once(host: Shell, step: HostStep) -> None:
    assert await perform(host, step) == "changed:0"
    assert await perform(host, step) == "unchanged:0"


async def test_the_lock_is_mounted_once_by_a_unit(host: Shell) -> None:
    step = MountLock(host="n1", why="", volume="lock", sources=("n1.gluster.private", "n2.gluster.private"))
    await done_once(host, step)
    unit = (host.sandbox / "etc/systemd/system/gluster-lock.mount").read_text()
    assert "What=n1.gluster.private:/lock\n" in unit
    assert "backup-volfile-servers=n2.gluster.private," in unit


async def test_a_lock_is_held_while_the_volume_is_mounted_only(host: Shell) -> None:
    host.program("systemd-run", f": >{host.sandbox}/started")
    assert await perform(host, HoldLock(host="n1", why="")) == "guard:1"
    mounted(host)
    await done_once(host, HoldLock(host="n1", why=""))
    await done_once(host, ReleaseLock(host="n1", why=""))


async def test_being_kept_out_of_the_lock_is_noted(host: Shell) -> None:
    step = ProveLock(host="n2", why="", volume_id="1234")
    host.program("ctdb_mutex_fcntl_helper", "printf 1")
    assert await perform(host, step) == "guard:1"
    mounted(host)
    await done_once(host, step)
    assert (host.sandbox / "var/lib/heretic/lock-proof").read_text() == "1234\n"


@pytest.mark.parametrize("said", ["printf 0", "printf 3", ""])
async def test_a_lock_that_keeps_nobody_out_is_not_proved(host: Shell, said: str) -> None:
    mounted(host)
    host.program("ctdb_mutex_fcntl_helper", said)
    assert await perform(host, ProveLock(host="n2", why="", volume_id="1234")) == "act:1"
    assert not (host.sandbox / "var/lib/heretic/lock-proof").exists()


def start(proof: str = "1234") -> StartCtdb:
    return StartCtdb(host="n1", why="", service=texts.SERVICE, nodes_sha256=DIGEST, proof=proof)


@pytest.fixture
def provable(host: Shell) -> Shell:
    """One on which CTDB may start."""
    mounted(host)
    write(host, "/etc/ctdb/nodes", NODES)
    write(host, "/var/lib/heretic/lock-proof", "1234\n")
    host.program("sha256sum", f'echo "$(/usr/bin/sha256sum <{host.sandbox}/etc/ctdb/nodes | cut -c1-64)  $1"')
    return host


async def test_ctdb_starts_on_a_proved_lock(provable: Shell) -> None:
    await done_once(provable, start())


async def test_ctdb_does_not_start_without_its_lock(provable: Shell) -> None:
    (provable.sandbox / "mounted").unlink()
    assert await perform(provable, start()) == "guard:1"


async def test_ctdb_does_not_start_on_the_proof_of_another_volume(provable: Shell) -> None:
    assert await perform(provable, start("5678")) == "guard:2"


async def test_ctdb_does_not_start_with_other_hosts_than_planned(provable: Shell) -> None:
    write(provable, "/etc/ctdb/nodes", "172.20.11.12\n172.20.11.11\n")
    assert await perform(provable, start()) == "guard:3"


CTDB = """
d={0}
case "$*" in
  getreclock) cat $d/lock ;;
  '-X status') printf '|Node|IP|Banned|\\n|0|172.20.11.11|0|\\n'; [ ! -e $d/told ] || echo '|1|172.20.11.12|0|' ;;
  reloadnodes | reloadips) echo "$*" >>$d/told ;;
esac
"""


def give(host: Shell) -> GivePublicAddresses:
    return GivePublicAddresses(
        host="n1",
        why="",
        path=here(host, texts.PUBLIC_ADDRESSES),
        content=ADDRESSES,
        replaces_sha256="",
        reader=texts.SERVICE,
        tell=(("ctdb", "reloadips"),),
        addresses=("172.20.12.101",),
    )


async def test_addresses_are_given_where_ctdb_runs_on_its_lock(host: Shell) -> None:
    host.program("ctdb", CTDB.replace("{0}", str(host.sandbox)))
    write(host, "/lock", "/elsewhere\n")
    assert await perform(host, give(host)) == "guard:1"
    mounted(host)
    assert await perform(host, give(host)) == "guard:2"
    assert not (host.sandbox / "etc/ctdb/public_addresses").exists()
    write(host, "/lock", f"{FILE}\n")
    await done_once(host, give(host))
    assert (host.sandbox / "told").read_text() == "reloadips\n"


async def test_running_ctdbs_learn_of_a_new_host_from_the_file_that_all_have(provable: Shell) -> None:
    provable.program("ctdb", CTDB.replace("{0}", str(provable.sandbox)))
    step = ReloadNodes(host="n1", why="", nodes_sha256=DIGEST, addresses=("172.20.11.12",))
    await done_once(provable, step)
    assert (provable.sandbox / "told").read_text() == "reloadnodes\n"
    (provable.sandbox / "told").unlink()
    write(provable, "/etc/ctdb/nodes", "172.20.11.11\n")
    assert await perform(provable, step) == "guard:1"


FLAGGED_CTDB = """
d={0}
case "$*" in
  getreclock) echo $d/gluster/lock/ctdb ;;
  nodestatus) exit "$(cat $d/own)" ;;
  'nodestatus 0') exit "$(cat $d/flags)" ;;
  'disable -n 0') echo 4 >$d/flags; echo '|172.20.12.101|1|' >$d/held ;;
  'enable -n 0') echo 0 >$d/flags; echo '|172.20.12.101|0|' >$d/held ;;
  '-X ip all') echo '|Public IP|Node|'; cat $d/held ;;
esac
"""
OF_SERVER: dict[str, Any] = {"host": "n2", "why": "", "server": "n1", "number": 0, "address": "172.20.11.11"}


@pytest.fixture
def cluster(host: Shell) -> Shell:
    """A host that serves beside node 0, which has the address."""
    host.program("ctdb", FLAGGED_CTDB.replace("{0}", str(host.sandbox)))
    for name, content in (("own", "0"), ("flags", "0"), ("held", "|172.20.12.101|0|")):
        (host.sandbox / name).write_text(f"{content}\n")
    (host.sandbox / "gluster/lock").mkdir(parents=True)
    mounted(host)
    return host


async def perform_in_lock(host: Shell, step: HostStep) -> str:
    text = render_step(step.script(), Fence()).replace(" /gluster/lock", f" {host.sandbox}/gluster/lock")
    return (await host.send(text)).name


async def test_addresses_of_another_host_are_moved_once_and_it_is_marked_until_it_is_back(cluster: Shell) -> None:
    mark = cluster.sandbox / "gluster/lock/heretic-out-172.20.11.11"
    for step, there in ((TakeServerOut(**OF_SERVER), True), (TakeServerBack(**OF_SERVER), False)):
        assert await perform_in_lock(cluster, step) == "changed:0"
        assert mark.exists() is there
        assert await perform_in_lock(cluster, step) == "unchanged:0"


async def test_who_does_not_serve_takes_nobody_out(cluster: Shell) -> None:
    (cluster.sandbox / "own").write_text("2\n")
    assert await perform_in_lock(cluster, TakeServerOut(**OF_SERVER)) == "guard:3"
    assert (cluster.sandbox / "flags").read_text() == "0\n"


async def test_ctdb_that_says_nothing_is_no_host_that_is_back(cluster: Shell) -> None:
    cluster.program("ctdb", "echo 'connect() failed' >&2; exit 1")
    assert (await perform_in_lock(cluster, TakeServerBack(**OF_SERVER))).startswith("act:")
