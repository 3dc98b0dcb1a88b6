"""What steps bring to a host to change its links: a second reading of ``hosts/links.sh`` and ``hosts/ask_ports.py``."""

import json
from typing import TYPE_CHECKING, Any

from heretic.domain.commands import Output
from heretic.domain.wiring.manager import TAKEN_BACK
from heretic.domain.wiring.parse.asked import ASKED_FILE
from heretic.domain.wiring.profiles import TRIED
from sim.machine import OK, Argv, File, Machine, Tool, failed
from sim.network_manager import BUS
from sim.pings import ping

if TYPE_CHECKING:
    from sim.links import HostLinks

_LINKS = "/run/heretic/links"


class LinkFunctions:
    """The functions of one host.

    Args:
        host: Its links.
    """

    def __init__(self, host: "HostLinks") -> None:
        self.host = host

    @property
    def tools(self) -> dict[str, Tool]:
        """By name."""
        return {
            "@ask": self._ask,
            "@reach": self._reach,
            "@reached": self._reached,
            "@aggregated": self._aggregated,
            "@unused": self._unused,
            "@checkpoint": self._checkpoint,
            "@rollback": self._rollback,
            "ping": self._ping,
        }

    # ask_ports.py

    def _ask(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        request = json.loads(argv[2])
        links = {link.name: link for link in self.host.links()}
        told: dict[str, object] = {}
        for name in (*request["ports"], *request["listeners"]):
            if name in request["ports"] and (links[name].master or links[name].addresses):
                told[name] = {"error": "it has an address by now"}
                continue
            answers = self._answers(name, request["questions"]) if name in request["ports"] else []
            port = self.host.ports[name]
            hears = [
                [o, 0] for o in request["ports"] if o != name and port.wire and self.host.ports[o].wire == port.wire
            ]
            told[name] = {
                "mac": port.mac,
                "changes": port.changes,
                "answers": answers,
                "taken": {},
                "hears": sorted(hears),
                "lldp": {},
            }
        machine.files[ASKED_FILE] = File(f"{argv[1]} {json.dumps({'ports': told}, sort_keys=True)}\n")
        return OK

    def _answers(self, name: str, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        wire, found = self.host.ports[name].wire, []
        for question in questions:
            vlan, target = question["vlan"], question["target"]
            network = wire.networks.get(vlan, "") if wire else ""
            if network and self.host.answers(network, target):
                echo = bool(question["source"]) or ":" in target
                row = {"vlan": vlan, "target": target, "mac": "02:00:00:00:00:01", "echo": echo, "mtu": question["mtu"]}
                found.append(row)
        return found

    # paths

    def _ping(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        links = {a.partition("/")[0]: link for link in self.host.links() for a in link.addresses}
        return ping(argv, links, lambda own, target: links[own].mtu if self.host.reaches(target) else 0)

    # links.sh

    def _answering(self, addresses: tuple[str, ...]) -> list[str]:
        return [address for address in addresses if self.host.reaches(address)]

    def _reach(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        machine.files.pop(f"{_LINKS}/lost", None)
        machine.files[f"{_LINKS}/reached"] = File("".join(f"{a}\n" for a in self._answering(argv[1:])))
        active = machine.run(("nmcli", "-g", "UUID", "connection", "show", "--active"))
        machine.files[f"{_LINKS}/active"] = File(active.stdout)
        return active

    def _checkpoint(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        return machine.run(("busctl", "call", *BUS, "CheckpointCreate", "aouu", "0", argv[1], "6"))

    def _reached(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        before = machine.files.get(f"{_LINKS}/reached")
        if before is None:
            return Output(2, "", "")
        now = self._answering((*before.content.split(), *argv[1:]))
        lost = [address for address in before.content.split() if address not in now]
        if len(argv) > 1 and not set(argv[1:]) & set(now):
            lost += argv[1:]
        if not lost:
            return OK
        machine.files[f"{_LINKS}/lost"] = File(f"{' '.join(lost)}\n")
        return failed(f"no answer from {' '.join(lost)}")

    def _unused(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        found = self._answering(argv[1:])
        return failed(f"somebody has {' '.join(found)}") if found else OK

    def _aggregated(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        bond = next((link for link in self.host.links() if link.name == argv[1]), None)
        if bond is None:
            return Output(2, "", "")
        live = [name for name in argv[2:] if self.host.ports[name].carrier]
        heard = bool(bond.partner.strip("0:"))
        outside = [name for name in live if name not in bond.joined] if heard else []
        if heard and not outside:
            return OK
        machine.files[f"{_LINKS}/lost"] = File(f"{' '.join((bond.name, *outside))}\n")
        return failed(f"no LACP aggregate: {' '.join((bond.name, *outside))}")

    def _rollback(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        words = machine.run(("busctl", "get-property", *BUS, "Checkpoints")).stdout.split()
        for word in (w for w in words if w.startswith('"/')):
            machine.run(("busctl", "call", *BUS, "CheckpointRollback", "o", word.strip('"')))
        for path in [p for p in machine.files if p.startswith(f"{TRIED}/heretic-")]:
            del machine.files[path]
        machine.run(("nmcli", "connection", "reload"))
        active = machine.run(("nmcli", "-g", "UUID", "connection", "show", "--active")).stdout.split()
        for uuid in machine.files[f"{_LINKS}/active"].content.split():
            if uuid not in active:
                machine.run(("nmcli", "-w", "10", "connection", "up", "uuid", uuid))
        key, times, *_ = [*_content(machine, TAKEN_BACK).split(), "", ""]
        number = int(times) + 1 if key == argv[1] else 1
        machine.files[TAKEN_BACK] = File(f"{argv[1]} {number} {_content(machine, f'{_LINKS}/lost').strip()}\n")
        return OK


def _content(machine: Machine, path: str) -> str:
    return machine.files[path].content if path in machine.files else ""
