"""Storage domains on storage that is not the site's own: declared with the engine."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, Unique, matching
from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.site import SecretReference
from heretic.api.v1alpha1.storage_domain import FUNCTION, DomainFunction, DomainSettings, StorageDomainName
from heretic.api.v1alpha1.values import HostAddress, Port

MountPath = Annotated[
    str,
    StringConstraints(max_length=250),
    matching("/[!-9;-~]*", "must be an absolute path without blanks and colons, such as '/export/guests'"),
]

MountOptions = Annotated[
    str,
    StringConstraints(max_length=250),
    matching("[!-~]*", "must be options joined by commas, such as 'noatime,timeo=600'"),
]

Lun = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    matching("[A-Za-z0-9_.:-]+", "must be the id of a unit, such as '36001405ee0b74100598487e9c5f90850'"),
]

Luns = Annotated[list[Lun], Field(min_length=1, max_length=16), Unique()]

_OPTIONS = "Options of the mount, joined by commas. Unset: those of the engine."
_LUNS = (
    "Ids of the units, as multipath on a host shows them. The domain takes all of each; the engine refuses one that "
    "carries anything."
)


class NFSVersion(StrEnum):
    """Version of NFS."""

    AUTO = "Auto"
    V3 = "V3"
    V4 = "V4"
    V4_0 = "V4_0"
    V4_1 = "V4_1"
    V4_2 = "V4_2"


class NFSDomain(Model):
    """A share of an NFS server, which must belong to 36:36 (vdsm:kvm)."""

    address: HostAddress = Field(description="Name or address of the server, as every host reaches it.")
    path: MountPath = Field(description="The exported folder.")
    version: NFSVersion = Field(default=NFSVersion.AUTO, description="Auto: what server and host agree on.")
    options: MountOptions = Field(default="", description=_OPTIONS)


class GlusterDomain(Model):
    """A Gluster volume of other servers. One of the site's own is declared with its GlusterVolume."""

    address: HostAddress = Field(description="Name or address of one of its servers.")
    path: MountPath = Field(description="A slash and the name of the volume.")
    options: MountOptions = Field(default="", description=f"{_OPTIONS} Name the others: backup-volfile-servers=b:c.")


class PosixDomain(Model):
    """Any filesystem that each host can mount at the same time."""

    address: HostAddress | None = Field(default=None, description="Server, for what has one.")
    path: MountPath = Field(description="Device, or path on the server.")
    vfs_type: Annotated[
        str, StringConstraints(max_length=32), matching("[a-z0-9._-]+", "must be a type of filesystem such as 'cephfs'")
    ] = Field(description="Type of filesystem, as mount takes it.")
    options: MountOptions = Field(default="", description=_OPTIONS)


class ISCSIDomain(Model):
    """Units of an iSCSI target."""

    address: HostAddress = Field(description="Name or address of the target's portal.")
    port: Port = Field(default=3260, description="TCP port of the portal.")
    target: Annotated[
        str,
        StringConstraints(max_length=223),
        matching("(?:iqn|eui|naa)[.][!-~]+", "must be the name of a target, such as 'iqn.2026-01.example:guests'"),
    ] = Field(description="Name of the target.")
    luns: Luns = Field(description=_LUNS)
    chap_secret_ref: SecretReference | None = Field(
        default=None,
        description=(
            "Secret with keys username and password, for a target that asks for CHAP. The operator's Role must name it."
        ),
    )


class FibreChannelDomain(Model):
    """Units that the hosts reach through fibre channel."""

    luns: Luns = Field(description=_LUNS)


_PLACES = ("nfs", "gluster", "posix", "iscsi", "fibreChannel")
_GIVEN = " + ".join(f"(has(self.{place}) ? 1 : 0)" for place in _PLACES)


def _one_place(domain: Any) -> bool:
    places = (domain.nfs, domain.gluster, domain.posix, domain.iscsi, domain.fibre_channel)
    return sum(place is not None for place in places) == 1


class EngineStorageDomain(DomainSettings):
    """A storage domain on storage that is not the site's own. Exactly one place says where it lies."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"{_GIVEN} == 1",
            message="exactly one of `nfs`, `gluster`, `posix`, `iscsi` and `fibreChannel` must be specified",
            holds=_one_place,
        ),
        Rule(
            cel="!has(self.function) || self.function == 'Data' || !(has(self.iscsi) || has(self.fibreChannel))",
            message="`function` must be 'Data' on `iscsi` and `fibreChannel`",
            holds=lambda domain: (
                domain.function is DomainFunction.DATA or (domain.iscsi is None and domain.fibre_channel is None)
            ),
        ),
    )

    name: Annotated[StorageDomainName, Field(min_length=1)] = Field(description="Its name in the engine.")
    function: DomainFunction = Field(default=DomainFunction.DATA, description=FUNCTION)
    nfs: NFSDomain | None = Field(default=None, description="A share of an NFS server.")
    gluster: GlusterDomain | None = Field(default=None, description="A Gluster volume of other servers.")
    posix: PosixDomain | None = Field(default=None, description="Any filesystem that hosts can share.")
    iscsi: ISCSIDomain | None = Field(default=None, description="Units of an iSCSI target.")
    fibre_channel: FibreChannelDomain | None = Field(default=None, description="Units on fibre channel.")
