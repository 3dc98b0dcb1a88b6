"""FileShare: folders of a volume that clients reach at floating addresses."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from heretic.api.schema import IMMUTABLE, Cap, Column, Rule, Unique, condition_column
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    DeletionPolicy,
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.share_folder import ShareFolder
from heretic.api.v1alpha1.share_server import NFSServer, SMBServer
from heretic.api.v1alpha1.values import DomainName, IPv4, ObjectName, Text


class ShareProtocol(StrEnum):
    """What clients speak."""

    SMB = "SMB"
    NFS = "NFS"
    ISCSI = "ISCSI"


def _words_of_samba(spec: "FileShareSpec") -> set[str]:
    return {"global", "homes", "printers"} & {folder.name.lower() for folder in spec.folders}


class FileShareSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.smb) == (self.protocol == 'SMB')",
            message="`smb` must be specified when `protocol` is 'SMB', and may not be with another one",
            holds=lambda spec: (spec.smb is not None) == (spec.protocol is ShareProtocol.SMB),
        ),
        Rule(
            cel="!has(self.nfs) || self.protocol == 'NFS'",
            message="`nfs` may not be specified when `protocol` is not 'NFS'",
            holds=lambda spec: spec.nfs is None or spec.protocol is ShareProtocol.NFS,
        ),
        Rule(
            cel=(
                "!has(self.nfs) || self.nfs.security.all(s, s == 'sys') || (has(self.hostName) && self.hostName != '')"
            ),
            message="`hostName` must be specified when `nfs.security` has Kerberos: its tickets are for names",
            holds=lambda spec: spec.nfs is None or not spec.nfs.kerberos or bool(spec.host_name),
        ),
        Rule(
            cel="self.protocol == 'SMB' || self.folders.all(f, !has(f.smb))",
            message="`folders` must not have `smb` when `protocol` is not 'SMB'",
            holds=lambda spec: spec.protocol is ShareProtocol.SMB or not any(f.smb for f in spec.folders),
        ),
        Rule(
            cel="self.protocol == 'NFS' || self.folders.all(f, !has(f.nfs))",
            message="`folders` must not have `nfs` when `protocol` is not 'NFS'",
            holds=lambda spec: spec.protocol is ShareProtocol.NFS or not any(f.nfs for f in spec.folders),
        ),
        Rule(
            cel=(
                "self.protocol != 'SMB' || self.folders.all(f, !(f.name.lowerAscii() in ['global', 'homes', "
                "'printers']))"
            ),
            message="`folders` must not be 'global', 'homes' or 'printers': these words mean something else to Samba",
            holds=lambda spec: spec.protocol is not ShareProtocol.SMB or not _words_of_samba(spec),
        ),
        Rule(
            cel="self.deletionPolicy != 'Destroy'",
            message=(
                "`deletionPolicy` must not be 'Destroy': files belong to their volume, whose own `deletionPolicy` says "
                "what becomes of them"
            ),
            holds=lambda spec: spec.deletion_policy is not DeletionPolicy.DESTROY,
        ),
    )

    protocol: Annotated[
        ShareProtocol,
        Rule(IMMUTABLE, "must not change: clients would lose what they have open; make another FileShare"),
        Rule(
            cel="self != 'ISCSI'",
            message="must not be 'ISCSI': no supported platform has gluster-block. Use NFS, or disks in oVirt",
            holds=lambda protocol: protocol is not ShareProtocol.ISCSI,
        ),
    ] = Field(description="What clients speak. SMB: Samba. NFS: NFS-Ganesha. ISCSI: refused. It must not change later.")
    volume: Annotated[
        ObjectName, Rule(IMMUTABLE, "must not change: clients would find other files; make another FileShare")
    ] = Field(
        description=(
            "Name of the GlusterVolume that holds the files, of the purpose SMBShare or NFSShare. It must not change "
            "later."
        )
    )
    network: ObjectName = Field(
        description="Name of the Network that the public addresses are in: every file server has an address in it."
    )
    addresses: Annotated[list[IPv4], Field(min_length=1, max_length=16), Unique()] = Field(
        description=(
            "Public addresses, which clients use. CTDB gives each to one file server, and to another one when that "
            "dies. They lie inside the Network and belong to nobody else; one for each file server shares the load. "
            "FileShares may name the same ones."
        )
    )
    host_name: DomainName = Field(
        default="",
        description=(
            "DNS name that clients use, such as files.office.example.org; status.names has what its zone must say. "
            "Unset: the name of the object."
        ),
    )
    folders: Annotated[list[ShareFolder], Field(min_length=1, max_length=32), Unique("name")] = Field(
        description=(
            "Folders of the volume that are served, each under its own name. They are made where they are missing."
        )
    )
    smb: SMBServer | None = Field(default=None, description="What Samba shall be like; for the protocol SMB.")
    nfs: NFSServer | None = Field(default=None, description="What NFS-Ganesha shall be like; for the protocol NFS.")


class ShareServer(StatusModel):
    """One host that serves files."""

    number: int = Field(
        description="CTDB's number of the node: its line in the nodes file. It is recorded once and stays."
    )
    node: Text = Field(default="", description="Name of the Node; empty: the line is kept for a host that is gone.")
    address: Text = Field(default="", description="Its address in that file, on the network that carries storage.")
    state: Text = Field(
        default="", description="What CTDB says of it: OK, Unhealthy, Banned and so on; empty: nothing."
    )
    addresses: Annotated[list[Text], Cap(64)] = Field(default=[], description="Public addresses that it has.")


class ShareName(StatusModel):
    """A name that whoever serves the site's DNS must know."""

    name: Text = Field(description="Name that clients use.")
    addresses: Annotated[list[Text], Cap(16)] = Field(default=[], description="One A record for each, in turn.")


class ShareAccount(StatusModel):
    """A local account of the file servers."""

    name: Text = Field(description="Name of the user; fileshares is the group that all of them belong to.")
    number: int = Field(description="Its number on every file server, recorded once and kept: files belong to numbers.")


class ShareExport(StatusModel):
    """A folder that is served over NFS."""

    name: Text = Field(description="Name of the folder.")
    number: int = Field(
        description="Number of its export on every file server, recorded once and kept: clients' file handles hold it."
    )


class ShareFolderState(StatusModel):
    """A folder that has a limit."""

    name: Text = Field(description="Name of the folder.")
    quota: Text = Field(
        default="",
        description="How much it may hold, as declared; kept until a limit that is declared no more is gone.",
    )
    used: Text = Field(default="", description="How much it held when it was last seen, at most its limit.")


class FileShareStatus(CommonStatus):
    """What Heretic saw."""

    domain: Text = Field(default="", description="Id (SID) of the domain that the file servers have joined.")

    lock_volume: Text = Field(default="", description="GlusterVolume that holds CTDB's lock, recorded once and kept.")
    servers: Annotated[list[ShareServer], Cap(64)] = Field(
        default=[], description="The file servers in the order of CTDB's nodes file, which never changes."
    )
    addresses: Annotated[list[Text], Cap(64)] = Field(
        default=[], description="Public addresses that this FileShare brought to the file servers."
    )
    addresses_up: Text = Field(default="", description="Public addresses that a file server has, of all: 2/2.")
    accounts: Annotated[list[ShareAccount], Cap(96)] = Field(
        default=[], description="Local users of shares, with the numbers that they have on every file server."
    )
    exports: Annotated[list[ShareExport], Cap(256)] = Field(
        default=[], description="Folders that are or were served over NFS, with the numbers of their exports."
    )
    folders: Annotated[list[ShareFolderState], Cap(64)] = Field(
        default=[], description="Folders with a limit, and what they hold."
    )
    names: Annotated[list[ShareName], Cap(16)] = Field(
        default=[], description="Names for the site's DNS, with the addresses that each must give in turn."
    )


class FileShare(Resource):
    """Folders of a volume that are served to clients at public addresses, which move when a file server dies.

    All FileShares of a site are served by the same hosts: the Nodes of role FileServer, which CTDB makes one file
    server of. CTDB needs a GlusterVolume of the purpose Lock.

    This version serves files over SMB to local users, and over NFS to hosts and networks.
    """

    KIND: ClassVar[str] = "FileShare"
    PLURAL: ClassVar[str] = "fileshares"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hshare",)
    SELECTABLE: ClassVar[tuple[str, ...]] = (".spec.protocol",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        Column("Protocol", ".spec.protocol", "What clients speak."),
        Column("Volume", ".spec.volume", "Which volume holds the files."),
        Column("Addresses", ".status.addressesUp", "Public addresses that a file server has, of all."),
        condition_column("Served"),
        condition_column("CTDBReady", wide=True),
        condition_column("Degraded", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: FileShareSpec = Field(description="The share as it shall be.")
    status: FileShareStatus = Field(default_factory=FileShareStatus, description="The share as it was last seen.")
