"""What a simulated trusted pool answers when it is asked; nothing here changes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from heretic.domain.commands import Output
from sim.block_devices import Folder
from sim.gluster_model import SimBrick, SimGlusterd, SimGlusterVolume
from sim.gluster_xml import daemon_xml, document, envelope, result, tasks_xml
from sim.machine import failed, ok

PORT = 49152


@dataclass
class AnsweringPool:
    """The state of a pool, and its answers."""

    nodes: dict[str, SimGlusterd] = field(default_factory=dict)
    volumes: dict[str, SimGlusterVolume] = field(default_factory=dict)
    locked: str | None = None
    foreign: dict[str, list[str]] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    """UUIDs by which the peers of reinstalled hosts still know them."""
    unheard: Callable[[str], bool] = field(default=lambda name: False, repr=False)
    """Whether another host looks for one where it is not."""

    # what is so

    def members(self, name: str) -> list[SimGlusterd]:
        """A node and its peers that answer it."""
        me = self.nodes[name]
        if self.unheard(name):
            return [me]
        heard = (p for p in me.knows if self.nodes[p].running and p not in self.former and not self.unheard(p))
        return [me, *(self.nodes[p] for p in heard)]

    def _up(self, brick: SimBrick) -> bool:
        glusterd = self.nodes[brick.node]
        return (
            brick.running
            and glusterd.alive
            and brick.node not in self.former
            and not self.unheard(brick.node)
            and self._mounted(self._volume_of(brick), brick)
        )

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
            return document("  <volInfo>\n    <volumes>\n      <count>0</count>\n    </volumes>\n  </volInfo>\n")
        body = "".join(self._volume_xml(v) for _, v in sorted(self.volumes.items()))
        count = f"      <count>{len(self.volumes)}</count>\n"
        return document(f"  <volInfo>\n    <volumes>\n{body}{count}    </volumes>\n  </volInfo>\n")

    def _volume_xml(self, volume: SimGlusterVolume) -> str:
        bricks = "".join(
            f'          <brick uuid="{b.host_uuid}">{b.key}<name>{b.key}</name><hostUuid>'
            f"{b.host_uuid}</hostUuid><isArbiter>{int(b.arbiter)}</isArbiter></brick>\n"
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
                nodes += self._daemon_rows(glusterd, volume.name)
            tasks = "" if detail else tasks_xml(volume)
            body += (
                f"      <volume>\n        <volName>{volume.name}</volName>\n"
                f"        <nodeCount>{len(nodes)}</nodeCount>\n{''.join(nodes)}{tasks}      </volume>\n"
            )
        inner = f"    <volumes>\n{body}    </volumes>\n" if body else "    <volumes/>\n"
        return document(f"  <volStatus>\n{inner}  </volStatus>\n")

    def _daemons(self, glusterd: SimGlusterd, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None or volume.state != "Started":
            return ok(envelope(result(-1, 30800, f"Volume {name} is not started")))
        nodes = self._daemon_rows(glusterd, name)
        return document(
            f"  <volStatus>\n    <volumes>\n      <volume>\n        <volName>{name}</volName>\n"
            f"        <nodeCount>{len(nodes)}</nodeCount>\n{''.join(nodes)}      </volume>\n    </volumes>\n"
            "  </volStatus>\n"
        )

    def _daemon_rows(self, asked: SimGlusterd, volume: str) -> list[str]:
        daemons = [self.nodes[name] for name in sorted(self._seen(asked))]
        return [daemon_xml("localhost" if d is asked else d.peer_name, d, volume) for d in daemons]

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
            f"          <peerid>{brick.host_uuid}</peerid>\n          <status>{int(up)}</status>\n"
            f"          <port>{port}</port>\n          <ports>\n            <tcp>{port}</tcp>\n"
            f"            <rdma>N/A</rdma>\n          </ports>\n          <pid>{1000 if up else -1}</pid>\n"
            f"{room}        </node>\n"
        )

    def _heal_summary(self, name: str) -> Output:
        volume = self.volumes.get(name)
        if volume is None or volume.state != "Started" or not any(self._up(b) for b in volume.bricks):
            body = "  <healInfo>\n    <bricks/>\n  </healInfo>\n"
            said = f"{name}: Not able to fetch volfile from glusterd"
            return Output(251, envelope(body + result(-1, 5, said)), "")
        bricks = "".join(self._heal_xml(b) for b in volume.bricks)
        return ok(envelope(f"  <healInfo>\n    <bricks>\n{bricks}    </bricks>\n  </healInfo>\n" + result(0, 0, "")))

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

    def _client_list(self, volumes: list[SimGlusterVolume]) -> Output:
        text = ""
        for volume in volumes:
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
        return ok(f"Status of volume: {name}\n{self._detail(brick)}")

    def _bricks_detail(self, glusterd: SimGlusterd, name: str) -> Output:
        """Every brick of a volume that the asked glusterd reaches."""
        seen = self._seen(glusterd)
        bricks = [b for b in self.volumes[name].bricks if b.node in seen]
        return ok(f"Status of volume: {name}\n{''.join(self._detail(b) for b in bricks)}")

    def _detail(self, brick: SimBrick) -> str:
        return (
            f"{'-' * 78}\nBrick                : Brick {brick.key}\n"
            f"TCP Port             : {PORT if self._up(brick) else 'N/A':<20}\n"
            f"Online               : {'Y' if self._up(brick) else 'N':<20}\n"
        )
