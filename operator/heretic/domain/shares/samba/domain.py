"""What is declared of an Active Directory domain: its names, and whom of it folders name."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.share_server import ActiveDirectory, SMBServer
from heretic.domain.declared.view import SiteView

NO_WORKGROUP = "WORKGROUP"
"""What stands for "not declared"."""


@dataclass(frozen=True, slots=True)
class DomainAccount:
    r"""A user or a group of a domain that a folder names.

    Attributes:
        database: In which the hosts look it up: passwd or group.
        name: With the domain, such as OFFICE\anna.
    """

    database: str
    name: str


def workgroup_of(smb: SMBServer) -> str:
    """The workgroup; in a domain its short name, which is the first part of the realm unless it is declared."""
    if smb.active_directory is None or smb.workgroup != NO_WORKGROUP:
        return smb.workgroup
    return smb.active_directory.realm.partition(".")[0].upper()[:15]


def server_name(share: FileShare) -> str:
    """The name of the server, one for all nodes."""
    assert share.spec.smb is not None
    return share.spec.smb.netbios_name or (share.spec.host_name or share.metadata.name).partition(".")[0].upper()[:15]


def in_domain(share: FileShare) -> bool:
    """Whether a share is for users of a domain."""
    return share.spec.smb is not None and share.spec.smb.active_directory is not None


def domain_of(view: SiteView) -> ActiveDirectory | None:
    """The domain of a site's file servers; shares that disagree are told elsewhere."""
    declared = (share.spec.smb for share in view.of(FileShare).values() if share.spec.smb is not None)
    return next((smb.active_directory for smb in declared if smb.active_directory is not None), None)


def has_domain(view: SiteView) -> bool:
    """Whether the file servers of a site belong to a domain."""
    return domain_of(view) is not None


def is_of_domain(name: str) -> bool:
    """Whether an account is one of a domain."""
    return "\\" in name


def accounts_of(shares: Iterable[FileShare]) -> tuple[DomainAccount, ...]:
    """Accounts of a domain that folders name, each once."""
    found: set[tuple[str, str]] = set()
    for folder in (folder for share in shares for folder in share.spec.folders):
        access = folder.smb
        found |= {("passwd", name) for name in (folder.owner, *(access.users if access else ()))}
        found |= {("group", name) for name in (folder.group, *(access.groups if access else ()))}
    return tuple(DomainAccount(*one) for one in sorted(found) if is_of_domain(one[1]))


def join_key(smb: SMBServer, name: str) -> str:
    """Names exactly this way to join: what was refused is not tried again before something of it is another."""
    ad = smb.active_directory
    assert ad is not None
    words = (ad.realm, workgroup_of(smb), name, ad.organizational_unit, ad.join_secret_ref.name)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def leave_key(smb: SMBServer, name: str) -> str:
    """Names exactly this way to leave, likewise."""
    return hashlib.sha256(f"leave {join_key(smb, name)}".encode()).hexdigest()[:16]
