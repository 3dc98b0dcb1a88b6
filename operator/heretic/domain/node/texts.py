"""Content of the files that Heretic writes on a host, as pure functions of what is there and what is declared."""

import re
from collections.abc import Iterable, Mapping

from heretic.domain.host.facts import Disk

BEGIN = "# BEGIN heretic"
END = "# END heretic"
_NOTE = "# Written by Heretic; changes are undone.\n"
_BLOCK = re.compile(rf"^{BEGIN}\n.*?^{END}\n?", re.MULTILINE | re.DOTALL)

DEAD_PEER_SECONDS = 15
"""After so many seconds without an answer glusterd calls a peer disconnected.

Without it, a question of one volume's status takes 120 s when a peer has died without a word (measured with Gluster
10.3; 17 s with it), because TCP goes on sending what the dead peer has not acknowledged.
"""

GLUSTERD_DROP_IN = (
    _NOTE
    + "# A start that fails, for example because a peer's name cannot be resolved yet, is tried again without end.\n"
    + "[Unit]\n"
    + "StartLimitIntervalSec=0\n"
    + "[Service]\n"
    + "Restart=on-failure\n"
    + "RestartSec=10\n"
    + "# The bricks outlive glusterd: Debian's unit would end them with it.\n"
    + "KillMode=process\n"
    + "# A dead peer is noticed soon. What /etc/default or /etc/sysconfig set for GLUSTERD_OPTIONS has precedence.\n"
    + f'Environment="GLUSTERD_OPTIONS=--xlator-option=management.transport.tcp-user-timeout={DEAD_PEER_SECONDS}"\n'
)
"""Lets glusterd come up after a boot that found no names or no network (rule:glusterd-after-network).

Ordering it after network-online.target is no cure: Gluster's own unit comes *before* that target, so systemd finds a
cycle and drops one of the two from the boot (seen with Gluster 10.3). The peers' names are in /etc/hosts.
"""

AUTOEXTEND_THRESHOLD = 80
AUTOEXTEND_PERCENT = 20

THIN_PROFILE = (
    _NOTE
    + "activation {\n"
    + f"\tthin_pool_autoextend_threshold={AUTOEXTEND_THRESHOLD}\n"
    + f"\tthin_pool_autoextend_percent={AUTOEXTEND_PERCENT}\n"
    + "}\n"
)
"""An LVM metadata profile: it holds for the pools that name it and leaves the host's own pools alone."""


def with_block(content: str, lines: Iterable[str], *, first: bool) -> str:
    """Puts marked lines into a file that others write too.

    Args:
        content: What is there.
        lines: Without newlines; none = no block.
        first: Whether a new block goes to the top of the file, else to its end.

    Returns:
        The content with exactly one block, which stays where it was.
    """
    body = "".join(f"{line}\n" for line in lines)
    block = f"{BEGIN}\n{body}{END}\n" if body else ""
    before, *after = _BLOCK.split(content)
    if after:
        return before + block + "".join(after)
    if first:
        return block + content
    separator = "" if not content or content.endswith("\n") or not block else "\n"
    return content + separator + block


def block_lines(content: str) -> tuple[str, ...]:
    """The lines between the marks; none where there is no block."""
    found = _BLOCK.search(content)
    return tuple(found.group().strip("\n").split("\n")[1:-1]) if found else ()


def hosts_lines(
    declared: Mapping[str, str], present: Iterable[str], pool_names: frozenset[str] | None
) -> tuple[str, ...]:
    """The lines of /etc/hosts that make peers resolvable.

    A name that the trusted pool still uses is kept although no Node declares it any more: glusterd does not start
    when it cannot resolve a peer (rule:glusterd-after-network).

    Args:
        declared: Storage addresses by peer name.
        present: The lines that are there now.
        pool_names: Names of this host's peers, None = unknown, which keeps every line.
    """
    lines = {name: f"{address} {name}" for name, address in declared.items()}
    for line in present:
        address, _, name = line.partition(" ")
        if name and name not in lines and (pool_names is None or name in pool_names):
            lines[name] = f"{address} {name}"
    return tuple(lines[name] for name in sorted(lines))


def time_lines(servers: Iterable[str]) -> tuple[str, ...]:
    """Lines of chrony.conf for time servers."""
    return tuple(f"server {server} iburst" for server in servers)


def time_file(servers: Iterable[str]) -> str:
    """The sources file of chrony that is Heretic's alone."""
    return _NOTE + "".join(f"{line}\n" for line in time_lines(servers))


_WWID_LINE = re.compile(r'^\s*wwid "(?P<wwid>[^"]+)"\s*$', re.MULTILINE)
_BUSES = ("scsi", "ata", "virtio", "usb")
_NVME_NAMES = ("nvme-eui.", "nvme-uuid.", "nvme-nvme.")
_BY_PATH = "virtio-pci-"


def wwids(disk: Disk) -> tuple[str, ...]:
    """Every name by which multipath may know a disk: udev's ID_SERIAL, or the WWN of an NVMe disk.

    The links in /dev/disk/by-id are made of the same names, with the bus in front.
    """
    found = []
    for name in disk.ids:
        bus, _, rest = name.partition("-")
        if name.startswith("wwn-0x"):
            found.append("3" + rest.removeprefix("0x"))
        elif name.startswith(_NVME_NAMES) or (bus in _BUSES and rest and not name.startswith(_BY_PATH)):
            found.append(rest)
    return tuple(dict.fromkeys(found))


def multipath_exclusion(content: str, disks: Iterable[Disk]) -> str:
    """The file that keeps multipath from our disks, by wwid and never by device name (rule:multipath-off-bricks).

    A disk that is in it stays in it: taking it out would let multipath seize a disk that was just set free.

    Args:
        content: What is there, "" = nothing.
        disks: Disks that must be excluded.
    """
    names = {match["wwid"] for match in _WWID_LINE.finditer(content)}
    names.update(name for disk in disks for name in wwids(disk))
    if not names:
        return content
    lines = "".join(f'\twwid "{name}"\n' for name in sorted(names) if '"' not in name)
    return f"{_NOTE}blacklist {{\n{lines}}}\n"
