"""The folders of a FileShare, and who may use them."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, Unique, matching
from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.values import Size


class Squash(StrEnum):
    """Whose rights a client's users have on an NFS export."""

    ROOT = "Root"
    ALL = "All"
    NONE = "None"


AccountName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=104),
    matching(
        r"[A-Za-z0-9_][-A-Za-z0-9_.]*[$]?|[A-Za-z0-9][-A-Za-z0-9.]*[\\][A-Za-z0-9_][-A-Za-z0-9_. ]*",
        r"must be the name of an account, such as 'anna', '1000' or 'OFFICE\anna'",
    ),
]
"""A user or a group: of the hosts, a number, or one of a domain."""

FolderName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80),
    matching(
        "[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9_])?",
        "must be letters, digits, dots, dashes and underscores, such as 'groups': it is a name in paths and in URLs",
    ),
]


def _is_client(text: str) -> bool:
    try:
        return IPv4Network(text).prefixlen >= 0 if "/" in text else bool(IPv4Address(text))
    except ValueError:
        return False


Client = Annotated[
    str,
    StringConstraints(max_length=64),
    Rule(
        cel=(
            "(isIP(self) && ip(self).family() == 4) || (isCIDR(self) && cidr(self).ip().family() == 4 && "
            "cidr(self) == cidr(self).masked())"
        ),
        message="must be an IPv4 address or network, such as '172.20.12.7' or '172.20.12.0/24'",
        holds=_is_client,
    ),
]


class SMBAccess(Model):
    """What SMB clients may do with a folder."""

    users: Annotated[list[AccountName], Field(max_length=64), Unique()] = Field(
        default=[], description="Who may connect. Empty, with groups empty too: every user of the share."
    )
    groups: Annotated[list[AccountName], Field(max_length=64), Unique()] = Field(
        default=[], description="Groups whose members may connect."
    )
    browseable: bool = Field(
        default=True, strict=True, description="Whether the folder is shown to who lists the server's shares."
    )
    recycle_bin: bool = Field(
        default=False,
        strict=True,
        description="Whether what a client deletes is moved to the folder .recycle/<user> and kept there.",
    )


class NFSAccess(Model):
    """What NFS clients may do with a folder."""

    squash: Squash = Field(
        default=Squash.ROOT,
        description=(
            "Whose rights a client's users have. Root: root of a client is nobody. All: everybody is nobody. None: "
            "root of a client is root here."
        ),
    )


class ShareFolder(Model):
    """One folder of the volume, served under its own name."""

    name: FolderName = Field(
        description="Name of the folder in the volume, under which clients see it: \\\\files\\groups, files:/groups."
    )
    owner: AccountName = Field(default="root", description="User that the folder belongs to: a name or a number.")
    group: AccountName = Field(default="root", description="Group that the folder belongs to: a name or a number.")
    mode: Annotated[
        str,
        StringConstraints(max_length=4),
        matching("[0-7]{4}", "must be permission bits of four octal digits, such as '2770'"),
    ] = Field(default="0755", description="Permission bits of the folder itself, such as '2770'.")
    quota: Size = Field(
        default="", description="How much the folder may hold; less than its volume. Unset: whatever the volume can."
    )
    read_only: bool = Field(default=False, strict=True, description="Whether nobody may write through the share.")
    clients: Annotated[list[Client], Field(max_length=32), Unique()] = Field(
        default=[],
        description="Addresses and networks that may connect. Empty: those of the Network with the public addresses.",
    )
    smb: SMBAccess | None = Field(default=None, description="What SMB clients may do. For protocol SMB.")
    nfs: NFSAccess | None = Field(default=None, description="What NFS clients may do. For protocol NFS.")
