"""glusterd as several simulated hosts share it: peers, volumes, brick processes, heal counts, quorum, transactions.

A GlusterPool is the network between hosts. Each host that was attached has its own glusterd, which is in a trusted
pool of one until it is probed. Brick processes live where their folder is mounted and carries the volume's id, as
real ones do. Output has the form that gluster 10.3 and 11.1 print; a verb, option or argument that is not known here is
refused.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from heretic.domain.commands import Output
from sim.gluster_answers import AnsweringPool
from sim.gluster_model import SimBrick, SimGlusterd, SimGlusterVolume
from sim.gluster_options import DEFAULTS_AT_CREATION, is_valid
from sim.gluster_xml import document, peer_xml
from sim.host_tools import StorageMachine
from sim.identity import made_up
from sim.machine import OK, Argv, File, Machine, failed, ok

INFO_FILE = "/var/lib/glusterd/glusterd.info"
DOWN = "Connection failed. Please check if gluster daemon is operational."


@dataclass
class GlusterPool(AnsweringPool):
    """All glusterds that can reach each other, and what they share.

    Attributes:
        locked: Name of a volume on which another transaction runs, or None.
        foreign: Host names of other machines that a glusterd has as peers, by Node.
        asked_to_heal: Volumes whose daemons were asked to look now, in order.
        unhealable: Volumes for which that does not help.
    """

    asked_to_heal: list[str] = field(default_factory=list)
    unhealable: set[str] = field(default_factory=set)

    # what a test does to the world

    def attach(self, machine: StorageMachine, peer_name: str | None = None) -> None:
        """Gives a host its glusterd."""
        name = machine.name
        glusterd = SimGlusterd(name, machine, peer_name or f"{name}.gluster.private", made_up(name, "glusterd"))
        self.nodes[name] = glusterd
        machine.tools["gluster"] = self._gluster
        machine.tools["flock"] = _flock
        machine.tools["pkill"] = lambda _machine, argv, _stdin: self._pkill(glusterd, argv)
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
        self.nodes[name].self_heal_lost.clear()
        for volume in self.volumes.values():
            for brick in volume.bricks:
                if brick.node == name:
                    brick.running = volume.state == "Started" and self._mounted(volume, brick)

    def kill_brick(self, volume: str, node: str) -> None:
        """A brick process dies."""
        for brick in self.volumes[volume].bricks:
            if brick.node == node:
                brick.running = False

    def reinstalled(self, name: str) -> None:
        """A host gets a new system: its glusterd has a new UUID, and no peers; the others still know the old one."""
        self.former.setdefault(name, self.nodes[name].uuid)
        self.nodes[name].uuid = str(uuid.uuid4())
        self.nodes[name].knows.clear()
        self.written_again(name)

    def given_back(self, name: str, identity: str) -> None:
        """A person gives a reinstalled host its UUID back, and lets it learn its peers."""
        self.former.pop(name)
        self.nodes[name].uuid = identity
        self.nodes[name].knows = {other: [self.nodes[other].peer_name] for other in self.nodes if other != name}
        self.written_again(name)

    def written_again(self, name: str) -> None:
        """glusterd's file holds what its UUID is now."""
        glusterd = self.nodes[name]
        glusterd.machine.files[INFO_FILE] = File(_info(glusterd), "0600")

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

    def _heal_now(self, name: str) -> Output:
        what = f"Launching heal operation to perform index self heal on volume {name} has been"
        if not all(self.nodes[brick.node].self_heal for brick in self.volumes[name].bricks):
            return failed(f"{what} unsuccessful:\nSelf-heal daemon is not running. Check self-heal daemon log file.")
        self.asked_to_heal.append(name)
        if name not in self.unhealable:
            self.heal()
        return ok(f"{what} successful \nUse heal info commands to check status.\n")

    # the programs

    def _gluster(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        glusterd = self.nodes[machine.name]
        if not glusterd.installed:
            return failed("gluster: not found", 127)
        if argv[1:2] != ("--mode=script",):
            return None
        if not glusterd.running:
            return failed(DOWN)
        machine.files.setdefault(INFO_FILE, File(_info(glusterd), "0600"))
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
            state = (1, "Probe Sent to Peer") if name in glusterd.settling else state
            former = self.former.get(name)
            heard = peer.running and not (former or self.unheard(name) or self.unheard(glusterd.name))
            body += peer_xml(former or peer.uuid, hostnames, heard, *state)
        for host in self.foreign.get(glusterd.name, ()):
            body += peer_xml(made_up(host, "glusterd"), [host], True, 3, "Peer in Cluster")
        return document(f"  <peerStatus>\n{body}  </peerStatus>\n" if body else "  <peerStatus/>\n")

    def _probe(self, glusterd: SimGlusterd, host: str) -> Output:
        target = self._named(host)
        if target is glusterd:
            return ok("peer probe: Probe on localhost not needed\n")
        if target is None or not target.running or self.unheard(target.name):
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
            case ["heal", name, "info", "summary", "--xml"]:
                return self._heal_summary(name)
            case ["heal", name] if name in self.volumes:
                return self._locked(name) or self._heal_now(name)
            case ["status", "all", "--xml"]:
                return self._status(glusterd, detail=False)
            case ["status", "all", "detail", "--xml"]:
                return self._status(glusterd, detail=True)
            case ["status", "all", "client-list"]:
                return self._client_list(self._started())
            case ["status", name, "client-list"] if name in self.volumes:
                return self._locked(name) or self._client_list([v for v in self._open() if v.name == name])
            case ["status", name, "detail"] if name in self.volumes:
                return self._locked(name) or self._bricks_detail(glusterd, name)
            case ["status", name, "shd", "--xml"]:
                return self._daemons(glusterd, name)
            case ["status", name, brick, "detail"]:
                return self._brick_detail(name, brick)
            case ["create", name, *words]:
                return self._create(glusterd, name, words)
            case ["set", name, *pairs]:
                return self._set(glusterd, name, pairs)
            case ["start", name]:
                return self._start(name, force=False)
            case ["start", name, "force"]:
                return self._start(name, force=True)
            case ["stop", name]:
                return self._stop(name)
            case ["delete", name]:
                return self._delete(glusterd, name)
        return None

    def _open(self) -> list[SimGlusterVolume]:
        return [v for v in self.volumes.values() if v.state == "Started"]

    def _locked(self, name: str) -> Output | None:
        if self.volumes[name].state != "Started":
            return failed(f"Volume {name} is not started")
        return self._transaction(name)

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
            mark = bool(arbiter) and number % replica == 0
            bricks.append(SimBrick(host, target.name, path, mark, host_uuid=target.uuid))
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

    def _set(self, glusterd: SimGlusterd, name: str, pairs: list[str]) -> Output | None:
        if len(pairs) % 2 or name not in self.volumes:
            return failed(f"volume set: failed: Volume {name} does not exist")
        blocked = self._transaction(name)
        if blocked:
            return blocked
        options = dict(zip(pairs[::2], pairs[1::2], strict=True))
        for option, value in options.items():
            if not is_valid(glusterd.machine.host.platform, option, value):
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
                if force and (folder := self._folder(brick)) is not None:
                    folder.volume_id = folder.volume_id or volume.id  # force marks what has no mark
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

    def _pkill(self, glusterd: SimGlusterd, argv: Argv) -> Output | None:
        if argv != ("pkill", "-f", "^(/usr)?/sbin/glusterfs .*--process-name glustershd( |$)"):
            return None
        if not glusterd.self_heal:
            return Output(1, "", "")
        glusterd.self_heal = False
        glusterd.self_heal_lost.clear()
        return OK


def _info(glusterd: SimGlusterd) -> str:
    version = glusterd.machine.host.platform.operating_version
    return f"UUID={glusterd.uuid}\noperating-version={version}\n"


def _flock(machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
    match argv:
        case ("flock", "-w", seconds, "/var/lib/glusterd", *rest) if seconds.isdecimal() and rest:
            program: Callable[[Machine, Argv, str | None], Output | None] = machine.tools[rest[0]]
            return program(machine, tuple(rest), stdin)
    return None
