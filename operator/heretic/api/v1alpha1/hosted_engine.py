"""HostedEngine: the oVirt engine of the site, and what makes the site in it."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

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
    Resource,
    StatusModel,
)
from heretic.api.v1alpha1.engine_backup import EngineBackup, EngineBackupStatus
from heretic.api.v1alpha1.engine_cluster import EngineClusterSpec, EngineDataCenter
from heretic.api.v1alpha1.engine_domains import EngineStorageDomain
from heretic.api.v1alpha1.engine_machine import EngineSSH
from heretic.api.v1alpha1.engine_upgrade import EngineUpgrade, EngineUpgradeStatus
from heretic.api.v1alpha1.self_hosted import DeploymentStatus, SelfHostedSpec
from heretic.api.v1alpha1.site import SecretReference
from heretic.api.v1alpha1.standalone import StandaloneSpec
from heretic.api.v1alpha1.storage_domain import StorageDomainStatus
from heretic.api.v1alpha1.values import IP, LABEL, Port, PublicKey, Text


class Deployment(StrEnum):
    """How there comes to be an engine."""

    EXISTING = "Existing"
    SELF_HOSTED = "SelfHosted"
    STANDALONE = "Standalone"


EngineFQDN = Annotated[
    str,
    StringConstraints(max_length=190),
    matching(
        rf"(?:{LABEL}[.])+[a-z](?:[-a-z0-9]*[a-z0-9])?",
        "must be a full DNS name in lower case such as 'engine.mgmt.private'",
    ),
]

_PEM = r"(?:-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----\s*)+"

Certificates = Annotated[
    str,
    StringConstraints(max_length=65536),
    Rule(
        cel="self.startsWith('-----BEGIN CERTIFICATE-----') && self.contains('-----END CERTIFICATE-----')",
        message="must be one or more certificates in PEM form, from '-----BEGIN CERTIFICATE-----' on",
        holds=lambda text: re.fullmatch(_PEM, text) is not None,
    ),
]


class HostedEngineSpec(CommonSpec):
    """What the user declares."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.selfHosted) == (self.deployment == 'SelfHosted')",
            message="`selfHosted` must be set where `deployment` is 'SelfHosted', and only there; '{}' will do",
            holds=lambda spec: (spec.self_hosted is not None) == (spec.deployment is Deployment.SELF_HOSTED),
        ),
        Rule(
            cel="has(self.standalone) == (self.deployment == 'Standalone')",
            message="`standalone` must be set where `deployment` is 'Standalone', and only there; '{}' will do",
            holds=lambda spec: (spec.standalone is not None) == (spec.deployment is Deployment.STANDALONE),
        ),
        Rule(
            cel="!has(self.selfHosted) || !has(self.selfHosted.virtualMachine.prefix) || has(self.address)",
            message="`address` must be set where `selfHosted.virtualMachine.prefix` is",
            holds=lambda spec: (
                not spec.self_hosted or spec.self_hosted.virtual_machine.prefix is None or bool(spec.address)
            ),
        ),
        Rule(
            cel="self.deployment == 'Existing' || !has(self.address) || ip(self.address).family() == 4",
            message="`address` must be an IPv4 address, unless `deployment` is 'Existing'",
            holds=lambda spec: spec.deployment is Deployment.EXISTING or ":" not in spec.address,
        ),
        Rule(
            cel="!has(self.upgrade) || has(self.backup)",
            message="`backup` must be set where `upgrade` is: an upgrade begins with a proved backup",
            holds=lambda spec: spec.upgrade is None or spec.backup is not None,
        ),
        Rule(
            cel=(
                "!has(self.selfHosted) || !has(self.backup) || !has(self.backup.volume) || "
                "self.backup.volume != self.selfHosted.storageVolume"
            ),
            message="`backup.volume` must not be `selfHosted.storageVolume`: what takes the engine takes its backups",
            holds=lambda spec: (
                not spec.self_hosted or not spec.backup or spec.backup.volume != spec.self_hosted.storage_volume
            ),
        ),
    )

    fqdn: Annotated[
        EngineFQDN,
        Rule(IMMUTABLE, "must not change: the engine's certificate and its hosts are bound to this name"),
    ] = Field(
        description=(
            "Name of the engine's machine, such as engine.mgmt.private, by which the operator and every host reach "
            "it. The engine answers to no other. It must not change later."
        )
    )
    address: IP = Field(
        default="",
        description=(
            "IP address of the engine's machine, at which the operator reaches it, also while the site's name "
            "servers are down. Unset: what the name resolves to. IPv4, unless the engine exists already."
        ),
    )
    port: Port = Field(default=443, description="TCP port of the engine's web server.")
    deployment: Annotated[Deployment, Rule(IMMUTABLE, "must not change: an engine that runs is not deployed again")] = (
        Field(
            description=(
                "How there comes to be an engine. Existing: it runs already; Heretic finds it by its name, certificate "
                "authority and credentials. Begin with mode Observe to see what would change. SelfHosted: Heretic "
                "deploys it in a virtual machine on the site's own hosts, once, where no engine ever was. Standalone: "
                "Heretic sets it up with engine-setup on a machine of its own that is there, likewise."
            )
        )
    )
    self_hosted: SelfHostedSpec | None = Field(
        default=None, description="How the engine is deployed on the site's own hosts; for the deployment SelfHosted."
    )
    standalone: StandaloneSpec | None = Field(
        default=None, description="How the engine is set up on a machine of its own; for the deployment Standalone."
    )
    credentials_ref: SecretReference = Field(
        default=SecretReference(name="heretic-engine"),
        description=(
            "Secret with who logs in: type kubernetes.io/basic-auth, keys username (with its profile, such as "
            "admin@internal) and password. For an engine that Heretic deploys, it is made with a new password where "
            "there is none, and never changed; it stays when this object goes. The operator's Role names the Secret "
            "heretic-engine; for another name, change that Role too."
        ),
    )
    certificate_authority: Certificates | None = Field(
        default=None,
        description=(
            "The certificate that signs the engine's, in PEM form: the content of /etc/pki/ovirt-engine/ca.pem on "
            "its machine. Unset: key ca.crt of the Secret. Where neither is there, Heretic shows the fingerprint of "
            "what the engine offers, and talks to nobody."
        ),
    )
    ssh: EngineSSH = Field(
        default=EngineSSH(),
        description=(
            "How the engine's machine is reached, for what its API cannot do: backups and upgrades. The key is the "
            "Site's, which a deployment puts there; on the machine of another engine, add it to authorized_keys."
        ),
    )
    host_keys: Annotated[list[PublicKey], Field(max_length=8), Unique()] = Field(
        default=[],
        description=(
            "SSH public keys of the engine's machine in OpenSSH format, such as 'ssh-ed25519 AAAA…': on its console, "
            "cat /etc/ssh/ssh_host_ed25519_key.pub. Heretic talks to no other machine. They may be left out where the "
            "Site trusts a host certificate authority or opted in to trust on first use."
        ),
    )
    data_center: EngineDataCenter = Field(
        default=EngineDataCenter(), description="The data center of the site's hosts; made where it is missing."
    )
    cluster: EngineClusterSpec = Field(
        default=EngineClusterSpec(), description="The cluster of the site's hosts; made where it is missing."
    )
    global_maintenance: bool | None = Field(
        default=None,
        strict=True,
        description=(
            "Whether the hosts leave the engine's own machine alone: true for work on it, false so that it is started "
            "again where it fails. Either is kept, also when somebody changes it by hand. Unset: it is only shown. "
            "Only for an engine that is self-hosted."
        ),
    )
    backup: EngineBackup | None = Field(
        default=None,
        description="When the engine is backed up, and where its backups are kept. Unset: it is not backed up.",
    )
    upgrade: EngineUpgrade | None = Field(
        default=None,
        description="The version that the engine shall run. It needs spec.backup. Unset: it is never upgraded.",
    )
    storage_domains: Annotated[list[EngineStorageDomain], Field(max_length=16), Unique("name")] = Field(
        default=[],
        description=(
            "Storage domains on storage that is not the site's own: made, attached to the data center and kept active. "
            "One that lies there already is taken over. To take an entry away leaves the domain in the engine. Volumes "
            "of the site are declared with storageDomain of their GlusterVolume."
        ),
    )


class EngineHostStatus(StatusModel):
    """A host, as the engine sees it."""

    name: Text = Field(description="Name in the engine; that of the Node, where it is one of the site.")
    state: Text = Field(default="", description="Up, Maintenance, NonOperational and so on, as the engine says.")
    score: int | None = Field(
        default=None, description="How fit it is to run the engine's machine, 3400 at best; missing: not told."
    )


class HostedEngineStatus(CommonStatus):
    """What Heretic saw."""

    engine_id: Text = Field(
        default="", description="The engine's own id, recorded once and kept: another engine of this name is refused."
    )
    version: Text = Field(default="", description="Version of the engine.")
    certificate_authority: Annotated[str, Cap(65536)] = Field(
        default="",
        description="What signs the engine's certificate, as the host tells on which Heretic deployed it.",
    )
    trusted_host_key: Annotated[str, Cap(4096)] = Field(
        default="",
        description="Host key of the engine's machine that was believed on first use, where the Site opts in to that.",
    )
    deployment: DeploymentStatus = Field(
        default_factory=DeploymentStatus, description="How far the deployment is, where Heretic deploys the engine."
    )
    certificate_until: Text = Field(
        default="", description="Day on which the certificate of the engine's web server runs out."
    )
    data_center_id: Text = Field(default="", description="The engine's id of the data center.")
    cluster_id: Text = Field(default="", description="The engine's id of the cluster.")
    mac_pool_id: Text = Field(default="", description="The engine's id of the declared MAC pool.")
    level: Text = Field(default="", description="Compatibility level of the cluster.")
    global_maintenance: bool | None = Field(
        default=None,
        description="Whether nobody restarts the engine's machine, as its hosts say; missing: not known.",
    )
    backup: EngineBackupStatus = Field(
        default_factory=EngineBackupStatus, description="The newest backup that was proved where it is kept."
    )
    upgrade: EngineUpgradeStatus = Field(
        default_factory=EngineUpgradeStatus, description="How far an upgrade is, where a version is declared."
    )
    hosts: Annotated[list[EngineHostStatus], Cap(64)] = Field(
        default=[], description="Every host of the cluster, as the engine sees it."
    )
    storage_domains: Annotated[list[StorageDomainStatus], Cap(16)] = Field(
        default=[], description="Every storage domain of spec.storageDomains, by its declared name."
    )


class HostedEngine(Resource):
    """The oVirt engine of the site: the one that runs its guests.

    Heretic keeps what makes the site in it as it is declared: data center and cluster here, hosts by Nodes of role
    Hypervisor, storage domains by GlusterVolumes, logical networks by Networks. There is one in a site.
    """

    KIND: ClassVar[str] = "HostedEngine"
    PLURAL: ClassVar[str] = "hostedengines"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("he",)
    SELECTABLE: ClassVar[tuple[str, ...]] = (".spec.deployment",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        READY,
        Column("FQDN", ".spec.fqdn", "Name of its machine."),
        Column("Version", ".status.version", "Version of the engine."),
        condition_column("EngineUp"),
        Column("Deployment", ".spec.deployment", "How there comes to be an engine.", wide=True),
        condition_column("Degraded", wide=True),
        MODE,
        REASON,
        SYNCED,
        AGE,
        SUMMARY,
    )

    spec: HostedEngineSpec = Field(description="The engine as it shall be.")
    status: HostedEngineStatus = Field(
        default_factory=HostedEngineStatus, description="The engine as it was last seen."
    )
