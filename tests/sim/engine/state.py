"""What the simulated engine remembers. Structures of the SDK, in which references are bare ids."""

from collections.abc import Callable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ovirtsdk4 import Struct

from sim.engine.domain_life import DomainLife, StorageLasting
from sim.engine.host_life import HostLife, Lasting
from sim.engine.render import EngineTime
from sim.engine.storage import StoragePlace
from sim.engine.timeline import Timeline
from sim.engine.vm_life import VmLasting, VmLife

Table = dict[str, Any]
Timer = tuple[datetime, Callable[[datetime], None]]


def wall_clock() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass
class SelfHosted:
    """What belongs to the engine itself, where its machine runs on the hosts that it rules.

    Attributes:
        vm: Id of its machine.
        domain: Id of the storage domain in which that lies.
        maintenance: Whether nobody watches over it.
    """

    vm: str
    domain: str
    maintenance: Timeline


@dataclass
class EngineState:
    """Everything that outlives a request.

    Attributes:
        now: Asked for the time.
        new_id: Asked for the id of something new.
        cluster_networks: By the ids of cluster and network.
        guests_of_networks: The name of a virtual machine that uses a network, by the network's id.
        build: The third number of its version.
        instance_id: Which engine this is.
        reachable: Addresses at which the engine reaches a host over SSH.
        broken: Addresses at which an installation fails.
        lives: The ways of hosts through their states, by their ids.
        lasting: How long states of new hosts last.
        nets: The networks of hosts, by their ids.
        ports: The network cards of hosts that will be added, by their addresses; two where nothing is said.
        gluster: What Gluster was like since when, by the ids of clusters.
        network_servers: Who listens behind network providers, by the URL.
        trusted: Certificates of authorities that clients had the engine import.
        cluster_providers: The network provider of a cluster, by the ids of both.
        host_providers: The one that a host was installed for.
        host_labels: The affinity labels of hosts: pairs of ids, in their order.
        updates: Addresses of hosts for which there are updates.
        heal_asked: When a client had the engine ask for entries that are not healed, by the ids of clusters.
        fence_check_fails: The proxy of a fence operation cannot find out about Gluster.
        devices: What switches hosts, by the address that a fence agent has.
        powered: When a host was switched last, by its id and the operation.
        timers: What the engine does by itself, and when.
        started: When it was started.
        monitored: When it last looked for what ails hosts.
        storage: What hosts reach, by `address:path` of a share or the id of a unit.
        attachments: The ways of storage domains in data centers, by the ids of both.
        storage_lasting: How long their states last.
        vm_lives: The ways of virtual machines through their states, by their ids.
        vm_lasting: How long states of new machines last.
        self_hosted: None: the engine runs elsewhere.
    """

    now: Callable[[], datetime] = wall_clock
    new_id: Callable[[], str] = lambda: str(uuid4())
    build: int = 7
    instance_id: str = "7b11f462-e92b-11f1-bfc5-02fc00000001"
    data_centers: Table = field(default_factory=dict)
    clusters: Table = field(default_factory=dict)
    mac_pools: Table = field(default_factory=dict)
    networks: Table = field(default_factory=dict)
    cluster_networks: dict[tuple[str, str], Any] = field(default_factory=dict)
    guests_of_networks: dict[str, str] = field(default_factory=dict)
    vnic_profiles: Table = field(default_factory=dict)
    affinity_groups: Table = field(default_factory=dict)
    affinity_labels: Table = field(default_factory=dict)
    providers: Table = field(default_factory=dict)
    hosts: Table = field(default_factory=dict)
    storage_domains: Table = field(default_factory=dict)
    vms: Table = field(default_factory=dict)
    jobs: Table = field(default_factory=dict)
    events: Table = field(default_factory=dict)
    reachable: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    lives: dict[str, HostLife] = field(default_factory=dict)
    lasting: Lasting = field(default_factory=Lasting)
    nets: dict[str, Any] = field(default_factory=dict)
    ports: dict[str, Any] = field(default_factory=dict)
    gluster: dict[str, list[Any]] = field(default_factory=dict)
    network_servers: dict[str, Any] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)
    cluster_providers: dict[str, str] = field(default_factory=dict)
    host_providers: dict[str, str] = field(default_factory=dict)
    host_labels: dict[tuple[str, str], None] = field(default_factory=dict)
    updates: set[str] = field(default_factory=set)
    heal_asked: dict[str, datetime] = field(default_factory=dict)
    fence_check_fails: bool = False
    fence_agents: Table = field(default_factory=dict)
    devices: dict[str, Any] = field(default_factory=dict)
    powered: dict[tuple[str, str], datetime] = field(default_factory=dict)
    timers: list[Timer] = field(default_factory=list)
    started: datetime = field(init=False)
    monitored: datetime = field(init=False)
    storage: dict[str, StoragePlace] = field(default_factory=dict)
    attachments: dict[tuple[str, str], DomainLife] = field(default_factory=dict)
    storage_lasting: StorageLasting = field(default_factory=StorageLasting)
    vm_lives: dict[str, VmLife] = field(default_factory=dict)
    vm_lasting: VmLasting = field(default_factory=VmLasting)
    self_hosted: SelfHosted | None = None

    def __post_init__(self) -> None:
        self.started = self.monitored = self.now()

    def at(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Does something at a moment, which is told to it."""
        self.timers.append((when, act))

    def settle(self) -> None:
        """Does what was due until now, in its order and as if at its time: the clock may have jumped."""
        while due := [timer for timer in self.timers if timer[0] <= self.now()]:
            first = min(due, key=lambda timer: timer[0])
            self.timers.remove(first)
            first[1](first[0])

    def time(self) -> EngineTime:
        """Now, as it is written in answers."""
        return EngineTime.fromtimestamp(self.now().timestamp(), UTC)

    def insert(self, table: Table, value: Any, key: str = "") -> Any:
        """Puts something new into a table, under its id; returns it."""
        value.id = key or self.new_id()
        table[value.id] = value
        return value


def named(table: Table, name: str) -> Any | None:
    """The entity of that name."""
    return next((value for value in table.values() if value.name == name), None)


def merged(old: Any, new: Any) -> Any:
    """A structure after an update: what the client sent, and the rest as it was.

    Structures inside are merged, too. Lists, and references to other entities, are replaced.
    """
    made = copy(old)
    for name, value in vars(new).items():
        if value is None or name in ("_href", "_id"):
            continue
        before = getattr(old, name)
        inside = isinstance(value, Struct) and type(before) is type(value) and getattr(value, "id", None) is None
        setattr(made, name, merged(before, value) if inside else deepcopy(value))
    return made
