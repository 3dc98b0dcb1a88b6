"""What a FileShare asks of the program that serves it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import IMMUTABLE, Rule, Unique, matching
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


class AccountNumbers(StrEnum):
    """Where the numbers of a domain's users and groups come from."""

    AUTOMATIC = "Automatic"
    RFC2307 = "RFC2307"


class ActiveDirectory(Model):
    """A domain that knows the users."""

    realm: Annotated[
        DomainName, Rule(IMMUTABLE, "must not change: files belong to users of the domain; make another FileShare")
    ] = Field(min_length=3, description="Kerberos realm, in lower case: office.example.org. It must not change later.")
    organizational_unit: Annotated[
        str,
        StringConstraints(max_length=256),
        matching(
            "(?:[A-Za-z0-9](?:[-A-Za-z0-9_. ]*[A-Za-z0-9_])?(?:/[A-Za-z0-9](?:[-A-Za-z0-9_. ]*[A-Za-z0-9_])?)*)?",
            "must be names with slashes between them, the topmost first, such as 'Servers/File Servers'",
        ),
    ] = Field(
        default="",
        description=(
            "Where the account of the file server is made, such as 'File Servers', the topmost first: 'Servers/File'. "
            "Unset: where the domain puts computers."
        ),
    )
    join_secret_ref: SecretReference = Field(
        default=SecretReference(name="heretic-domain"),
        description="Secret with the keys username and password of an account that may join computers.",
    )
    numbers: Annotated[
        AccountNumbers, Rule(IMMUTABLE, "must not change: files belong to numbers, and would belong to others")
    ] = Field(
        default=AccountNumbers.AUTOMATIC,
        description=(
            "Where the numbers of users and groups come from, between 9999 and 1999999999. Automatic: from their ids "
            "in the domain, the same on every file server. RFC2307: from uidNumber and gidNumber in the domain; "
            "who has none is nobody here. Other domains, which this one trusts, have numbers from 2000000000 on. It "
            "must not change later."
        ),
    )
    leave_on_deletion: bool = Field(
        default=False,
        strict=True,
        description="Whether the account of the file server is deleted in the domain when the last FileShare in it is.",
    )


class SMBServer(Model):
    """Samba, which is one for all FileShares of the site."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.activeDirectory) || (has(self.users) && self.users.size() > 0)",
            message="`users` must list at least one user, or `activeDirectory` a domain: nobody could log in",
            holds=lambda smb: smb.active_directory is not None or bool(smb.users),
        ),
        Rule(
            cel="has(self.activeDirectory) == has(oldSelf.activeDirectory)",
            message="`activeDirectory` must not be added or taken away: who owns files would change",
        ),
    )

    netbios_name: NetBIOSName | None = Field(
        default=None, description="Name of the server, one for all nodes. Unset: the first part of hostName."
    )
    workgroup: NetBIOSName = Field(
        default="WORKGROUP",
        description="Workgroup that the server belongs to. In a domain its short name; unset: the realm's first part.",
    )
    users: Annotated[list[UserName], Field(max_length=64), Unique()] = Field(
        default=[], description="Local users, who may log in. Their accounts are made on every file server."
    )
    users_secret_ref: SecretReference = Field(
        default=SecretReference(name="heretic-shares"),
        description="Secret with the passwords of the users: a key for each, which is the user's name.",
    )
    active_directory: ActiveDirectory | None = Field(
        default=None,
        description=(
            "Active Directory domain whose users and groups may be named, such as 'OFFICE\\anna'. It must not be added "
            "or taken away later."
        ),
    )
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


class ExportSecurity(StrEnum):
    """How clients of NFS prove who they are, as the option sec of mount calls it."""

    SYS = "sys"
    KRB5 = "krb5"
    KRB5I = "krb5i"
    KRB5P = "krb5p"


class NFSServer(Model):
    """NFS-Ganesha, which is one for all FileShares of the site."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.security.all(s, s == 'sys') || (has(self.realm) && self.realm != '')",
            message="`realm` must be specified when `security` has one of krb5, krb5i and krb5p",
            holds=lambda nfs: not nfs.kerberos or bool(nfs.realm),
        ),
    )

    versions: Annotated[list[ExportVersion], Field(min_length=1, max_length=2), Unique()] = Field(
        default=[ExportVersion.V4],
        description=(
            "Versions of the protocol that are spoken: V4, and V3 for clients that cannot do better. Over V3 nothing "
            "is locked: clients mount with the option nolock."
        ),
    )
    security: Annotated[list[ExportSecurity], Field(min_length=1, max_length=4), Unique()] = Field(
        default=[ExportSecurity.SYS],
        description=(
            "How clients prove who their users are; each may choose one of them. sys: the client is believed. krb5: by "
            "Kerberos; krb5i: so that nobody changes what travels; krb5p: so that nobody reads it either."
        ),
    )
    realm: DomainName = Field(
        default="",
        description=(
            "Realm of Kerberos, in lower case: that of the Active Directory domain which a FileShare for SMB of this "
            "site joins. For krb5, krb5i and krb5p."
        ),
    )

    @property
    def kerberos(self) -> bool:
        """Whether clients may prove by Kerberos who they are."""
        return any(one is not ExportSecurity.SYS for one in self.security)
