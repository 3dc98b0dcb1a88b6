"""smb.conf, which is Heretic's as a whole (decision 0062)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Network
from heretic.api.v1alpha1.gluster_volume import Provisioning
from heretic.api.v1alpha1.share_folder import ShareFolder
from heretic.api.v1alpha1.share_server import (
    AccountNumbers,
    ActiveDirectory,
    SMBEncryption,
    SMBProtocol,
    SMBServer,
)
from heretic.domain.declared.view import SiteView
from heretic.domain.host.profiles import Family
from heretic.domain.host.rule import NOTE, HostContext
from heretic.domain.shares.samba.domain import DomainAccount, workgroup_of
from heretic.domain.shares.volumes import MountedVolume

CONFIGURATION = "/etc/samba/smb.conf"
NEXT = "/etc/samba/heretic-next.conf"
"""What smb.conf shall be: testparm has to understand it on every file server before it is."""
SCRIPT = "50.samba"
"""CTDB's script that starts, watches and stops Samba."""


@dataclass(frozen=True, slots=True)
class SambaUnits:
    """Units of Samba on a family of distributions; who finds servers by NetBIOS is never started."""

    smbd: str
    nmbd: str
    winbind: str = "winbind.service"


UNITS: Mapping[Family, SambaUnits] = {
    Family.DEBIAN: SambaUnits("smbd.service", "nmbd.service"),
    Family.EL: SambaUnits("smb.service", "nmb.service"),
}

_DIALECTS = {SMBProtocol.SMB2: "SMB2_02", SMBProtocol.SMB3: "SMB3_00"}
_OF_FOLDER = {SMBEncryption.DESIRED: "desired", SMBEncryption.REQUIRED: "required"}
_OWNED = re.compile(r"^# FileShare (\S+)\n\[(.+)\]\n(?:\t.*\n)*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class OwnedSection:
    """A section of smb.conf: a folder of a FileShare.

    Attributes:
        share: Name of the FileShare.
        folder: Its name.
        text: All of it, with the line that names the FileShare.
    """

    share: str
    folder: str
    text: str


def owned_sections(text: str) -> Iterator[OwnedSection]:
    """The sections of a file that Heretic wrote."""
    return (OwnedSection(found[1], found[2], found[0]) for found in _OWNED.finditer(text))


def sections_of(
    share: FileShare, view: SiteView, volume: MountedVolume, network: Network, host: HostContext
) -> Iterator[OwnedSection]:
    """A section for each folder of a share, for one host.

    The host asks itself for the volume before others: a client waits minutes while one that is dead is asked first.
    """
    volume = replace(volume, hosts=volume.sources(view, host.name))
    thin = view.of(GlusterVolume)[share.spec.volume].spec.provisioning is not Provisioning.THICK
    subnet, name = IPv4Network(network.spec.subnet), share.metadata.name
    for folder in share.spec.folders:
        lines = _lines(share, folder, volume, fuse=host.profile.samba_fuse, thin=thin, subnet=subnet)
        body = "".join(f"\t{key} = {value}\n" for key, value in lines)
        yield OwnedSection(name, folder.name, f"# FileShare {name}\n[{folder.name}]\n{body}")


def configuration(
    smb: SMBServer, name: str, sections: Iterable[OwnedSection], accounts: Iterable[DomainAccount] = ()
) -> str:
    """The whole file.

    Args:
        smb: What all shares say of the server.
        name: Of the server.
        sections: In any order.
        accounts: Of a domain, which folders name: they are listed for who looks them up.
    """
    body = "".join(f"\t{key} = {value}\n" for key, value in _global(smb, name))
    ordered = sorted(sections, key=lambda section: section.folder)
    listed = "".join(f"# Account {one.database} {one.name}\n" for one in accounts)
    return NOTE + listed + f"[global]\n{body}" + "".join(f"\n{section.text}" for section in ordered)


def _global(smb: SMBServer, name: str) -> Iterator[tuple[str, str]]:
    """The server. One thing only is the same for all: what cannot be wanted differently of two shares."""
    yield "clustering", "yes"
    yield "netbios name", name
    yield "workgroup", workgroup_of(smb)
    if smb.active_directory is not None:
        yield from _domain(smb.active_directory, workgroup_of(smb))
    else:
        yield "security", "user"
    yield "passdb backend", "tdbsam"
    yield "map to guest", "never"
    yield "server min protocol", _DIALECTS[smb.minimum_protocol]
    if smb.encryption is SMBEncryption.OFF:
        yield "server smb encrypt", "off"
    yield "disable netbios", "yes"
    yield "smb ports", "445"
    yield "load printers", "no"
    yield "disable spoolss", "yes"
    yield "log file", "/var/log/samba/log.%m"
    yield "max log size", "1000"
    if smb.mac_os:
        yield "fruit:model", "MacSamba"
        yield "fruit:metadata", "stream"


def _domain(domain: ActiveDirectory, workgroup: str) -> Iterator[tuple[str, str]]:
    """The numbers are those of HVP.

    The server's password changes by itself, and CTDB keeps the new one for all hosts. It is taken from there alone: a
    keytab would be written on the host that changes it, and be an old one on all others.
    """
    yield "security", "ads"
    yield "realm", domain.realm.upper()
    yield "kerberos method", "secrets only"
    yield "idmap config * : backend", "autorid"
    yield "idmap config * : range", "2000000000-3999999999"
    yield "idmap config * : rangesize", "1000000"
    if domain.numbers is AccountNumbers.RFC2307:
        yield f"idmap config {workgroup} : backend", "ad"
        yield f"idmap config {workgroup} : schema_mode", "rfc2307"
    else:
        yield f"idmap config {workgroup} : backend", "rid"
    yield f"idmap config {workgroup} : range", "9999-1999999999"


def _lines(
    share: FileShare, folder: ShareFolder, volume: MountedVolume, *, fuse: bool, thin: bool, subnet: IPv4Network
) -> Iterator[tuple[str, str]]:
    smb = share.spec.smb
    assert smb is not None
    recycled = folder.smb is not None and folder.smb.recycle_bin
    yield "path", f"{volume.folder}/{folder.name}" if fuse else f"/{folder.name}"
    yield "vfs objects", " ".join(_modules(mac_os=smb.mac_os, recycled=recycled, fuse=fuse, thin=thin))
    if not fuse:
        yield "glusterfs:volume", volume.volume
        yield "glusterfs:volfile_server", " ".join(volume.hosts)
        yield "glusterfs:logfile", f"/var/log/samba/glusterfs-{volume.volume}.log"
    # Its locks live in Gluster, of which the kernel of this host knows nothing.
    yield "kernel share modes", "no"
    yield "read only", "yes" if folder.read_only else "no"
    yield "hosts allow", " ".join(folder.clients or [str(subnet)])
    if who := _who(folder):
        yield "valid users", who
    if folder.smb is not None and not folder.smb.browseable:
        yield "browseable", "no"
    if smb.encryption in _OF_FOLDER:
        yield "server smb encrypt", _OF_FOLDER[smb.encryption]
    if recycled:
        yield "recycle:repository", ".recycle/%U"
        yield "recycle:keeptree", "yes"
        yield "recycle:versions", "yes"
    if thin:
        yield from _SNAPSHOTS


def _modules(*, mac_os: bool, recycled: bool, fuse: bool, thin: bool) -> Iterator[str]:
    """In the order in which they stack; what speaks to Gluster is the last one (vfs_glusterfs(8))."""
    if thin:
        yield "shadow_copy2"
    if mac_os:
        yield from ("catia", "fruit", "streams_xattr")
    yield "acl_xattr"
    if recycled:
        yield "recycle"
    yield "glusterfs_fuse" if fuse else "glusterfs"


_SNAPSHOTS: Sequence[tuple[str, str]] = (
    ("shadow:snapdir", "/.snaps"),
    ("shadow:basedir", "/"),
    ("shadow:sort", "desc"),
    ("shadow:snapprefix", "^[A-Za-z0-9]*$"),
    ("shadow:format", "_GMT-%Y.%m.%d-%H.%M.%S"),
)
"""Snapshots of the volume as a client's previous versions, by the names that Gluster gives them. They are seen where
somebody has switched on ``features.uss`` of the volume."""


def _who(folder: ShareFolder) -> str:
    """Users, and groups as `+`: a group of the host, not of NIS."""
    if folder.smb is None:
        return ""
    who = [*folder.smb.users, *(f"+{group}" for group in folder.smb.groups)]
    return " ".join(f'"{one}"' if " " in one else one for one in who)
