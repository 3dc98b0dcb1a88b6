"""Conditions: how the state of an object is told to Kubernetes.

Every condition that a kind owns is set on every pass. ``Ready`` is computed from the others. ``Reconciling`` and
``Stalled`` are present only while true, and never both, as kstatus wants
(cli-utils pkg/kstatus, see docs/explanation/conditions.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from heretic.domain.errors import Reason


class State(StrEnum):
    """The three values of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class ConditionType(StrEnum):
    """Every condition type that Heretic sets."""

    READY = "Ready"
    SYNCED = "Synced"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PAUSED = "Paused"
    DRIFTED = "Drifted"
    DEGRADED = "Degraded"
    # Node
    REACHABLE = "Reachable"
    INSPECTED = "Inspected"
    CONFIGURED = "Configured"
    DISKS_READY = "DisksReady"
    MAINTENANCE = "Maintenance"
    ENGINE_MEMBER = "EngineMember"
    POWER_MANAGEMENT = "PowerManagement"
    WIRED = "Wired"
    # GlusterVolume
    BRICKS_READY = "BricksReady"
    STARTED = "Started"
    QUORATE = "Quorate"
    HEALED = "Healed"
    CAPACITY = "CapacityOK"
    STORAGE_DOMAIN_ACTIVE = "StorageDomainActive"
    # Site
    AVAILABLE = "Available"
    POOL_FORMED = "PoolFormed"
    N_PLUS_ONE = "NPlusOne"
    # Network
    IN_SYNC = "InSync"
    MTU_PROVED = "MtuProved"
    LOGICAL_NETWORK_READY = "LogicalNetworkReady"
    HOSTS_ATTACHED = "HostsAttached"
    # HostedEngine
    ENGINE_UP = "EngineUp"
    CLUSTER_READY = "ClusterReady"
    GLOBAL_MAINTENANCE = "GlobalMaintenance"
    BACKUP_FRESH = "BackupFresh"
    ENGINE_UPGRADED = "EngineUpgraded"
    # FileShare
    LOCK_READY = "LockReady"
    CTDB_READY = "CTDBReady"
    ADDRESSES_ASSIGNED = "AddressesAssigned"
    SERVED = "Served"
    # deletion
    DELETION_BLOCKED = "DeletionBlocked"


BAD_WHEN_TRUE = (ConditionType.STALLED, ConditionType.DEGRADED, ConditionType.DELETION_BLOCKED)
"""Types that tell of trouble while True, the most urgent first; the others are good while True, or neither."""

QUIET = frozenset({ConditionType.RECONCILING, ConditionType.SYNCED, ConditionType.DRIFTED, ConditionType.PAUSED})
"""Types that come and go in normal work, or repeat what another one says: no event tells of them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as a pass decided it; times and generations are added when it is written."""

    type: ConditionType
    state: State
    reason: Reason
    message: str


def merge(
    previous: Sequence[Mapping[str, Any]],
    current: Iterable[Condition],
    *,
    generation: int,
    now: str,
) -> list[dict[str, object]]:
    """Turns decided conditions into what is stored under ``status.conditions``.

    Args:
        previous: The stored list, from which times are kept where the status did not flip.
        current: All conditions of this pass; a type that is not among them is dropped.
        generation: The spec's generation that the pass worked with.
        now: The pass's time, RFC 3339, whole seconds, UTC.

    Returns:
        Dictionaries in a stable order: Ready first, then as given.
    """
    before = {c.get("type"): c for c in previous}
    merged: list[dict[str, object]] = []
    for c in sorted(current, key=lambda c: c.type is not ConditionType.READY):
        old = before.get(c.type.value, {})
        kept = old.get("lastTransitionTime") if old.get("status") == c.state.value else None
        merged.append(
            {
                "type": c.type.value,
                "status": c.state.value,
                "observedGeneration": generation,
                "lastTransitionTime": kept or now,
                "reason": c.reason.value,
                "message": c.message[:MAX_MESSAGE],
            }
        )
    return merged


MAX_MESSAGE = 4096
