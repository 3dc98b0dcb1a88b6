"""Steps that limit folders, in real shells, with small programs in place of Gluster's and of ``stat``."""

import pytest

from heretic.domain.commands import Probe
from heretic.domain.facts import Known
from heretic.domain.plan import HostStep
from heretic.domain.shares.limit_facts import LIMITS, FolderSpace, parse_spaces
from heretic.domain.shares.limit_steps import LimitFolder, UnlimitFolder
from ssh.shell import Shell

GLUSTER = r"""
d={0}
echo "$*" >>$d/called
case "$*" in
  *'volume info win') cat $d/options 2>/dev/null || echo 'Status: Started' ;;
  *'volume quota win enable') printf '%s: on\n' features.quota features.quota-deem-statfs >$d/options ;;
  *'volume set win features.quota-deem-statfs on') echo 'features.quota-deem-statfs: on' >>$d/options ;;
  *'volume quota win limit-usage /groups '*) for last in "$@"; do :; done; echo $((last / 4096)) >$d/blocks ;;
  *'volume quota win remove /groups') rm -f $d/blocks ;;
esac
"""
STAT = r"""
d={0}
[ "$*" != "-c %F $d/win/groups" ] || { [ -d $d/win/groups ] && echo directory; exit; }
[ "$1" = -f ] || exec /usr/bin/stat "$@"
for last in "$@"; do :; done
blocks=5242880
[ "$last" = $d/win ] || [ ! -e $d/blocks ] || blocks=$(cat $d/blocks)
case "$3" in
  %b) echo $blocks ;;
  %S) echo 4096 ;;
  *) echo "$last|4096|$blocks|17" ;;
esac
"""


@pytest.fixture
def host(shell: Shell) -> Shell:
    """A host with the volume mounted, and a folder in it."""
    shell.program("findmnt", "echo n1:/win")
    shell.program("flock", 'shift 3; exec "$@"')
    shell.program("sleep", "")
    shell.program("gluster", GLUSTER.replace("{0}", str(shell.sandbox)))
    shell.program("stat", STAT.replace("{0}", str(shell.sandbox)))
    (shell.sandbox / "win/groups").mkdir(parents=True)
    return shell


def limit(host: Shell, size: int = 10 * 2**30) -> LimitFolder:
    return LimitFolder(host="n1", why="", mounted=f"{host.sandbox}/win", volume="win", folder="groups", limit=size)


def unlimit(host: Shell) -> UnlimitFolder:
    return UnlimitFolder(host="n1", why="", mounted=f"{host.sandbox}/win", volume="win", folder="groups")


async def perform(host: Shell, step: HostStep) -> str:
    return (await host.perform(step.script())).name


def called(host: Shell, what: str) -> int:
    path = host.sandbox / "called"
    return sum(what in line for line in path.read_text().splitlines()) if path.exists() else 0


async def test_a_folder_is_limited_once_and_quotas_are_switched_on_once(host: Shell) -> None:
    assert await perform(host, limit(host)) == "changed:0"
    assert await perform(host, limit(host)) == "unchanged:0"
    assert await perform(host, limit(host, 1_500_000_000)) == "changed:0"
    assert (called(host, "quota win enable"), called(host, "limit-usage /groups")) == (1, 2)
    assert called(host, "set win") == 0


async def test_statistics_that_hide_the_limit_are_switched_on_again(host: Shell) -> None:
    (host.sandbox / "options").write_text("features.quota: on\n")
    assert await perform(host, limit(host)) == "changed:0"
    assert (called(host, "quota win enable"), called(host, "set win features.quota-deem-statfs on")) == (0, 1)


async def test_a_limit_ends_once(host: Shell) -> None:
    await perform(host, limit(host))
    assert await perform(host, unlimit(host)) == "changed:0"
    assert await perform(host, unlimit(host)) == "unchanged:0"
    assert called(host, "quota win remove /groups") == 1


async def test_nothing_is_limited_where_the_volume_is_not_mounted(host: Shell) -> None:
    host.program("findmnt", "exit 1")
    assert await perform(host, limit(host)) == "guard:1"
    assert called(host, "quota") == 0


async def test_nothing_is_limited_that_is_not_there(host: Shell) -> None:
    (host.sandbox / "win/groups").rmdir()
    assert await perform(host, limit(host)) == "guard:2"
    assert called(host, "quota") == 0


async def test_every_folder_of_every_volume_is_asked(host: Shell) -> None:
    (probe,) = LIMITS.probes
    (host.sandbox / "gluster/shares/win/groups").mkdir(parents=True)
    (host.sandbox / "gluster/shares/win/file").touch()
    (host.sandbox / "bin/sleep").unlink()  # by which the time of a question is watched
    argv = (*probe.argv[:-1], f"{host.sandbox}/gluster/shares")
    (found,) = await host.ask(Probe("spaces", argv, Known))
    root, space = f"{host.sandbox}/gluster/shares/win", FolderSpace(4096, 5242880, 17)
    assert parse_spaces(found) == Known({root: space, f"{root}/groups": space})
