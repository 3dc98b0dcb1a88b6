"""glusterd as several simulated hosts share it: peers, volumes, brick processes, heal counts, quorum, transactions.

A GlusterPool is the network between hosts. Each host that was attached has its own glusterd, which is in a trusted
pool of one until it is probed. Brick processes live where their folder is mounted and carries the volume's id, as
real ones do. Output has the form that gluster 10.3 prints; a verb, option or argument that is not known here is
refused.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from heretic.domain.commands import Output
from sim.block_tools import Folder
from sim.gluster_options import DEFAULTS_AT_CREATION, is_valid
from sim.host_tools import StorageMachine
from sim.machine import OK, Argv, File, Machine, failed, ok

INFO_FILE = "/var/lib/glusterd/glusterd.info"
PORT = 49152
DOWN = "Connection failed. Please check if gluster daemon is operational."


@dataclass
class SimBrick:
    """One brick: "host:path", its Node's name, and whether its process runs."""

    host: str
    node: str
    path: str
    arbiter: bool = False
    running: bool = False
    pending: int = 0
    split_brain: int = 0

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
        self_heal: Whether its self-heal daemon runs.
        version: Of the package.
    """

    name: str
    machine: StorageMachine
    peer_name: str
    uuid: str
    alive: bool = True
    knows: dict[str, list[str]] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    self_heal: bool = True

    @property
    def installed(self) -> bool:
        return "glusterfs-server" in self.machine.host.packages

    @property
    def running(self) -> bool:
        return self.alive and self.installed and self.machine.host.systemd.active("glusterd.service")


@dataclass
class GlusterPool:
    """All glusterds that can reach each other, and what they share.

    Attributes:
        locked: Name of a volume on which another transaction runs, or None.
        foreign: Host names of other machines that a glusterd has as peers, by Node.
    """

    nodes: dict[str, SimGlusterd] = field(default_factory=dict)
    volumes: dict[str, SimGlusterVolume] = field(default_factory=dict)
    locked: str | None = None
    foreign: dict[str, list[str]] = field(default_factory=dict)

    # what a test does to the world

    def attach(self, machine: StorageMachine, peer_name: str | None = None) -> None:
        """Gives a host its glusterd."""
        name = machine.name
        glusterd = SimGlusterd(name, machine, peer_name or f"{name}.gluster.private", str(uuid.uuid4()))
        self.nodes[name] = glusterd
        machine.tools["gluster"] = self._gluster
        machine.tools["flock"] = _flock
        machine.tools["sleep"] = lambda _machine, argv, _stdin: OK if len(argv) == 2 and argv[1].isdecimal() else None
        machine.on_boot.append(lambda _machine: self.booted(name))

    def power_cut(self, name: str) -> None:
        """A host dies: its bricks vanish from every status."""
        self.nodes[name].alive = False
        for brick in self._bricks_on(name):
            brick.running = False

    def power_on(self, name: str) -> None:
        """A host comes back as after a boot."""
        self.nodes[name].alive = True
        self.nodes[name].machine.reboot()

    def booted(self, name: str) -> None:
        """glusterd starts the bricks of started volumes that it finds mounted."""
        self.nodes[name].self_heal = True
        for volume in self.volumes.values():
            for brick in volume.bricks:
                if brick.node == name:
                    brick.running = volume.state == "Started" and self._mounted(volume, brick)

    def kill_brick(self, volume: str, node: str) -> None:
        """A brick process dies."""
        for brick in self.volumes[volume].bricks:
            if brick.node == node:
                brick.running = False

    def write(self, volume: str, entries: int = 1) -> bool:
        """A client writes: bricks that run note what those that do not run miss.

        Returns:
            Whether the write was taken: every set it touches needs quorum.
        """
        found = self.volumes[volume]
        if not all(sum(self._up(b) for b in s) > len(s) // 2 for s in found.sets):
            return False
        for members in found.sets:
            if not all(self._up(b) for b in members):
                for brick in members:
                    brick.pending += entries if self._up(brick) else 0
        return True

    def heal(self) -> None:
        """The self-heal daemons finish what they can: sets whose bricks all run."""
        for volume in self.volumes.values():
            for members in volume.sets:
                if all(self._up(b) and self.nodes[b.node].self_heal for b in members):
                    for brick in members:
                        brick.pending = 0

    # what is so

    def members(self, name: str) -> list[SimGlusterd]:
        """A node and its peers that answer it."""
        me = self.nodes[name]
        return [me, *(self.nodes[p] for p in me.knows if self.nodes[p].running)]

    def _up(self, brick: SimBrick) -> bool:
        glusterd = self.nodes[brick.node]
        return brick.running and glusterd.alive and self._mounted(self._volume_of(brick), brick)

    def _volume_of(self, brick: SimBrick) -> SimGlusterVolume:
        return next(v for v in self.volumes.values() if any(b is brick for b in v.bricks))

    def _mounted(self, volume: SimGlusterVolume, brick: SimBrick) -> bool:
        folder = self._folder(brick)
        return folder is not None and folder.volume_id == volume.id

    def _folder(self, brick: SimBrick) -> Folder | None:
        return self.nodes[brick.node].machine.storage.folder(brick.path)

    def _bricks_on(self, name: str) -> Iterator[SimBrick]:
        return (b for v in self.volumes.values() for b in v.bricks if b.node == name)

    def _named(self, host: str) -> SimGlusterd | None:
        return next((n for n in self.nodes.values() if host in (n.peer_name, n.name)), None)

    # the programs

    def _gluster(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        glusterd = self.nodes[machine.name]
        if not glusterd.installed:
            return failed("gluster: not found", 127)
        if argv[1:2] != ("--mode=script",):
            return None
        if not glusterd.running:
            return failed(DOWN)
        machine.files.setdefault(INFO_FILE, File(f"UUID={glusterd.uuid}\noperating-version=100000\n", "0600"))
        match argv[2:]:
            case ("peer", "status", "--xml"):
                return self._peer_status(glusterd)
            case ("peer", "probe", host):
                return self._probe(glusterd, host)
            case ("volume", *rest):
                return self._volume(glusterd, rest)
        return None

    def _peer_status(self, glusterd: SimGlusterd) -> Output:
        body = ""
        for name, hostnames in glusterd.knows.items():
            peer = self.nodes[name]
            state = (6, "Peer Rejected") if name in glusterd.rejected else (3, "Peer in Cluster")
            body += _peer(peer.uuid, hostnames, peer.running, *state)
        for host in self.foreign.get(glusterd.name, ()):
            body += _peer(str(uuid.uuid5(uuid.NAMESPACE_DNS, host)), [host], True, 3, "Peer in Cluster")
        return _document(f"  <peerStatus>\n{body}  </peerStatus>\n" if body else "  <peerStatus/>\n")

    def _probe(self, glusterd: SimGlusterd, host: str) -> Output:
        target = self._named(host)
        if target is glusterd:
            return ok("peer probe: Probe on localhost not needed\n")
        if target is None or not target.running:
            said = "Probe returned with Transport endpoint is not connected"
            return failed(f"peer probe: failed: {said}")
        if target.name in glusterd.knows:
            names = glusterd.knows[target.name]
            if host not in names:
                names.append(host)
            return ok(f"peer probe: Host {host} port 24007 already in peer list\n")
        if target.knows or self.foreign.get(target.name):
            return failed(f"peer probe: failed: {host} is either already part of another cluster or having volumes")
        for member in self.members(glusterd.name):
            member.knows[target.name] = [host]
            # a probed node learns the prober by address until somebody probes that one by name
            known = member.peer_name if member is not glusterd else f"address-of-{member.name}"
            target.knows[member.name] = [known]
        return ok("peer probe: success\n")

    def _volume(self, glusterd: SimGlusterd, rest: list[str]) -> Output | None:
        match rest:
            case ["list"]:
                names = "".join(f"{name}\n" for name in sorted(self.volumes))
                return ok(names) if names else Output(0, "", "No volumes present in cluster\n")
            case ["info", "--xml"]:
                return self._info_xml()
            case ["info", name]:
                return self._info(name)
            case ["get", "all", "cluster.op-version", "--xml"]:
                return _document(_OP_VERSION)
            case ["heal", name, "info", "summary", "--xml"]:
                return self._heal_summary(name)
            case ["status", "all", "--xml"]:
                return self._status(glusterd, detail=False)
            case ["status", "all", "detail", "--xml"]:
                return self._status(glusterd, detail=True)
            case ["status", "all", "client-list"]:
                return self._client_list()
            case ["status", name, "shd", "--xml"]:
                return self._daemons(glusterd, name)
            case ["status", name, brick, "detail"]:
                return self._brick_detail(name, brick)
            case ["create", name, *words]:
                return self._create(glusterd, name, words)
            case ["set", name, *pairs]:
                return self._set(name, pairs)
            case ["start", name]:
                return self._start(name, force=False)
            case ["start", name, "force"]:
                return self._start(name, force=True)
            case ["stop", name]:
                return self._stop(name)
            case ["delete", name]:
                return self._delete(glusterd, name)
        return None

    def _transaction(self, name: str) -> Output | None:
        """Why a change of a volume cannot run now."""
        if self.locked == name:
            said = f"Another transaction is in progress for {name}. Please try again after some time."
            return failed(f"volume: failed: {said}")
        return None

    # changes

    def _create(self, glusterd: SimGlusterd, name: str, words: list[str]) -> Output | None:
        replica, arbiter = 1, 0
        if words[:1] == ["replica"]:
            replica, words = int(words[1]), words[2:]
        if words[:1] == ["arbiter"]:
            arbiter, words = int(words[1]), words[2:]
        if words[:2] != ["transport", "tcp"]:
            return None
        bricks: list[SimBrick] = []
        for number, word in enumerate(words[2:], 1):
            host, _, path = word.partition(":")
            target = self._named(host)
            if target is None or target not in self.members(glusterd.name):
                return failed(f"volume create: {name}: failed: Host {host} is not in 'Peer in Cluster' state")
            bricks.append(SimBrick(host, target.name, path, bool(arbiter) and number % replica == 0))
        return self._check_create(name, replica, bricks) or self._created(name, replica, arbiter, bricks)

    def _check_create(self, name: str, replica: int, bricks: list[SimBrick]) -> Output | None:
        said = ""
        if name in self.volumes:
            said = f"Volume {name} already exists"
        elif not bricks or len(bricks) % replica:
            said = "number of bricks is not a multiple of replica count"
        elif any(len({b.node for b in bricks[i : i + replica]}) < replica for i in range(0, len(bricks), replica)):
            said = "Multiple bricks of a replicate volume are present on the same server."
        for brick in bricks:
            folder = self._folder(brick)
            if folder is None:
                said = said or f"The brick {brick.key} is being created in the root partition."
            elif folder.volume_id:
                said = said or f"{brick.path} is already part of a volume"
        return failed(f"volume create: {name}: failed: {said}") if said else None

    def _created(self, name: str, replica: int, arbiter: int, bricks: list[SimBrick]) -> Output:
        identity = str(uuid.uuid4())
        for brick in bricks:
            folder = self._folder(brick)
            assert folder is not None
            folder.volume_id = identity
            folder.entries += 1
        options = dict(DEFAULTS_AT_CREATION) if replica > 1 else {}
        self.volumes[name] = SimGlusterVolume(name, identity, replica, arbiter, bricks, options)
        return ok(f"volume create: {name}: success: please start the volume to access data\n")

    def _set(self, name: str, pairs: list[str]) -> Output | None:
        if len(pairs) % 2 or name not in self.volumes:
            return failed(f"volume set: failed: Volume {name} does not exist")
        blocked = self._transaction(name)
        if blocked:
            return blocked
        options = dict(zip(pairs[::2], pairs[1::2], strict=True))
        for option, value in options.items():
            if not is_valid(option, value):
                return failed(f"volume set: failed: option : {option} does not exist\nDid you mean something else?")
        if "cluster.granular-entry-heal" in options and self.volumes[name].state != "Created":
            return failed(
                "volume set: failed: 'gluster volume set <VOLNAME> cluster.granular-entry-heal' is not supported"
            )
        self.volumes[name].options |= options
        return ok("volume set: success\n")

    def _start(self, name: str, *, force: bool) -> Output:
        volume = self.volumes.get(name)
        if volume is None:
            return failed(f"volume start: {name}: failed: Volume {name} does not exist")
        blocked = self._transaction(name)
        if blocked:
            return blocked
        if volume.state == "Started" and not force:
            return failed(f"volume start: {name}: failed: Volume {name} already started")
        volume.state = "Started"
        for brick in volume.bricks:
            glusterd = self.nodes[brick.node]
            if glusterd.running:
                brick.running = brick.running or self._mounted(volume, brick)
                glusterd.self_heal = True
        return ok(f"volume start: {name}: success\n")

    def _stop(self, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None or volume.state != "Started":
            return failed(f"volume stop: {name}: failed: Volume {name} is not in the started state")
        volume.state = "Stopped"
        for brick in volume.bricks:
            brick.running = False
        return ok(f"volume stop: {name}: success\n")

    def _delete(self, glusterd: SimGlusterd, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None:
            return failed(f"volume delete: {name}: failed: Volume {name} does not exist")
        if volume.state == "Started":
            return failed(f"volume delete: {name}: failed: Volume {name} has been started.Volume needs to be stopped")
        if len(self.members(glusterd.name)) <= len(glusterd.knows):
            return failed(f"volume delete: {name}: failed: Some of the peers are down")
        del self.volumes[name]
        return ok(f"volume delete: {name}: success\n")

    # answers

    def _info(self, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None:
            return failed(f"Volume {name} does not exist")
        sets, total = len(volume.sets), len(volume.bricks)
        full = f"({volume.replica - 1} + 1)" if volume.arbiter else str(volume.replica)
        count = f"{sets} x {full} = {total}" if volume.replica > 1 else str(total)
        lines = [
            " ",
            f"Volume Name: {name}",
            f"Type: {'Replicate' if volume.replica > 1 else 'Distribute'}",
            f"Volume ID: {volume.id}",
            f"Status: {volume.state}",
            "Snapshot Count: 0",
            f"Number of Bricks: {count}",
            "Transport-type: tcp",
            "Bricks:",
            *(f"Brick{i}: {b.key}{' (arbiter)' if b.arbiter else ''}" for i, b in enumerate(volume.bricks, 1)),
            "Options Reconfigured:",
            *(f"{option}: {value}" for option, value in volume.options.items()),
        ]
        return ok("".join(f"{line}\n" for line in lines))

    def _info_xml(self) -> Output:
        if not self.volumes:
            return _document("  <volInfo>\n    <volumes>\n      <count>0</count>\n    </volumes>\n  </volInfo>\n")
        body = "".join(self._volume_xml(v) for _, v in sorted(self.volumes.items()))
        count = f"      <count>{len(self.volumes)}</count>\n"
        return _document(f"  <volInfo>\n    <volumes>\n{body}{count}    </volumes>\n  </volInfo>\n")

    def _volume_xml(self, volume: SimGlusterVolume) -> str:
        bricks = "".join(
            f'          <brick uuid="{self.nodes[b.node].uuid}">{b.key}<name>{b.key}</name><hostUuid>'
            f"{self.nodes[b.node].uuid}</hostUuid><isArbiter>{int(b.arbiter)}</isArbiter></brick>\n"
            for b in volume.bricks
        )
        options = "".join(
            f"          <option>\n            <name>{name}</name>\n            <value>{escape(value)}</value>\n"
            "          </option>\n"
            for name, value in volume.options.items()
        )
        status = {"Created": 0, "Started": 1, "Stopped": 2}[volume.state]
        return (
            f"      <volume>\n        <name>{volume.name}</name>\n        <id>{volume.id}</id>\n"
            f"        <status>{status}</status>\n        <statusStr>{volume.state}</statusStr>\n"
            f"        <snapshotCount>0</snapshotCount>\n        <brickCount>{len(volume.bricks)}</brickCount>\n"
            f"        <distCount>{len(volume.sets)}</distCount>\n"
            f"        <replicaCount>{volume.replica}</replicaCount>\n"
            f"        <arbiterCount>{volume.arbiter}</arbiterCount>\n"
            "        <disperseCount>0</disperseCount>\n        <redundancyCount>0</redundancyCount>\n"
            f"        <type>2</type>\n        <typeStr>Replicate</typeStr>\n        <transport>0</transport>\n"
            f"        <bricks>\n{bricks}        </bricks>\n        <optCount>{len(volume.options)}</optCount>\n"
            f"        <options>\n{options}        </options>\n      </volume>\n"
        )

    def _seen(self, glusterd: SimGlusterd) -> set[str]:
        return {n.name for n in self.members(glusterd.name)}

    def _started(self) -> list[SimGlusterVolume]:
        """Volumes that a question for all of them is answered for; one that is locked is left out."""
        return [v for _, v in sorted(self.volumes.items()) if v.state == "Started" and v.name != self.locked]

    def _status(self, glusterd: SimGlusterd, *, detail: bool) -> Output:
        seen = self._seen(glusterd)
        body = ""
        for volume in self._started():
            nodes = [self._brick_xml(b, detail) for b in volume.bricks if b.node in seen]
            if not detail and volume.replica > 1:
                nodes += [
                    _daemon_xml("localhost" if n == glusterd.name else self.nodes[n].peer_name, self.nodes[n])
                    for n in sorted(seen)
                ]
            tasks = "" if detail else _tasks_xml(volume)
            body += (
                f"      <volume>\n        <volName>{volume.name}</volName>\n"
                f"        <nodeCount>{len(nodes)}</nodeCount>\n{''.join(nodes)}{tasks}      </volume>\n"
            )
        inner = f"    <volumes>\n{body}    </volumes>\n" if body else "    <volumes/>\n"
        return _document(f"  <volStatus>\n{inner}  </volStatus>\n")

    def _daemons(self, glusterd: SimGlusterd, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None or volume.state != "Started":
            return ok(_envelope(_result(-1, 30800, f"Volume {name} is not started")))
        nodes = [
            _daemon_xml("localhost" if n == glusterd.name else self.nodes[n].peer_name, self.nodes[n])
            for n in sorted(self._seen(glusterd))
        ]
        return _document(
            f"  <volStatus>\n    <volumes>\n      <volume>\n        <volName>{name}</volName>\n"
            f"        <nodeCount>{len(nodes)}</nodeCount>\n{''.join(nodes)}      </volume>\n    </volumes>\n"
            "  </volStatus>\n"
        )

    def _brick_xml(self, brick: SimBrick, detail: bool) -> str:
        up = self._up(brick)
        port = str(PORT) if up else "N/A"
        room = ""
        if detail:
            volume = next(
                (v for t, v in self.nodes[brick.node].machine.storage.mounts.items() if brick.path.startswith(f"{t}/")),
                None,
            )
            size = volume.size if volume else 0
            room = f"          <sizeTotal>{size}</sizeTotal>\n          <sizeFree>{size // 2}</sizeFree>\n"
        return (
            f"        <node>\n          <hostname>{brick.host}</hostname>\n          <path>{brick.path}</path>\n"
            f"          <peerid>{self.nodes[brick.node].uuid}</peerid>\n          <status>{int(up)}</status>\n"
            f"          <port>{port}</port>\n          <ports>\n            <tcp>{port}</tcp>\n"
            f"            <rdma>N/A</rdma>\n          </ports>\n          <pid>{1000 if up else -1}</pid>\n"
            f"{room}        </node>\n"
        )

    def _heal_summary(self, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None or volume.state != "Started" or not any(self._up(b) for b in volume.bricks):
            body = "  <healInfo>\n    <bricks/>\n  </healInfo>\n"
            said = f"{name}: Not able to fetch volfile from glusterd"
            return Output(251, _envelope(body + _result(-1, 5, said)), "")
        bricks = "".join(self._heal_xml(b) for b in volume.bricks)
        return ok(_envelope(f"  <healInfo>\n    <bricks>\n{bricks}    </bricks>\n  </healInfo>\n" + _result(0, 0, "")))

    def _heal_xml(self, brick: SimBrick) -> str:
        glusterd = self.nodes[brick.node]
        if not self._up(brick) or not glusterd.running:
            status = "Failed to process entries completely. (Transport endpoint is not connected)totalNumberOfEntries0"
            return (
                f'      <brick hostUuid="-">\n        <name>{brick.key}</name>\n        <status>{status}</status>\n'
                "      </brick>\n"
            )
        return (
            f'      <brick hostUuid="{glusterd.uuid}">\n        <name>{brick.key}</name>\n'
            "        <status>Connected</status>\n"
            f"        <totalNumberOfEntries>{brick.pending + brick.split_brain}</totalNumberOfEntries>\n"
            f"        <numberOfEntriesInHealPending>{brick.pending}</numberOfEntriesInHealPending>\n"
            f"        <numberOfEntriesInSplitBrain>{brick.split_brain}</numberOfEntriesInSplitBrain>\n"
            "        <numberOfEntriesPossiblyHealing>0</numberOfEntriesPossiblyHealing>\n      </brick>\n"
        )

    def _client_list(self) -> Output:
        text = ""
        for volume in self._started():
            daemons = {"glustershd": sum(n.self_heal and n.running for n in self.nodes.values())}
            counts = {name: n for name, n in ((daemons if volume.replica > 1 else {}) | volume.clients).items() if n}
            rows = "".join(f"{name:<48}{count:>16}\n" for name, count in counts.items())
            text += (
                f"Client connections for volume {volume.name}\n{'Name':<48}{'count':>16}\n{'-----':<48}{'------':>16}\n"
                f"{rows}\ntotal clients for volume {volume.name} : {sum(counts.values())} \n{'-' * 65}\n\n"
            )
        return ok(text)

    def _brick_detail(self, name: str, key: str) -> Output:
        volume = self.volumes.get(name)
        brick = next((b for b in volume.bricks if b.key == key), None) if volume else None
        if volume is None or volume.state != "Started" or brick is None:
            return failed(f"Volume {name} is not started")
        return ok(
            f"Status of volume: {name}\n{'-' * 78}\nBrick                : Brick {key}\n"
            f"TCP Port             : {PORT if self._up(brick) else 'N/A':<20}\n"
            f"Online               : {'Y' if self._up(brick) else 'N':<20}\n"
        )


def _flock(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    match argv:
        case ("flock", "-w", seconds, "/var/lib/glusterd", *rest) if seconds.isdecimal() and rest:
            program: Callable[[Machine, Argv, str | None], Output | None] = machine.tools[rest[0]]
            return program(machine, tuple(rest), stdin)
    return None


def _peer(identity: str, hostnames: list[str], connected: bool, state: int, text: str) -> str:
    names = "".join(f"        <hostname>{name}</hostname>\n" for name in hostnames)
    return (
        f"    <peer>\n      <uuid>{identity}</uuid>\n      <hostname>{hostnames[0]}</hostname>\n"
        f"      <hostnames>\n{names}      </hostnames>\n      <connected>{int(connected)}</connected>\n"
        f"      <state>{state}</state>\n      <stateStr>{text}</stateStr>\n    </peer>\n"
    )


def _daemon_xml(path: str, glusterd: SimGlusterd) -> str:
    up = glusterd.running and glusterd.self_heal
    return (
        f"        <node>\n          <hostname>Self-heal Daemon</hostname>\n          <path>{path}</path>\n"
        f"          <peerid>{glusterd.uuid}</peerid>\n          <status>{int(up)}</status>\n"
        "          <port>N/A</port>\n          <ports>\n            <tcp>N/A</tcp>\n            <rdma>N/A</rdma>\n"
        f"          </ports>\n          <pid>{2000 if up else -1}</pid>\n        </node>\n"
    )


def _tasks_xml(volume: SimGlusterVolume) -> str:
    if not volume.tasks:
        return "        <tasks/>\n"
    tasks = "".join(
        f"          <task>\n            <type>{kind}</type>\n            <id>{uuid.uuid4()}</id>\n"
        f"            <status>1</status>\n            <statusStr>{state}</statusStr>\n          </task>\n"
        for kind, state in volume.tasks
    )
    return f"        <tasks>\n{tasks}        </tasks>\n"


_OP_VERSION = """\
  <volGetopts>
    <count>1</count>
    <Opt>
      <Option>cluster.op-version</Option>
      <Value>100000</Value>
    </Opt>
  </volGetopts>
"""


def _result(code: int, number: int, said: str) -> str:
    error = f"  <opErrstr>{said}</opErrstr>\n" if said else "  <opErrstr/>\n"
    return f"  <opRet>{code}</opRet>\n  <opErrno>{number}</opErrno>\n{error}"


def _envelope(body: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<cliOutput>\n{body}</cliOutput>\n'


def _document(body: str) -> Output:
    return ok(_envelope(_result(0, 0, "") + body))
