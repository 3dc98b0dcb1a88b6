"""Which of the SSH servers that were found become hosts of the site."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from heretic.cli import render
from heretic.cli.errors import fail
from heretic.cli.questions import confirm
from heretic.cli.wanted import Wanted
from heretic.hosts.discovery import SshServer

LEAST = 3
"""Hosts that keep data when one of them is lost."""

SSHD_KEYS = Path("/etc/ssh")
"""Where the machine that this runs on keeps its own host keys."""


def chosen(found: Sequence[SshServer], *, asks: bool) -> list[SshServer]:
    """The servers that become hosts of the site; says why others do not.

    Args:
        found: All servers.
        asks: Whether a person is asked about each that could be one.
    """
    own = _own_keys()
    kept: dict[str, SshServer] = {}
    for server in found:
        why = _hindrance(server, own, kept)
        doubt = "" if server.software.startswith("OpenSSH") else f"its SSH server is {server.software}, not OpenSSH"
        if not why and asks:
            if confirm(f"Is {server.address} ({server.software}) a host of the site?", default=not doubt):
                kept[server.host_key] = server
        elif why or doubt:
            render.note(f"{server.address} is left out: {why or doubt}")
        else:
            kept[server.host_key] = server
    return list(kept.values())


def _hindrance(server: SshServer, own: frozenset[str], kept: Mapping[str, SshServer]) -> str:
    """Why a server cannot be a host of the site; empty when it can."""
    if server.trouble:
        return server.trouble
    if server.host_key in own:
        return "it is the machine on which you run this"
    if server.host_key in kept:
        return (
            f"it shows the host key of {kept[server.host_key].address}. It is the same machine, or one was copied from "
            "the other: then make new keys there (rm /etc/ssh/ssh_host_*; ssh-keygen -A)"
        )
    return ""


def _own_keys() -> frozenset[str]:
    lines = [path.read_text().split() for path in SSHD_KEYS.glob("ssh_host_*_key.pub")]
    return frozenset(" ".join(line[:2]) for line in lines)


def enough(servers: list[SshServer], asked: Wanted) -> list[SshServer]:
    """The hosts, when there are as many as a site can have.

    Raises:
        HereticError: There are fewer, and it was not said that one is meant.
    """
    where = ", ".join(asked.ranges)
    named = ", ".join(server.address for server in servers)
    if not servers:
        raise fail(
            f"no host was found in {where}: is sshd running there, on port {asked.port}, and is this machine in the "
            "same network? Nothing was written"
        )
    if asked.single:
        if len(servers) > 1:
            raise fail(f"--single means one host, and {len(servers)} were found ({named}): narrow --address-range")
        return servers
    if len(servers) < LEAST:
        what = "keeps one copy of its data" if len(servers) == 1 else "has no majority when the two lose each other"
        how = "or say --single if one is meant" if len(servers) == 1 else "or begin with one of them and --single"
        seen = f"{render.count(len(servers), 'host')} found in {where} ({named})"
        raise fail(f"{seen}, and a site with as many {what}: start the others, {how}. Nothing was written")
    return servers
