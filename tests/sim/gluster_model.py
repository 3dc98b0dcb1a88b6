"""The parts of a simulated trusted pool: glusterds, volumes, bricks."""

from dataclasses import dataclass, field

from sim.host_tools import StorageMachine


@dataclass
class SimBrick:
    """One brick: "host:path", its Node's name and glusterd's UUID when it was made, and whether its process runs."""

    host: str
    node: str
    path: str
    arbiter: bool = False
    running: bool = False
    pending: int = 0
    split_brain: int = 0
    host_uuid: str = ""

    @property
    def key(self) -> str:
        return f"{self.host}:{self.path}"


@dataclass
class SimGlusterVolume:
    """One volume; state is Created, Started or Stopped."""

    name: str
    id: str
    replica: int
    arbiter: int
    bricks: list[SimBrick]
    options: dict[str, str]
    state: str = "Created"
    clients: dict[str, int] = field(default_factory=dict)
    tasks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def sets(self) -> list[list[SimBrick]]:
        return [self.bricks[i : i + self.replica] for i in range(0, len(self.bricks), self.replica)]


@dataclass
class SimGlusterd:
    """One host's glusterd.

    Attributes:
        alive: False = the host has no power; nothing on it runs.
        knows: Names by which it knows each peer: name of the Node → host names, first the primary.
        rejected: Peers that it calls rejected.
        settling: Peers that it has not taken for whole yet.
        self_heal: Whether its self-heal daemon runs.
        self_heal_lost: Volumes that the running daemon lost; a start by force does not bring them back.
        version: Of the package.
    """

    name: str
    machine: StorageMachine
    peer_name: str
    uuid: str
    alive: bool = True
    knows: dict[str, list[str]] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    settling: set[str] = field(default_factory=set)
    self_heal: bool = True
    self_heal_lost: set[str] = field(default_factory=set)

    @property
    def installed(self) -> bool:
        return "glusterfs-server" in self.machine.host.packages

    @property
    def running(self) -> bool:
        return self.alive and self.installed and self.machine.host.systemd.active("glusterd.service")
