"""What a FileShare asks of the program that serves it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, Unique, matching
from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.site import SecretReference
from heretic.api.v1alpha1.values import DomainName, UserName


class SMBEncryption(StrEnum):
    """Whether what travels is encrypted."""

    OFF = "Off"
    IF_ASKED = "IfAsked"
    DESIRED = "Desired"
    REQUIRED = "Required"


class SMBProtocol(StrEnum):
    """Oldest dialect that a client may speak."""

    SMB2 = "SMB2"
    SMB3 = "SMB3"


class ExportVersion(StrEnum):
    """A version of NFS."""

    V3 = "V3"
    V4 = "V4"


NetBIOSName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=15),
    matching(
        "[A-Z0-9](?:[-A-Z0-9]*[A-Z0-9])?",
        "must be a NetBIOS name: at most 15 upper-case letters, digits and dashes, such as 'FILES'",
    ),
]


class ActiveDirectory(Model):
    """A domain that knows the users."""

    realm: DomainName = Field(description="Kerberos realm, in lower case: office.example.org.")
    organizational_unit: Annotated[str, StringConstraints(max_length=256)] = Field(
        default="",
        description="Where the account of the file server is made, such as 'File Servers'. Unset: Computers.",
    )
    join_secret_ref: SecretReference = Field(
        description="Secret with the keys username and password of an account that may join computers."
    )


class SMBServer(Model):
    """Samba, which is one for all FileShares of the site."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.domain)",
            message="`domain` must not be specified yet: this version joins no Active Directory domain",
            holds=lambda smb: smb.domain is None,
        ),
        Rule(
            cel="has(self.domain) || (has(self.users) && self.users.size() > 0)",
            message="`users` must list at least one user: nobody could log in",
            holds=lambda smb: smb.domain is not None or bool(smb.users),
        ),
    )

    netbios_name: NetBIOSName | None = Field(
        default=None, description="Name of the server, one for all nodes. Unset: the first part of hostName."
    )
    workgroup: NetBIOSName = Field(default="WORKGROUP", description="Workgroup that the server belongs to.")
    users: Annotated[list[UserName], Field(max_length=64), Unique()] = Field(
        default=[], description="Local users, who may log in. Their accounts are made on every file server."
    )
    users_secret_ref: SecretReference = Field(
        default=SecretReference(name="heretic-shares"),
        description="Secret with the passwords of the users: a key for each, which is the user's name.",
    )
    domain: ActiveDirectory | None = Field(default=None, description="Active Directory domain. Not yet.")
    encryption: SMBEncryption = Field(
        default=SMBEncryption.DESIRED,
        description=(
            "Off: nothing is encrypted. IfAsked: where a client asks for it. Desired: where a client can. Required: a "
            "client that cannot is refused."
        ),
    )
    minimum_protocol: SMBProtocol = Field(
        default=SMBProtocol.SMB2, description="Oldest dialect that a client may speak; SMB1 is never spoken."
    )
    mac_os: bool = Field(
        default=False, strict=True, description="Whether files keep what macOS adds to them (Samba's module fruit)."
    )


class NFSServer(Model):
    """NFS-Ganesha, which is one for all FileShares of the site."""

    versions: Annotated[list[ExportVersion], Field(min_length=1, max_length=2), Unique()] = Field(
        default=[ExportVersion.V4],
        description=(
            "Versions of the protocol that are spoken: V4, and V3 for clients that cannot do better. Over V3 nothing "
            "is locked: clients mount with the option nolock."
        ),
    )
