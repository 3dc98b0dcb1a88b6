"""Site: what all nodes of a namespace share."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from heretic.api.schema import IMMUTABLE, Cap, Column, Rule, Unique, condition_column, matching
from heretic.api.v1alpha1.common import (
    AGE,
    MODE,
    READY,
    REASON,
    SUMMARY,
    SYNCED,
    CommonSpec,
    CommonStatus,
    Mode,
    Model,
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.values import AnyHostAddress, DomainName, ObjectName, Port, PublicKey, Text, UserName


class HostKeyPolicy(StrEnum):
    """Which host keys are believed."""

    PINNED = "Pinned"
    TRUST_ON_FIRST_USE = "TrustOnFirstUse"


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class SecretReference(Model):
    """A Secret of the same namespace."""

    name: ObjectName = Field(description="Name of the Secret.")


SSH_PRIVATE_KEY = "ssh-privatekey"
"""Where a Secret of type kubernetes.io/ssh-auth holds the private key."""


class SiteSSH(Model):
    """How the hosts are reached."""

    user: UserName = Field(
        default="root",
        description=(
            "Account to log in as. Any other than root needs sudo without a password. A Node may differ "
            "(spec.ssh.user)."
        ),
    )
    port: Port = Field(default=22, description="TCP port of sshd. A Node may differ (spec.ssh.port).")
    credentials_ref: SecretReference = Field(
        default=SecretReference(name="heretic-ssh"),
        description=(
            "Secret with the private key that opens the hosts: type kubernetes.io/ssh-auth, key ssh-privatekey. "
            "The operator's Role names the Secret heretic-ssh; for another name, change that Role too."
        ),
    )
    host_key_policy: HostKeyPolicy = Field(
        default=HostKeyPolicy.PINNED,
        description=(
            "Which host keys are believed. Pinned: only spec.hostKeys of the Node, and host certificates of "
            "hostCertificateAuthorities. TrustOnFirstUse: a Node without spec.hostKeys is believed once; its key "
            "is recorded in status.trustedHostKey, and any other is refused from then on. Whoever answers first "
            "at that address then gets root commands: use it in a laboratory only."
        ),
    )
    host_certificate_authorities: Annotated[list[PublicKey], Field(max_length=4), Unique()] = Field(
        default=[],
        description=(
            "Public keys that sign host certificates, in OpenSSH format without the marker @cert-authority. A "
            "host whose certificate is signed by one of them and names its spec.address needs no spec.hostKeys."
        ),
    )


class SiteDomains(Model):
    """DNS domains of the site's networks; a node is <node>.<domain> in each."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.management != self.storage",
            "`storage` must not be the same as `management`: one name would have two addresses",
            lambda d: d.management != d.storage,
        ),
    )

    management: DomainName = Field(
        default="mgmt.private", description="Domain of the management network: node1.mgmt.private."
    )
    storage: Annotated[
        DomainName,
        Rule(IMMUTABLE, "must not change: Gluster knows its peers and bricks by names in this domain"),
    ] = Field(
        default="gluster.private",
        description=(
            "Domain of the storage network: node1.gluster.private. Gluster knows its peers by these names, which "
            "Heretic makes resolvable on every node; so it must not change later."
        ),
    )


class MaintenanceWindow(Model):
    """A time of the week in which disruptive steps may start."""

    days: Annotated[list[Weekday], Field(max_length=7), Unique()] = Field(
        default=[], description="Days on which the window opens, such as [Saturday, Sunday]. Empty: every day."
    )
    start_time: Annotated[
        str,
        Field(max_length=32),
        matching("(?:[01][0-9]|2[0-3]):[0-5][0-9]", "must be a time of day from '00:00' to '23:59'"),
    ] = Field(description="When it opens: hours and minutes in UTC, such as '22:30'.")
    duration_minutes: Annotated[int, Field(strict=True, ge=15, le=1440)] = Field(
        description="How long it stays open, in minutes from 15 to 1440 (a day); it may reach past midnight."
    )


class SiteSpec(CommonSpec):
    """What the user declares."""

    mode: Mode = Field(
        default=Mode.APPLY,
        description=(
            "What Heretic may do for objects of this namespace that do not say so themselves. Apply: make it so "
            "and keep it so. Plan: change nothing, show in status.plan what Apply would do. Observe: change "
            "nothing, only report."
        ),
    )
    domains: SiteDomains = Field(
        default=SiteDomains(),
        description="DNS domains of the site's networks; a node is <name of the Node>.<domain> in each.",
    )
    time_servers: Annotated[list[AnyHostAddress], Field(max_length=8), Unique()] = Field(
        default=[],
        description="NTP servers of all nodes, such as [172.20.10.1]. Empty: the hosts' own configuration stays.",
    )
    ssh: SiteSSH = Field(default=SiteSSH(), description="How Heretic reaches the hosts.")
    windows: Annotated[list[MaintenanceWindow], Field(max_length=14)] = Field(
        default=[],
        description=(
            "When disruptive steps (those that take redundancy or a service away for a while) may start. Empty: "
            "at any time. Steps that interrupt nothing do not wait for a window."
        ),
    )


class SiteStorage(StatusModel):
    """Automatic choices for storage: made once, recorded here, kept."""

    nodes: Annotated[list[Text], Cap(64)] = Field(
        default=[], description="Storage nodes in the order in which replica sets are formed."
    )
    arbiter: Text = Field(
        default="",
        description="The arbiter-only node of a site of three; empty with one node or more than three.",
    )
    data_disk_count: int = Field(
        default=0, description="How many data disks each data node gives: the least that all have, at most 3."
    )


class PeerStatus(StatusModel):
    """One member of the trusted pool."""

    node: Text = Field(description="Name of the Node.")
    state: Text = Field(description="As Gluster says, Peer in Cluster when healthy; or Unknown.")
    uuid: Text = Field(
        default="",
        description=(
            "UUID of its glusterd, recorded when the host was first seen as a connected full member, and kept: a host "
            "that shows another one is not taken for this member."
        ),
    )


class SiteStatus(CommonStatus):
    """What Heretic saw."""

    storage: SiteStorage | None = Field(
        default=None, description="Automatic choices for storage: made once, recorded here and kept."
    )
    peers: Annotated[list[PeerStatus], Cap(64)] = Field(default=[], description="Members of the trusted pool.")
    slot_holder: Text = Field(
        default="", description="The object for which a disruptive step runs now; only one at a time in a site."
    )
    nodes_ready: Text = Field(default="", description="Nodes that are Ready, of all: 3/3.")
    volumes_ready: Text = Field(default="", description="Volumes that are Ready, of all: 2/3.")


class Site(Resource):
    """What all objects of a namespace share: a namespace is a site, and it has exactly one Site.

    Everything has a default, so `spec: {}` is a whole Site: hosts are reached as root with the key in the Secret
    heretic-ssh, and only host keys that the Nodes pin are believed. status shows what was chosen for the site
    (which node is the arbiter, how many disks each node gives), the trusted pool, and how many nodes and volumes
    are Ready.
    """

    KIND: ClassVar[str] = "Site"
    PLURAL: ClassVar[str] = "sites"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hsite",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        condition_column("Available"),
        Column("Nodes", ".status.nodesReady", "Nodes that are Ready, of all."),
        Column("Volumes", ".status.volumesReady", "Volumes that are Ready, of all."),
        Column("Arbiter", ".status.storage.arbiter", "The arbiter-only node.", wide=True),
        condition_column("NPlusOne", wide=True),
        Column("Slot", ".status.slotHolder", "For which object a disruptive step runs.", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: SiteSpec = Field(default_factory=SiteSpec, description="The site as it shall be.")
    status: SiteStatus = Field(default_factory=SiteStatus, description="The site as it was last seen.")
