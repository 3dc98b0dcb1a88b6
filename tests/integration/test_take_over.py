"""A site that the version before made is taken over once: identities get recorded, and nobody is alarmed.

The hosts are simulated, the operator's loop, connections and scripts are real. Every status that is written on the way
is looked at, not only the last one.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from heretic.reconcile.gateway import Effect
from sim.blank_site import blank_site
from sim.version_before import forget_identities, leave_hosts
from sim.world import MemoryApi, Recorder, World

Object = dict[str, Any]

CALLS_A_PERSON = {("Stalled", "True"), ("Degraded", "True"), ("Available", "False"), ("Available", "Unknown")}


class Written:
    """Every status that an operator writes."""

    def __init__(self, api: MemoryApi, monkeypatch: pytest.MonkeyPatch) -> None:
        self.objects: list[Object] = []
        write = api.replace_status

        async def noted(plural: str, obj: Object) -> Object:
            self.objects.append(deepcopy(obj))
            return await write(plural, obj)

        monkeypatch.setattr(api, "replace_status", noted)

    def alarms(self) -> list[str]:
        """What would call a person, in the order in which it was written."""
        return [
            f"{obj['kind']} {obj['metadata']['name']}: {c['type']} {c['status']}, {c['reason']}: {c['message']}"
            for obj in self.objects
            for c in obj["status"]["conditions"]
            if (c["type"], c["status"]) in CALLS_A_PERSON
            or (c["type"] == "Ready" and c["status"] != "True" and c["reason"] != "Applying")
        ]


def missing(world: World) -> list[str]:
    """Identities that are recorded nowhere."""
    return [
        f"{key.kind} {key.name}: {field} of {item}"
        for key, obj in world.api.objects.items()
        for item, fields in identified(obj)
        for field in fields
        if not item.get(field)
    ]


def identified(obj: Object) -> Iterator[tuple[Object, tuple[str, ...]]]:
    status = obj["status"]
    yield from ((disk, ("wwn", "serial", "pvUuid", "vgUuid")) for disk in status.get("disks", []) if disk.get("use"))
    yield from ((brick, ("lvUuid", "filesystemUuid")) for brick in status.get("bricks", []))
    yield from ((peer, ("uuid",)) for peer in status.get("peers", []))


def warnings(world: World) -> list[str]:
    return [f"{e['reason']}: {e['message']}" for e in world.api.events if e["type"] == "Warning"]


async def test_a_site_of_the_version_before_is_taken_over_once_without_an_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = blank_site()
    async with World(site) as world:
        await world.start_operator()
        await world.run()
        await world.kill_operator()
        leave_hosts(site.machines.values())
        for obj in world.api.objects.values():
            forget_identities(obj)
        assert missing(world)
        mounted = {name: dict(m.storage.mounts) for name, m in site.machines.items()}
        written, recorder, before = Written(world.api, monkeypatch), Recorder(), len(warnings(world))

        await world.start_operator(recorder)
        await world.run(until=lambda: world.ready() and not missing(world))
        assert written.alarms() == []
        assert warnings(world)[before:] == []
        assert {name: dict(m.storage.mounts) for name, m in site.machines.items()} == mounted
        assert changes(recorder.effects) == {"MountBrick": 6}, "each unit is written anew, once"

        await world.kill_operator()
        later = Recorder()
        await world.start_operator(later)
        for _ in range(3):
            await world.round()
        assert later.effects == [], "once"
        assert written.alarms() == []
        assert site.refusals == []


def changes(effects: list[Effect]) -> dict[str, int]:
    assert not [e for e in effects if e.risk == "Destructive"]
    return {verb: sum(e.verb == verb for e in effects) for verb in {e.verb for e in effects}}
