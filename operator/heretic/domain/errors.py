"""What can go wrong, as values: a closed list of reasons in three classes.

The class decides what the loop does next: a Transient failure is tried again with growing pauses, a NeedsUser
failure waits for a person (and for the next resync), a Bug is ours. Text of a foreign error is never matched
outside the place where it enters (hosts/, a parser); from there on only these types travel.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Every reason that a condition, an event or a failure may carry.

    One list, in chapters: the file of a chapter says what its reasons mean. docs/reference/reasons.md lists all.
    """

    # healthy, or on the way: domain/reasons.py
    AS_DECLARED = "AsDeclared"
    APPLYING = "Applying"
    WORK_IN_PROGRESS = "WorkInProgress"
    NOT_OBSERVED = "NotObserved"
    PAUSED = "Paused"
    DELETING = "Deleting"
    # waiting for something else: domain/reasons.py
    SITE_NOT_FOUND = "SiteNotFound"
    NODE_NOT_FOUND = "NodeNotFound"
    NETWORK_NOT_FOUND = "NetworkNotFound"
    NODE_NOT_READY = "NodeNotReady"
    WAITING_FOR_NODES = "WaitingForNodes"
    WAITING_FOR_NETWORKS = "WaitingForNetworks"
    WAITING_FOR_SITE = "WaitingForSite"
    WAITING_FOR_POOL = "WaitingForPool"
    WAITING_FOR_APPROVAL = "WaitingForApproval"
    WAITING_FOR_SLOT = "WaitingForSlot"
    WAITING_FOR_HEAL = "WaitingForHeal"
    OUTSIDE_WINDOW = "OutsideWindow"
    CHANGED_MEANWHILE = "ChangedMeanwhile"
    LEASE_LOST = "LeaseLost"
    # what is declared: domain/reasons.py
    INVALID_SPEC = "InvalidSpec"
    IMMUTABLE_DIFFERENCE = "ImmutableDifference"
    DOES_NOT_FIT = "DoesNotFit"
    DEPENDENTS_EXIST = "DependentsExist"
    # reaching a host: domain/host/reasons.py
    UNREACHABLE = "Unreachable"
    CONNECTION_LOST = "ConnectionLost"
    COMMAND_TIMED_OUT = "CommandTimedOut"
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    HOST_KEY_MISMATCH = "HostKeyMismatch"
    HOST_KEY_NOT_PINNED = "HostKeyNotPinned"
    NO_ROOT = "NoRoot"
    LOGIN_REFUSED = "LoginRefused"
    CREDENTIALS_MISSING = "CredentialsMissing"
    CREDENTIALS_NOT_MADE = "CredentialsNotMade"
    NAME_NOT_RESOLVED = "NameNotResolved"
    # a host's own trouble: domain/host/reasons.py
    UNSUPPORTED_PLATFORM = "UnsupportedPlatform"
    DISK_FULL = "DiskFull"
    READ_ONLY_ROOT = "ReadOnlyRoot"
    PACKAGE_MANAGER_LOCKED = "PackageManagerLocked"
    PACKAGE_INSTALL_FAILED = "PackageInstallFailed"
    IN_MAINTENANCE = "InMaintenance"
    MAINTENANCE_UNSAFE = "MaintenanceUnsafe"
    CLOCK_SKEWED = "ClockSkewed"
    SERVICE_FAILED = "ServiceFailed"
    FIREWALL_REFUSES = "FirewallRefuses"
    HOST_BUSY = "HostBusy"
    LOCKED_BY_OTHER_OPERATOR = "LockedByOtherOperator"
    HOST_OF_OTHER_CLUSTER = "HostOfOtherCluster"
    FENCING_TOKEN_WENT_BACK = "FencingTokenWentBack"  # noqa: S105 - a word for people
    FENCE_UNREADABLE = "FenceUnreadable"
    COMMAND_FAILED = "CommandFailed"
    VERIFICATION_FAILED = "VerificationFailed"
    CHANGE_TAKEN_BACK = "ChangeTakenBack"
    OUTPUT_NOT_UNDERSTOOD = "OutputNotUnderstood"
    OBSERVED_ONLY = "ObservedOnly"
    # disks: domain/disks/reasons.py
    FOREIGN_SIGNATURE = "ForeignSignature"
    CONTENT_FOUND = "ContentFound"
    READ_ERROR = "ReadError"
    NOT_PROVEN_BLANK = "NotProvenBlank"
    DISK_IN_USE = "DiskInUse"
    DISK_NOT_FOUND = "DiskNotFound"
    DISK_AMBIGUOUS = "DiskAmbiguous"
    DISK_TOO_SMALL = "DiskTooSmall"
    NO_USABLE_DISK = "NoUsableDisk"
    SECTOR_SIZE_MISMATCH = "SectorSizeMismatch"
    DISK_SWAPPED = "DiskSwapped"
    DISK_REPLACED = "DiskReplaced"
    DISK_LABEL_LOST = "DiskLabelLost"
    SHARED_DISK = "SharedDisk"
    VOLUME_GROUP_NOT_OURS = "VolumeGroupNotOurs"
    VOLUME_GROUP_REPLACED = "VolumeGroupReplaced"
    LOGICAL_VOLUME_REPLACED = "LogicalVolumeReplaced"
    FILESYSTEM_REPLACED = "FilesystemReplaced"
    FILESYSTEM_DUPLICATED = "FilesystemDuplicated"
    # thin pools: domain/disks/reasons.py
    POOL_NEARLY_FULL = "PoolNearlyFull"
    POOL_OVERCOMMITTED = "PoolOvercommitted"
    POOL_OUT_OF_SPACE = "PoolOutOfSpace"
    POOL_NEEDS_REPAIR = "PoolNeedsRepair"
    POOL_FAILED = "PoolFailed"
    POOL_NOT_ACTIVE = "PoolNotActive"
    LOGICAL_VOLUME_FAILED = "LogicalVolumeFailed"
    # networks: domain/network/reasons.py
    DUPLICATE_ADDRESS = "DuplicateAddress"
    ADDRESS_OUTSIDE_NETWORK = "AddressOutsideNetwork"
    NETWORK_DIFFERS = "NetworkDiffers"
    NETWORK_STAYS_OUT_OF_SYNC = "NetworkStaysOutOfSync"
    BOND_PORT_DOWN = "BondPortDown"
    AGGREGATE_INCOMPLETE = "AggregateIncomplete"
    PATH_TOO_SMALL = "PathTooSmall"
    GUESTS_RUNNING = "GuestsRunning"
    # ports of hosts: domain/wiring/reasons.py
    NETWORK_WITHOUT_PORT = "NetworkWithoutPort"
    PORT_ON_TWO_NETWORKS = "PortOnTwoNetworks"
    PORT_MOVED = "PortMoved"
    PORT_TOO_SMALL = "PortTooSmall"
    ADDRESS_TAKEN = "AddressTaken"
    NETWORK_MANAGER_MISSING = "NetworkManagerMissing"
    BOND_NEEDS_SWITCH = "BondNeedsSwitch"
    PORT_GONE = "PortGone"
    # sites: domain/site/reasons.py
    MORE_THAN_ONE_SITE = "MoreThanOneSite"
    UNSUPPORTED_NODE_COUNT = "UnsupportedNodeCount"
    FAILURE_DOMAIN_SHARED = "FailureDomainShared"
    # the trusted pool: domain/pool/reasons.py
    VERSIONS_DIFFER = "VersionsDiffer"
    OP_VERSION_REFUSED = "OpVersionRefused"
    PEER_DISCONNECTED = "PeerDisconnected"
    PEER_REJECTED = "PeerRejected"
    POOL_NOT_OURS = "PoolNotOurs"
    PEER_REPLACED = "PeerReplaced"
    PEER_CLONED = "PeerCloned"
    # volumes: domain/gluster/reasons.py
    TOPOLOGY_DIFFERS = "TopologyDiffers"
    BRICK_DOWN = "BrickDown"
    BRICK_LOST = "BrickLost"
    BRICK_ON_ROOT = "BrickOnRoot"
    BRICK_NOT_PROVEN = "BrickNotProven"
    BRICK_NOT_EMPTY = "BrickNotEmpty"
    QUORUM_LOST = "QuorumLost"
    QUORUM_UNKNOWN = "QuorumUnknown"
    HEAL_PENDING = "HealPending"
    HEAL_STANDS_STILL = "HealStandsStill"
    HEAL_UNKNOWN = "HealUnknown"
    SPLIT_BRAIN = "SplitBrain"
    VOLUME_NOT_STARTED = "VolumeNotStarted"
    VOLUME_IN_USE = "VolumeInUse"
    # engines: domain/engine/reasons.py
    ENGINE_UNREACHABLE = "EngineUnreachable"
    ENGINE_NOT_ANSWERING = "EngineNotAnswering"
    ENGINE_DOWN = "EngineDown"
    ENGINE_AGENT_SILENT = "EngineAgentSilent"
    ENGINE_BROKER_DOWN = "EngineBrokerDown"
    MAINTENANCE_LEFT_ON = "MaintenanceLeftOn"
    ENGINE_CERTIFICATE_NOT_PINNED = "EngineCertificateNotPinned"
    ENGINE_CERTIFICATE_MISMATCH = "EngineCertificateMismatch"
    ENGINE_LOGIN_REFUSED = "EngineLoginRefused"
    ENGINE_FORBIDS = "EngineForbids"
    ENGINE_BUSY = "EngineBusy"
    ENGINE_REFUSES = "EngineRefuses"
    ENGINE_FAILED = "EngineFailed"
    ENGINE_OBJECT_GONE = "EngineObjectGone"
    ENGINE_NAME_AMBIGUOUS = "EngineNameAmbiguous"
    ENGINE_REPLACED = "EngineReplaced"
    ENGINE_NOT_DECLARED = "EngineNotDeclared"
    MORE_THAN_ONE_ENGINE = "MoreThanOneEngine"
    WAITING_FOR_ENGINE = "WaitingForEngine"
    DATA_CENTER_NOT_READY = "DataCenterNotReady"
    ENGINE_CERTIFICATE_EXPIRES = "EngineCertificateExpires"
    HOSTS_NOT_UP = "HostsNotUp"
    ENGINE_HOST_NOT_OURS = "EngineHostNotOurs"
    ENGINE_HOST_NOT_UP = "EngineHostNotUp"
    ENGINE_HOST_NOT_OPERATIONAL = "EngineHostNotOperational"
    ENGINE_INSTALL_FAILED = "EngineInstallFailed"
    FENCE_AGENT_NOT_OURS = "FenceAgentNotOurs"
    FENCE_AGENT_FAILS = "FenceAgentFails"
    STORAGE_DOMAIN_DIFFERS = "StorageDomainDiffers"
    STORAGE_DOMAIN_BUSY = "StorageDomainBusy"
    STORAGE_DOMAIN_NOT_ACTIVE = "StorageDomainNotActive"
    # the deployment of an engine: domain/hosted_engine/reasons.py
    ENGINE_TOOLS_MISSING = "EngineToolsMissing"
    APPLIANCE_MISSING = "ApplianceMissing"
    ENGINE_NAME_WRONG = "EngineNameWrong"
    NAT_SUBNET_CLASHES = "NATSubnetClashes"
    INTERFACE_UNSUITABLE = "InterfaceUnsuitable"
    FIREWALL_NOT_RUNNING = "FirewallNotRunning"
    CPUS_DIFFER = "CPUsDiffer"
    ENGINE_VOLUME_NOT_READY = "EngineVolumeNotReady"
    ENGINE_VOLUME_NOT_EMPTY = "EngineVolumeNotEmpty"
    ENGINE_DEPLOYED_BEFORE = "EngineDeployedBefore"
    DEPLOYMENT_LEFTOVERS = "DeploymentLeftovers"
    DEPLOYMENT_FAILED = "DeploymentFailed"
    DEPLOYMENT_INTERRUPTED = "DeploymentInterrupted"
    ENGINE_BOOTSTRAP_FAILED = "EngineBootstrapFailed"
    FIRST_HOST_NOT_UP = "FirstHostNotUp"
    ENGINE_STORAGE_FAILED = "EngineStorageFailed"
    ENGINE_MACHINE_NOT_GOOD = "EngineMachineNotGood"
    BACKUP_UNUSABLE = "BackupUnusable"
    RESTORE_UNSAFE = "RestoreUnsafe"
    RESTORE_FAILED = "RestoreFailed"
    # backups of an engine: domain/hosted_engine/reasons.py
    BACKUP_PLACE_UNFIT = "BackupPlaceUnfit"
    BACKUP_NO_ROOM = "BackupNoRoom"
    BACKUP_FAILED = "BackupFailed"
    BACKUP_OLD = "BackupOld"
    # upgrades of an engine: domain/hosted_engine/reasons.py
    WAITING_FOR_BACKUP = "WaitingForBackup"
    ENGINE_UPGRADE_REFUSED = "EngineUpgradeRefused"
    ENGINE_UPGRADE_NOT_OFFERED = "EngineUpgradeNotOffered"
    ENGINE_UPGRADE_NO_ROOM = "EngineUpgradeNoRoom"
    ENGINE_UPGRADE_FAILED = "EngineUpgradeFailed"
    # file shares: domain/shares/reasons.py
    VOLUME_NOT_FOUND = "VolumeNotFound"
    VOLUME_OF_OTHER_PURPOSE = "VolumeOfOtherPurpose"
    VOLUME_SHARDED = "VolumeSharded"
    NO_FILE_SERVER = "NoFileServer"
    ADDRESS_IN_USE = "AddressInUse"
    ACCOUNT_UNKNOWN = "AccountUnknown"
    ACCOUNT_DIFFERS = "AccountDiffers"
    FILE_SHARES_DIFFER = "FileSharesDiffer"
    LOCK_VOLUME_MISSING = "LockVolumeMissing"
    LOCK_NOT_MOUNTED = "LockNotMounted"
    CTDB_DIFFERS = "CTDBDiffers"
    CTDB_NOT_RUNNING = "CTDBNotRunning"
    CTDB_NODE_BANNED = "CTDBNodeBanned"
    CTDB_NODE_UNHEALTHY = "CTDBNodeUnhealthy"
    ADDRESS_NOT_ASSIGNED = "AddressNotAssigned"
    VOLUME_NOT_MOUNTED = "VolumeNotMounted"
    SAMBA_REFUSES = "SambaRefuses"
    SAMBA_NOT_SERVING = "SambaNotServing"
    DOMAIN_UNREACHABLE = "DomainUnreachable"
    DOMAIN_LOGON_REFUSED = "DomainLogonRefused"
    DOMAIN_JOIN_FORBIDDEN = "DomainJoinForbidden"
    DOMAIN_UNIT_MISSING = "DomainUnitMissing"
    DOMAIN_NAME_TAKEN = "DomainNameTaken"
    DOMAIN_TRUST_BROKEN = "DomainTrustBroken"
    DOMAIN_KEY_OLD = "DomainKeyOld"
    QUOTA_BELOW_USE = "QuotaBelowUse"
    FOLDER_FULL = "FolderFull"
    GANESHA_UNSOUND = "GaneshaUnsound"
    GANESHA_REFUSES = "GaneshaRefuses"
    GANESHA_NOT_SERVING = "GaneshaNotServing"
    KERBEROS_DOMAIN_MISSING = "KerberosDomainMissing"
    SERVICE_NAME_MISSING = "ServiceNameMissing"
    NOT_SUPPORTED = "NotSupported"
    # heretic itself: domain/reasons.py
    API_SERVER = "APIServer"
    INTERNAL_ERROR = "InternalError"


@dataclass(frozen=True, slots=True)
class Transient:
    """Likely to end by itself; tried again with growing pauses."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class NeedsUser:
    """Only a person can correct it; shown in ``Stalled``, and looked at again at each resync."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Bug:
    """Our own mistake; the traceback goes to the log, the user reads one sentence."""

    message: str

    @property
    def reason(self) -> Reason:
        """The one reason a bug has."""
        return Reason.INTERNAL_ERROR


Failure = Transient | NeedsUser | Bug


def mistake(error: Exception) -> Bug:
    """What is said of an exception that nobody expected; where it came from is for the log."""
    return Bug(f"a mistake of Heretic itself ({type(error).__name__}); the operator's log has the details")


_NO_CONTACT = frozenset({Reason.UNREACHABLE, Reason.CONNECTION_LOST})


def is_lost(failure: Failure) -> bool:
    """Whether a host gives no sign of life, so that what depends on it counts it as out.

    A host that answers and refuses is not lost, nor is one that nobody could ask: a key is missing, the name does not
    resolve, the API server does not answer, we made a mistake. What such a host does is not known.
    """
    return isinstance(failure, Transient) and failure.reason in _NO_CONTACT


def unobserved(node: str, failure: Failure) -> str:
    """What everybody who depends on a host says when it cannot be observed; the rest is its Node's to tell."""
    return f"{node} cannot be observed ({failure.reason.value}; see Node {node})"


class HereticError(Exception):
    """Carries a Failure across a boundary that cannot return one.

    Attributes:
        failure: The classified failure.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
