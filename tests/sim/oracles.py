"""What must hold at every moment, whatever is disturbed: the promises of docs/explanation/safety.md, over a World."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from heretic.main import Operator
from heretic.reconcile.gateway import API_SERVER, Effect
from heretic.reconcile.store import Key
from sim.blank_site import BlankSite
from sim.host_tools import StorageMachine
from sim.link_site import LinkSite
from sim.world import NAMESPACE, Object, World

DECLARED = frozenset({"PrepareDisk", "MakeFilesystem"})
"""Verbs of steps that can lose data and that a declaration covers."""

LINK_VERBS = frozenset({"SwitchPortOn", "AskPorts", "TryLinks", "ChangeLinks", "ConvertBond", "KeepLinks"})
"""Of steps that concern links."""

TAKEN_BACK_WITHIN = 151.0
"""Seconds after which NetworkManager has taken back what the host has not."""

SENT = ("Done", "Unchanged", "Started")


@dataclass(frozen=True)
class Tried:
    """A step that can lose data or interrupt, with what became of it."""

    effect: Effect
    outcome: str

    @property
    def sent(self) -> bool:
        return self.outcome.startswith(SENT)


def key_of(effect: Effect) -> Key:
    """The object for which an effect is."""
    return Key(*effect.object.split("/"))


def strangers(site: BlankSite) -> dict[str, str]:
    """What on the hosts is nobody's of ours to touch: disks with content, groups and volumes on them."""
    return {f"{name}:{what}": text for name, machine in site.machines.items() for what, text in _strange(machine)}


def _strange(machine: StorageMachine) -> list[tuple[str, str]]:
    storage = machine.storage
    groups = [group for group in storage.groups.values() if not any(tag.startswith("heretic") for tag in group.tags)]
    names = {group.name for group in groups}
    disks = [d for d in storage.disks.values() if d.mounted or d.group in names or (d.signature and not d.pv_uuid)]
    volumes = [volume for volume in storage.volumes.values() if volume.group in names]
    return [
        *((f"disk {disk.name}", repr(disk)) for disk in disks),
        *((f"group {group.name}", repr(group)) for group in groups),
        *((f"volume {volume.name}", repr(volume)) for volume in volumes),
    ]


class Oracles:
    """Watches one run of a World, from its beginning.

    Args:
        world: In which an operator may have been at work before.
    """

    def __init__(self, world: World) -> None:
        self.violations: list[str] = []
        self.tried: list[Tried] = []
        self._world = world
        self._strangers = strangers(world.site)
        self._effects = {name: len(machine.effects) for name, machine in world.site.machines.items()}
        self._fences: dict[str, tuple[int, str]] = {}
        self._replaced: dict[Operator, dict[str, int]] = {}

    def watch(self, operator: Operator) -> None:
        """Notes all that an operator does."""
        write = operator.audit.effect

        def effect(effect: Effect, *, outcome: str, seconds: float) -> None:
            write(effect, outcome=outcome, seconds=seconds)
            if effect.target != API_SERVER:
                self._step(operator, Tried(effect, outcome))

        operator.audit.effect = effect  # type: ignore[method-assign]

    def replaced(self, operator: Operator) -> None:
        """From now on nothing that this operator sends may have an effect."""
        self._replaced[operator] = {name: len(m.effects) for name, m in self._world.site.machines.items()}

    def look(self) -> list[str]:
        """Everything that must hold of the hosts now; also returns what was violated so far."""
        site = self._world.site
        now = strangers(site)
        self._say(
            f"{what} was touched: {now.get(what)}, it was {text}"
            for what, text in self._strangers.items()
            if now.get(what) != text
        )
        self._say(f"done twice: {effect}" for effect in site.destroyed_twice())
        self._say(f"refused: {argv}" for argv in site.refusals)
        for name, machine in site.machines.items():
            self._fence(name, machine.fence or "")
        return self.violations

    def _fence(self, host: str, text: str) -> None:
        words = text.split()
        token, cluster = (int(words[0]), words[1]) if words else (0, "")
        seen = self._fences.setdefault(host, (token, cluster))
        if token < seen[0]:
            self._say([f"the token of {host} went back from {seen[0]} to {token}"])
        if seen[1] not in ("", cluster):
            self._say([f"{host} changed its cluster from {seen[1]} to {cluster}"])
        self._fences[host] = (token, cluster)

    def _step(self, operator: Operator, tried: Tried) -> None:
        effect = tried.effect
        machine = self._world.site.machines[effect.target]
        begun = self._effects[effect.target]
        self._effects[effect.target] = len(machine.effects)
        if operator in self._replaced and len(machine.effects) > self._replaced[operator][effect.target]:
            self._say([f"a replaced operator did {effect.verb} on {effect.target}: {machine.effects[begun:]}"])
        if effect.risk != "Safe":
            self.tried.append(tried)
            if not tried.sent and "begun" in tried.outcome and len(machine.effects) > begun:
                self._say([f"{effect.verb} on {effect.target} was not begun, and did {machine.effects[begun:]}"])
        if effect.risk == "Destructive" and tried.sent and effect.verb not in DECLARED:
            self._approved(effect)
        self.look()

    def _approved(self, effect: Effect) -> None:
        obj = self._world.api.objects.get(key_of(effect))
        records = ((obj or {}).get("status") or {}).get("approvals") or []
        if not any(record["generation"] == effect.generation for record in records):
            self._say([f"{effect.verb} on {effect.target} ran, and no approval of it is recorded"])

    def _say(self, found: Iterable[str]) -> None:
        self.violations += [text for text in found if text not in self.violations]


class LinkOracles:
    """Watches the links of hosts: none ever needs a keyboard, and two are never disturbed at once.

    Args:
        site: Whose hosts they are.
    """

    def __init__(self, site: LinkSite) -> None:
        self.violations: list[str] = []
        self.looks = 0
        self._site = site

    def watch(self, operator: Operator) -> None:
        """Looks after each effect of an operator on links, and between each change and its proof."""
        write, on_try = operator.audit.effect, self._site.on_try

        def effect(effect: Effect, *, outcome: str, seconds: float) -> None:
            write(effect, outcome=outcome, seconds=seconds)
            if effect.verb in LINK_VERBS:
                self.look(f"{effect.verb} on {effect.target}")

        def tried(name: str) -> None:
            if self._site.machines[name].trials:
                self.look(f"the change of {name}")
            on_try(name)

        operator.audit.effect = effect  # type: ignore[method-assign]
        self._site.on_try = tried

    def look(self, when: str) -> None:
        """Everything that must hold of the hosts now."""
        self.looks += 1
        links = self._site.links.items()
        disturbed = [name for name, own in links if own.manager.checkpoint and own.manager.checkpoint.changed]
        disturbed += [name for name, _ in links if name not in disturbed and not self._site.reachable(name)]
        if len(disturbed) > 1:
            self.violations.append(f"after {when}: {', '.join(disturbed)} are disturbed at once")
        self._imagine(f"after {when} and {TAKEN_BACK_WITHIN:.0f} s", lambda: self._site.go(TAKEN_BACK_WITHIN))
        self._imagine(f"after {when} and a boot", self._boot)

    def _boot(self) -> None:
        for machine in self._site.machines.values():
            machine.reboot()

    def _imagine(self, when: str, happens: Callable[[], None]) -> None:
        """What would become of the hosts if nobody ever came again."""
        passed, restore = self._site.clock.passed, self._site.checkpoint()
        happens()
        lost = [name for name in self._site.links if not self._site.reachable(name)]
        self.violations += [f"{when}: {name} needs a keyboard" for name in lost]
        restore()
        # For the operator no time has passed.
        self._site.clock.passed = passed


def approve(world: World, key: Key, number: int) -> None:
    """Approves the pending plan of an object, if one waits, with a word that was not used before."""
    obj: Object | None = world.api.objects.get(key)
    plan = ((obj or {}).get("status") or {}).get("plan") or {}
    if plan.get("needsApproval"):
        world.api.patch(key, annotations={"hvp.ovirt.life/approve": f"{plan['hash']}.{number}"})


VOLUME = Key("GlusterVolume", NAMESPACE, "vmstore")
