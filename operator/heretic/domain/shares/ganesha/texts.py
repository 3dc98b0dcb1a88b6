"""The files that NFS-Ganesha, its unit and CTDB read because of it; they are Heretic's as a whole (decision 0063)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from heretic.api.v1alpha1 import FileShare, Network
from heretic.api.v1alpha1.share_folder import ShareFolder, Squash
from heretic.api.v1alpha1.share_server import ExportSecurity, ExportVersion, NFSServer
from heretic.domain.host.rule import NOTE
from heretic.domain.shares.lock_steps import FOLDER, UNIT

SERVICE = "nfs-ganesha.service"
CONFIGURATION = "/etc/ganesha/ganesha.conf"
NEXT = "/etc/ganesha/heretic-next.conf"
"""What ganesha.conf shall be: each running Ganesha has to understand it before it is."""
DROP_IN = f"/etc/systemd/system/{SERVICE}.d/heretic.conf"
SCRIPT = "/etc/ctdb/events/legacy/60.ganesha.script"
"""CTDB's script that starts, watches and stops Ganesha, and tells it of addresses that move."""
KEYTAB = "/etc/ganesha/heretic.keytab"
"""With which tickets of clients are read; where there is none, or no right one, their owners are refused."""
MOUNT_PORT = 20048
"""TCP, for clients of version 3, who ask there before they mount."""

_STATE = f"{FOLDER}/ganesha"
"""Which clients have something open, where every host can read it after another one has died."""
_PLACES = f"{FOLDER}/ganesha-addresses"
"""Number of the host that had each public address last."""
_LEASE, _GRACE = 30, 40
"""Seconds: how long a client that says nothing keeps what it has, and how long others wait for those that take back
what they had. A client notices within a lease that its server is another one."""
_NOBODY = 65534
_SQUASH = {Squash.ROOT: "Root_Squash", Squash.ALL: "All_Squash", Squash.NONE: "No_Root_Squash"}
_OWNED = re.compile(
    r'^# FileShare (\S+)\nEXPORT \{\n\tExport_Id = (\d+);\n\tPath = "/(\S+)";\n(?:\t.*\n)*\}\n', re.MULTILINE
)

_SERVER = f"""\
NFS_CORE_PARAM {{
\tProtocols = 3, 4;
\tMNT_Port = {MOUNT_PORT};
\tEnable_NLM = false;
\tEnable_RQUOTA = false;
\tmount_path_pseudo = true;
\tClustered = true;
}}
NFSv4 {{
\tRecoveryBackend = fs;
\tRecoveryRoot = "{_STATE}";
\tLease_Lifetime = {_LEASE};
\tGrace_Period = {_GRACE};
\tServer_Scope = "heretic";
\tDelegations = false;
}}
NFS_KRB5 {{
\tPrincipalName = "nfs";
\tKeytabPath = "{KEYTAB}";
\tActive_krb5 = true;
}}
"""
"""The same for all sites, because only a restart would change it. Which versions are spoken is said by each export.

One scope tells clients that what one host gave them another one may give back. Without NLM there are no locks over
version 3, and nobody waits longer for those who take something back than until the last one has. Kerberos is always on:
without a keytab it refuses whoever comes with a ticket, and a keytab that comes later counts at once.
"""


@dataclass(frozen=True, slots=True)
class OwnedExport:
    """A block of ganesha.conf: a folder of a FileShare.

    Attributes:
        share: Name of the FileShare.
        number: By which clients know the export: it is part of each of their file handles.
        folder: Its name.
        text: All of it, with the line that names the FileShare.
    """

    share: str
    number: int
    folder: str
    text: str

    @property
    def path(self) -> str:
        """What clients mount."""
        return f"/{self.folder}"


def owned_exports(text: str) -> Iterator[OwnedExport]:
    """The exports of a file that Heretic wrote."""
    return (OwnedExport(found[1], int(found[2]), found[3], found[0]) for found in _OWNED.finditer(text))


def export_of(
    share: FileShare, folder: ShareFolder, number: int, volume: str, asked: str, network: Network
) -> OwnedExport:
    """The block for a folder, for one host.

    Args:
        share: Whose folder it is.
        folder: The folder.
        number: Of the export.
        volume: Name of the volume in Gluster.
        asked: Whom the host asks for the volume.
        network: With the public addresses.
    """
    nfs = share.spec.nfs or NFSServer()
    lines = (
        ("Export_Id", str(number)),
        ("Path", f'"/{folder.name}"'),
        ("Pseudo", f'"/{folder.name}"'),
        ("Access_Type", "None"),
        ("Protocols", ", ".join(v.removeprefix("V") for v in ExportVersion if v in nfs.versions)),
        ("Transports", "TCP"),
        ("SecType", ", ".join(one for one in ExportSecurity if one in nfs.security)),
        ("Squash", _SQUASH[folder.nfs.squash if folder.nfs else Squash.ROOT]),
        ("Anonymous_Uid", str(_NOBODY)),
        ("Anonymous_Gid", str(_NOBODY)),
    )
    gluster = (
        ("Name", "GLUSTER"),
        ("Hostname", f'"{asked}"'),
        ("Volume", f'"{volume}"'),
        ("Volpath", f'"/{folder.name}"'),
    )
    clients = ", ".join(folder.clients or [str(IPv4Network(network.spec.subnet))])
    access = (("Clients", clients), ("Access_Type", "RO" if folder.read_only else "RW"))
    body = _lines(lines, 1) + _block("FSAL", gluster) + _block("CLIENT", access)
    name = share.metadata.name
    return OwnedExport(name, number, folder.name, f"# FileShare {name}\nEXPORT {{\n{body}}}\n")


def _block(name: str, lines: Iterable[tuple[str, str]]) -> str:
    return f"\t{name} {{\n{_lines(lines, 2)}\t}}\n"


def _lines(lines: Iterable[tuple[str, str]], depth: int) -> str:
    tabs = "\t" * depth
    return "".join(f"{tabs}{key} = {value};\n" for key, value in lines)


def configuration(exports: Iterable[OwnedExport]) -> str:
    """The whole ganesha.conf, for exports in any order."""
    return NOTE + _SERVER + "".join(one.text for one in sorted(exports, key=lambda one: one.number))


def drop_in(number: int) -> str:
    """How Ganesha runs: only where its lock volume is, under the number that CTDB gives its host.

    Args:
        number: Of the host.
    """
    return f"""\
{NOTE}[Unit]
Wants={UNIT}
After={UNIT}
StartLimitIntervalSec=0
[Service]
ExecStartPre=/usr/bin/findmnt --types fuse.glusterfs --mountpoint {FOLDER}
ExecStart=
ExecStart=/usr/bin/ganesha.nfsd -L /var/log/ganesha/ganesha.log -f {CONFIGURATION} -N NIV_EVENT -I {number}
Restart=on-failure
RestartSec=2
"""


def script(number: int) -> str:
    """What CTDB's events mean for Ganesha.

    Everybody waits before addresses move. Who gets an address lets in the clients of the host that had it last. CTDB
    learns who is connected, so that it can wake them: a client of a dead host waits long before it tries again. CTDB's
    own scripts do not see Ganesha's connections, which are IPv4 within IPv6.

    Args:
        number: Of the host, as CTDB counts.
    """
    return f"""\
#!/bin/sh
{NOTE}admin="org.ganesha.nfsd /org/ganesha/nfsd/admin org.ganesha.nfsd.admin"
call() {{ busctl --timeout=5 call $admin "$@" >/dev/null 2>&1; }}
case $1 in
startup) systemctl start {SERVICE} ;;
shutdown) systemctl stop {SERVICE} ;;
startipreallocate) call grace s 0: ;;
releaseip) call grace s "2:$3" ;;
takeip)
	mkdir -p {_PLACES}
	read -r last 2>/dev/null <{_PLACES}/"$3" || last={number}
	[ "$last" = {number} ] || call grace s "4:$last"
	echo {number} >{_PLACES}/"$3"
	;;
monitor)
	systemctl --quiet is-active {SERVICE} || {{ echo "{SERVICE} is not active"; exit 1; }}
	call get_grace || {{ echo "{SERVICE} does not answer"; exit 1; }}
	ss -tnH state established '( sport = :2049 )' | sed 's/\\[::ffff:\\([0-9.]*\\)\\]/\\1/g' |
		while read -r _ _ here there; do
			[ ! -e {_PLACES}/"${{here%:*}}" ] || echo "$there $here"
		done | ctdb addtickle
	;;
esac
exit 0
"""
