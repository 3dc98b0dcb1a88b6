"""From records to facts. Total: what cannot be understood makes the whole list Unknown, never a shorter one."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from heretic.domain.engine.facts import (
    OWN_MACHINE,
    AffinityLabel,
    AttachedDomain,
    ClusterNetwork,
    DataCenter,
    EngineCluster,
    EngineHost,
    EngineIdentity,
    Event,
    FencingFlags,
    LogicalNetwork,
    MacPool,
    News,
    StorageDomain,
)
from heretic.domain.engine.host_parts import HostedEngineRole, OwnMachine
from heretic.domain.engine.read_networks import attachment, interface
from heretic.domain.engine.record import (
    NotUnderstoodError,
    Record,
    flag,
    identifier,
    items,
    number,
    part,
    required,
    text,
)
from heretic.domain.facts import Fact, Known, Unknown

T = TypeVar("T")

EVENTS = 50
"""How many of the newest events a look asks for. Asking from the last index on would find nothing after a restore."""


def read_all(records: Sequence[Record], read: Callable[[Record], T]) -> Fact[tuple[T, ...]]:
    """All things of a list."""
    try:
        return Known(tuple(read(record) for record in records))
    except NotUnderstoodError as error:
        return Unknown(f"the engine's answer cannot be understood: {error}")


def identity(record: Record, authority: str) -> Fact[EngineIdentity]:
    """Which engine it is, from the root of the API.

    Args:
        record: The root.
        authority: Fingerprint of the certificates by which it was believed.
    """
    try:
        product = part(record, "product_info")
        if not isinstance(product, Mapping):
            return Unknown("what answers there does not say which product it is")
        return Known(
            EngineIdentity(
                instance=text(product, "instance_id") or authority,
                version=_version(product),
                time=_moment(record, "time"),
                authority=authority,
            )
        )
    except NotUnderstoodError as error:
        return Unknown(f"the engine's answer cannot be understood: {error}")


def _version(product: Record) -> str:
    """Engines before 4.0 told its parts alone."""
    told = text(product, "version.full_version")
    parts = [number(product, f"version.{name}") for name in ("major", "minor", "build", "revision")]
    return told or ".".join(str(one) for one in parts if one is not None)


def data_center(record: Record) -> DataCenter:
    """A data center."""
    return DataCenter(
        id=identifier(record),
        name=required(record, "name"),
        status=text(record, "status"),
        local=flag(record, "local"),
    )


def cluster(record: Record) -> EngineCluster:
    """A cluster; its networks where they were asked for."""
    networks = items(record, "networks")
    return EngineCluster(
        id=identifier(record),
        name=required(record, "name"),
        data_center=text(record, "data_center.id"),
        cpu_type=text(record, "cpu.type"),
        level=_level(record),
        gluster=flag(record, "gluster_service"),
        virt=flag(record, "virt_service"),
        fencing=_fencing(record),
        migration_policy=text(record, "migration.policy.id"),
        networks=None if networks is None else tuple(map(_cluster_network, networks)),
        mac_pool=text(record, "mac_pool.id"),
    )


def _fencing(record: Record) -> FencingFlags:
    return FencingFlags(
        enabled=flag(record, "fencing_policy.enabled"),
        spares_bricks=flag(record, "fencing_policy.skip_if_gluster_bricks_up"),
        spares_quorum=flag(record, "fencing_policy.skip_if_gluster_quorum_not_met"),
        spares_leases=flag(record, "fencing_policy.skip_if_sd_active.enabled"),
        spares_islands=flag(record, "fencing_policy.skip_if_connectivity_broken.enabled"),
        island_percent=number(record, "fencing_policy.skip_if_connectivity_broken.threshold"),
    )


def _cluster_network(record: Record) -> ClusterNetwork:
    usages = items(record, "usages")
    return ClusterNetwork(
        id=identifier(record),
        name=required(record, "name"),
        required=flag(record, "required"),
        usages=None if usages is None else frozenset(usages),
        status=text(record, "status"),
    )


def _level(record: Record) -> str:
    major, minor = number(record, "version.major"), number(record, "version.minor")
    return "" if major is None or minor is None else f"{major}.{minor}"


def host(record: Record) -> EngineHost:
    """A host; what it says of the engine's machine only where all content was asked for."""
    role, attached = part(record, "hosted_engine"), items(record, "network_attachments")
    interfaces = items(record, "nics")
    return EngineHost(
        id=identifier(record),
        name=required(record, "name"),
        address=required(record, "address"),
        status=required(record, "status"),
        detail=text(record, "status_detail"),
        cluster=text(record, "cluster.id"),
        networks_changing=flag(record, "network_operation_in_progress"),
        hosted_engine=_role(role) if isinstance(role, Mapping) else None,
        attachments=None if attached is None else tuple(map(attachment, attached)),
        interfaces=None if interfaces is None else tuple(map(interface, interfaces)),
        power_enabled=flag(record, "power_management.enabled"),
        kdump_detection=flag(record, "power_management.kdump_detection"),
        guests=number(record, "summary.total"),
    )


def _role(record: Record) -> HostedEngineRole:
    return HostedEngineRole(
        configured=flag(record, "configured"),
        active=flag(record, "active"),
        score=number(record, "score"),
        global_maintenance=flag(record, "global_maintenance"),
        local_maintenance=flag(record, "local_maintenance"),
    )


def network(record: Record) -> LogicalNetwork:
    """A network of a data center."""
    usages = items(record, "usages")
    return LogicalNetwork(
        id=identifier(record),
        name=required(record, "name"),
        data_center=text(record, "data_center.id"),
        vlan=number(record, "vlan.id"),
        mtu=number(record, "mtu"),
        for_machines=None if usages is None else "vm" in usages,
    )


def affinity_label(record: Record) -> AffinityLabel:
    """An affinity label; its hosts where they were asked for."""
    hosts = items(record, "hosts")
    return AffinityLabel(
        id=identifier(record),
        name=required(record, "name"),
        hosts=None if hosts is None else frozenset(required(one, "id") for one in hosts),
    )


def storage_domain(record: Record) -> StorageDomain:
    """A storage domain."""
    units = items(record, "storage.volume_group.logical_units")
    return StorageDomain(
        id=identifier(record),
        name=required(record, "name"),
        purpose=text(record, "type"),
        status=text(record, "status"),
        storage=text(record, "storage.type"),
        address=text(record, "storage.address"),
        path=text(record, "storage.path"),
        mount_options=text(record, "storage.mount_options"),
        units=None if units is None else frozenset(required(unit, "id") for unit in units),
        comment=text(record, "comment"),
        description=text(record, "description"),
        warning=number(record, "warning_low_space_indicator"),
        master=flag(record, "master"),
        available=number(record, "available"),
        used=number(record, "used"),
    )


def mac_pool(record: Record) -> MacPool:
    """A pool of MAC addresses."""
    ranges = items(record, "ranges")
    if ranges is None:
        raise NotUnderstoodError(f"MAC pool {text(record, 'name')} has no ranges")
    return MacPool(
        id=identifier(record),
        name=required(record, "name"),
        allow_duplicates=flag(record, "allow_duplicates"),
        ranges=frozenset((required(one, "from_").lower(), required(one, "to").lower()) for one in ranges),
    )


def own_machine(records: Sequence[Record]) -> Fact[OwnMachine | None]:
    """The engine's own machine among all: by its origin, for anybody can give a machine its name."""
    try:
        found = [
            OwnMachine(identifier(one), text(one, "host.id")) for one in records if text(one, "origin") == OWN_MACHINE
        ]
    except NotUnderstoodError as error:
        return Unknown(f"the engine's answer cannot be understood: {error}")
    if len(found) > 1:
        return Unknown(f"{len(found)} machines claim to be the engine's own")
    return Known(found[0] if found else None)


def attached_domain(record: Record) -> AttachedDomain:
    """A storage domain, from the list of a data center."""
    return AttachedDomain(
        id=identifier(record),
        name=required(record, "name"),
        status=required(record, "status"),
        master=flag(record, "master"),
    )


_SORTS = ("host", "storage_domain", "cluster", "data_center", "vm", "template")

_SSH_KEY = re.compile(r"((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?: .*)?", re.ASCII)


def ssh_key(text: str) -> Fact[str]:
    """The engine's public key, from a line as in authorized_keys."""
    found = _SSH_KEY.fullmatch(text.strip())
    return Known(f"{found[1]} {found[2]}") if found else Unknown("the engine gave something else than a public SSH key")


_SESSION = re.compile(r" using session '[^']*'")


def event(record: Record) -> Event:
    """An event."""
    index, code, own = number(record, "index"), number(record, "code"), text(record, "id")
    if index is None and own.isdecimal():
        index = int(own)  # an event's id is its index
    if index is None or code is None:
        raise NotUnderstoodError("an event has no index or no code")
    return Event(
        index=index,
        code=code,
        severity=text(record, "severity"),
        time=_moment(record, "time"),
        text=_SESSION.sub("", text(record, "description")),
        correlation=text(record, "correlation_id"),
        host=text(record, "host.id"),
        about=frozenset(sort for sort in _SORTS if text(record, f"{sort}.id")),
    )


def recent(records: Sequence[Record]) -> Fact[tuple[Event, ...]]:
    """Events in the order in which they happened."""
    told = read_all(records, event)
    return Known(tuple(sorted(told.value, key=lambda one: one.index))) if isinstance(told, Known) else told


def new_in(events: tuple[Event, ...], last: int | None) -> News:
    """What is new.

    Args:
        events: The newest, at most EVENTS, in the order in which they happened.
        last: Index of the newest event at the look before; None at the first look, for which nothing is new.
    """
    newest = events[-1].index if events else 0
    if last is None:
        return News((), newest, missed=False)
    if newest < last:  # the engine was restored from a backup: everything may be new
        return News(events, newest, missed=True)
    fresh = tuple(one for one in events if one.index > last)
    return News(fresh, newest, missed=len(fresh) >= EVENTS)


def _moment(record: Record, path: str) -> datetime | None:
    found = part(record, path)
    if found is not None and not isinstance(found, datetime):
        raise NotUnderstoodError(f"{path} is no moment: {found!r}")
    return found
