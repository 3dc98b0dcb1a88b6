"""Simulated systemd: services, and the mount units of bricks.

A mount unit exists once systemd was told to read its folder again, and mounts what its file says.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from heretic.domain.commands import Output
from heretic.domain.disks.units import escape
from sim.block_tools import Storage
from sim.machine import OK, Argv, Machine, failed, ok

UPTIME = 5000.0
_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,StateChangeTimestampMonotonic,Description"
)
_FOLDER = "/etc/systemd/system/"


@dataclass
class Unit:
    """One systemd unit.

    Attributes:
        fails: Whether starting it fails.
        changed: When its state changed, seconds since boot.
        description: As its file said when systemd last read it.
    """

    name: str
    active: str = "inactive"
    enabled: str = "disabled"
    result: str = "success"
    fails: bool = False
    changed: float = 0.0
    description: str = ""


@dataclass
class Systemd:
    """The units of one host."""

    storage: Storage
    units: dict[str, Unit] = field(default_factory=dict)

    def active(self, name: str) -> bool:
        """Whether a unit exists and is active."""
        return name in self.units and self.units[name].active == "active"

    def boot(self, machine: Machine) -> None:
        """Starts what is enabled, mounts first."""
        self.reload(machine)
        for unit in self.units.values():
            unit.active = "inactive"
        for unit in sorted(self.units.values(), key=lambda u: not u.name.endswith(".mount")):
            if unit.enabled == "enabled":
                self.start(machine, unit)

    def systemctl(self, machine: Machine, argv: Argv, stdin: str | None) -> Output | None:
        match argv[1:]:
            case ("show", "--no-pager", "-p", properties, *names) if properties == _PROPERTIES:
                return ok("\n".join(self._shown(machine, names)))
            case ("daemon-reload",):
                self.reload(machine)
                return OK
            case ("is-enabled", name):
                unit = self.units.get(name)
                return Output(int(unit is None or unit.enabled != "enabled"), f"{unit.enabled if unit else ''}\n", "")
            case ("is-active", name):
                unit = self.units.get(name)
                active = unit.active if unit else "inactive"
                return Output(0 if active == "active" else 3, f"{active}\n", "")
            case (("reset-failed" | "enable" | "start" | "restart" | "try-restart" | "reload") as verb, name):
                return self._do(machine, verb, name)
            case ("reenable", name):
                return self._do(machine, "enable", name)
            case ("show", "--property", "Description", "--value", name):
                return ok(f"{self.units[name].description if name in self.units else name}\n")
            case ("show", "--property", "UnitFileState", "--value", name):
                return ok(f"{self.units[name].enabled if name in self.units else ''}\n")
            case ("show", "--property", "ActiveState", "--value", name):
                return ok(f"{self.units[name].active if name in self.units else 'inactive'}\n")
            case ("disable", "--now", name) | ("disable", "--now", "--no-block", name):
                return self._disable(name)
        return None

    def _do(self, machine: Machine, verb: str, name: str) -> Output:
        if verb == "reset-failed" and "[" in name:  # a pattern; none of its matches need exist
            name = re.sub(r"\[(.)\]", r"\1", name)
            if name not in self.units:
                return OK
        unit = self.units.get(name)
        if unit is None:
            return failed(f"Failed to {verb} {name}: Unit {name} not found.", 5)
        if verb == "enable":
            unit.enabled = "enabled"
        elif verb == "reset-failed":
            unit.active = "inactive" if unit.active == "failed" else unit.active
        elif verb != "reload" and not (verb == "try-restart" and unit.active != "active"):
            return self.start(machine, unit)
        return OK

    def start(self, machine: Machine, unit: Unit) -> Output:
        unit.changed = UPTIME
        if unit.fails:
            unit.active, unit.result = "failed", "exit-code"
            return failed(f"Job for {unit.name} failed because the control process exited with error code.")
        if unit.name.endswith(".mount"):
            values = dict(re.findall(r"^(\w+)=(.*)$", machine.files[_FOLDER + unit.name].content, re.M))
            if values["Where"] not in self.storage.mounts:
                mounted = self.storage.mount(values["What"], values["Where"])
                if mounted.rc:
                    unit.active, unit.result = "failed", "exit-code"
                    return failed(f"Job for {unit.name} failed.")
        unit.active, unit.result = "active", "success"
        return OK

    def _disable(self, name: str) -> Output:
        unit = self.units.get(name)
        if unit is None:
            return failed(f"Failed to disable unit: Unit file {name} does not exist.")
        unit.enabled, unit.active = "disabled", "inactive"
        for target in [t for t in self.storage.mounts if f"{escape(t)}.mount" == name]:
            del self.storage.mounts[target]
        return OK

    def reload(self, machine: Machine) -> None:
        """Takes note of the mount units that are there, and forgets those that are not."""
        there = {p.removeprefix(_FOLDER) for p in machine.files if p.startswith(_FOLDER)}
        mounts = {name for name in there if name.endswith(".mount")}
        for name in [n for n in self.units if n.endswith(".mount") and n not in mounts]:
            del self.units[name]
        for name in mounts:
            said = re.search(r"^Description=(.*)$", machine.files[_FOLDER + name].content, re.M)
            self.units.setdefault(name, Unit(name)).description = said[1] if said else name

    def _shown(self, machine: Machine, names: list[str]) -> list[str]:
        known = self.units | {j.unit: _job_unit(j.unit, j.state) for j in machine.jobs.values()}
        known |= {f"{name}.timer": Unit(f"{name}.timer", "active", "transient") for name in machine.trials}
        shown: list[str] = []
        for name in names:
            if "*" in name:
                shown += [_show(u) for u in known.values() if fnmatchcase(u.name, name) and _loaded(u)]
            else:
                shown.append(_show(known[name]) if name in known else _missing(name))
        return shown


def _job_unit(name: str, state: str) -> Unit:
    return Unit(name, state, "transient", "exit-code" if state == "failed" else "success", changed=UPTIME)


def _loaded(unit: Unit) -> bool:
    return unit.active != "inactive" or unit.enabled == "enabled"


def _show(unit: Unit) -> str:
    sub = {"active": "running", "failed": "failed"}.get(unit.active, "dead")
    return (
        f"Id={unit.name}\nLoadState=loaded\nActiveState={unit.active}\nSubState={sub}\nUnitFileState={unit.enabled}\n"
        f"Result={unit.result}\nNRestarts=0\nStateChangeTimestampMonotonic={int(unit.changed * 1e6)}\n"
        f"Description={unit.description or unit.name}\n"
    )


def _missing(name: str) -> str:
    return (
        f"Id={name}\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n"
        f"Result=success\nNRestarts=0\nStateChangeTimestampMonotonic=0\nDescription={name}\n"
    )
