"""Site: what all nodes of a namespace share."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from heretic.api.v1alpha1.common import CommonSpec, CommonStatus, Model, ObjectName, Resource


class HostKeyPolicy(StrEnum):
    """Which host keys are believed."""

    PINNED = "Pinned"
    TRUST_ON_FIRST_USE = "TrustOnFirstUse"


class SecretReference(Model):
    """A Secret of the same namespace."""

    name: ObjectName


class SiteSSH(Model):
    """How the hosts are reached."""

    user: str = "root"
    port: int = 22
    credentials_ref: SecretReference = SecretReference(name="heretic-ssh")
    """Secret with the key ``ssh-privatekey`` (type kubernetes.io/ssh-auth)."""
    host_key_policy: HostKeyPolicy = HostKeyPolicy.PINNED
    host_certificate_authorities: list[str] = []
    """Public keys of CAs that sign host keys, OpenSSH format."""


class SiteDomains(Model):
    """DNS domains of the site's networks; a node is <node>.<domain> in each."""

    management: str = "mgmt.private"
    storage: str = "gluster.private"


class MaintenanceWindow(Model):
    """When disruptive steps may run; none declared = always."""

    days: list[str] = []
    start_time: str
    duration_minutes: int


class SiteSpec(CommonSpec):
    """What the user declares."""

    domains: SiteDomains = SiteDomains()
    time_servers: list[str] = []
    name_servers: list[str] = []
    ssh: SiteSSH = SiteSSH()
    windows: list[MaintenanceWindow] = []


class SiteStorage(Model):
    """Automatic choices for storage: made once, recorded here, kept."""

    nodes: list[str] = []
    """Storage nodes in the order in which replica sets are formed."""
    arbiter: str = ""
    """The arbiter-only node of a site of three; empty with one node or more than three."""
    data_disk_count: int = 0
    """How many data disks each data node gives (the least that all have, at most 3)."""


class PeerStatus(Model):
    """One member of the trusted pool."""

    node: str
    state: str = "Unknown"


class SiteStatus(CommonStatus):
    """What Heretic saw."""

    storage: SiteStorage | None = None
    peers: list[PeerStatus] = []
    slot_holder: str = ""
    nodes_ready: str = ""
    volumes_ready: str = ""


class Site(Resource):
    """The site of this namespace; at most one."""

    KIND: ClassVar[str] = "Site"
    PLURAL: ClassVar[str] = "sites"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ()

    spec: SiteSpec = Field(default_factory=SiteSpec)
    status: SiteStatus = Field(default_factory=SiteStatus)
