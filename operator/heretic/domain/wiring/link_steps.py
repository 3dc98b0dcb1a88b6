"""Steps that configure the links of a host by NetworkManager: a trial first, then for good (rule:links-on-trial)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Action, Command, Expect, PutFile, Script, Trial
from heretic.domain.jobs import TRIAL_PREFIX
from heretic.domain.plan import HostStep, Outage, Risk
from heretic.domain.wiring.profiles import KEPT, TRIED, LinkProfile

TRIAL = f"{TRIAL_PREFIX}links"
SECONDS = 120
"""After which the host takes a change back. NetworkManager does it half a minute later, should the host have failed."""
_LATER = 30
_BUS = ("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager")
_ACTIVE = ("nmcli", "-g", "UUID", "connection", "show", "--active")


def key_of(profiles: tuple[LinkProfile, ...]) -> str:
    """Names exactly these profiles."""
    return hashlib.sha256(" ".join(profile.uuid for profile in profiles).encode()).hexdigest()[:16]


def _addresses(profiles: tuple[LinkProfile, ...]) -> Iterator[Command]:
    """A profile that is active says what a link was given; what was taken off it by hand it does not know."""
    for profile in profiles:
        show = ("ip", "-o", "addr", "show", "dev", profile.link)
        yield from (Command(show, expect=Expect.ONLY, text=f"* {a} *\n*", timeout=5) for a in profile.addresses)


def _is_written(profile: LinkProfile) -> Command:
    path = f"{KEPT}/{profile.file}"
    shown = f"{hashlib.sha256(profile.text.encode()).hexdigest()}  {path}"
    return Command(("sha256sum", path), expect=Expect.EQUALS, text=shown)


@dataclass(frozen=True, kw_only=True)
class TryLinks(HostStep):
    """Gives ports that carry nothing yet what is declared, on trial: a boot or a lost operator takes it back.

    Attributes:
        ports: Names of the ports.
        links: Names of the links that come up, in order.
        profiles: Theirs.
        before: Addresses of which those that answer before the change must answer after it.
        after: Addresses of which one must answer after it; none where nobody has answered on the ports.
        routers: Routers that the host has not yet; each must answer after it.
        fresh: Addresses that the host has not yet, and that nobody else may have; without prefix length.
        aggregate: A bond of 802.3ad and its ports, which must have become one aggregate with a switch; none = no such.
    """

    verb: ClassVar[str] = "TryLinks"

    ports: tuple[str, ...]
    links: tuple[str, ...]
    profiles: tuple[LinkProfile, ...] = field(repr=False)
    before: tuple[str, ...]
    after: tuple[str, ...]
    routers: tuple[str, ...] = ()
    aggregate: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()

    def _quiet(self) -> tuple[Command, ...]:
        """Nobody else changes links at the moment, and nobody has an address that comes new."""
        idle = Command(("busctl", "get-property", *_BUS, "Checkpoints"), expect=Expect.EQUALS, text="ao 0")
        return (idle, *((Command(("@unused", *self.fresh), timeout=8),) if self.fresh else ()))

    def guards(self) -> tuple[Command, ...]:
        """Nobody else changes links at the moment, and the ports still carry nothing."""
        free = (("ip", "-o", "addr", "show", "dev", port, "scope", "global") for port in self.ports)
        return (*self._quiet(), *(Command(argv, expect=Expect.EMPTY) for argv in free))

    def script(self) -> Script:
        """Files go where a boot forgets them; the proof ends the checkpoint, and looks once more after that."""
        active = Command(_ACTIVE, expect=Expect.CONTAINS, text="\n".join(profile.uuid for profile in self.profiles))
        there = (active, *_addresses(self.profiles))
        # What the switch does not do is the cause of who does not answer: it is asked first.
        lacp = (Command(("@aggregated", *self.aggregate), timeout=5),) if self.aggregate else ()
        answers = (Command(("@reached", *one), timeout=12) for one in (self.after, *((r,) for r in self.routers)))
        files = tuple(f"{TRIED}/{profile.file}" for profile in self.profiles)
        ups = (("nmcli", "-w", "10", "connection", "up", "uuid", profile.uuid) for profile in self.profiles)
        actions: tuple[Action, ...] = (
            Command(("@reach", *self.before), timeout=8),
            Command(("@checkpoint", str(SECONDS + _LATER)), timeout=8),
            *(PutFile(path, p.text, "0600") for path, p in zip(files, self.profiles, strict=True)),
            Command(("nmcli", "connection", "load", *files), timeout=8),
            *(Command(argv, timeout=12) for argv in ups),
        )
        destroy = Command(("busctl", "call", *_BUS, "CheckpointDestroy", "o", "/"), timeout=8)
        return Script(
            done=there,
            guards=self.guards(),
            actions=actions,
            trial=Trial(
                name=TRIAL,
                revert=(Command(("@rollback", key_of(self.profiles)), timeout=50),),
                proof=(*there, *lacp, *answers, destroy, active),
                seconds=SECONDS,
            ),
        )


@dataclass(frozen=True, kw_only=True)
class ChangeLinks(TryLinks):
    """The same for ports that carry something: what they carry is interrupted for seconds."""

    verb: ClassVar[str] = "ChangeLinks"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    @property
    def outage(self) -> Outage:
        """Bricks and guests of the host may lose the others until the change is proved or taken back."""
        return Outage(self.host, 2 * SECONDS, ends_with_step=True)

    def guards(self) -> tuple[Command, ...]:
        """The ports may carry something."""
        return self._quiet()


@dataclass(frozen=True, kw_only=True)
class ConvertBond(ChangeLinks):
    """The same for a bond that becomes one of 802.3ad or is none any more: the switch is ready (rule:switch-first).

    Attributes:
        bond: Its name.
        modes: Its mode before, and after.
    """

    verb: ClassVar[str] = "ConvertBond"

    bond: str
    modes: tuple[str, str]

    @property
    def needs_approval(self) -> bool:
        """Only a person knows what the switch is set up for."""
        return not self.declared


@dataclass(frozen=True, kw_only=True)
class KeepLinks(HostStep):
    """Writes links that were proved where a boot reads them. Nothing is brought up or down.

    Attributes:
        links: Their names.
        profiles: Theirs.
    """

    verb: ClassVar[str] = "KeepLinks"

    links: tuple[str, ...]
    profiles: tuple[LinkProfile, ...] = field(repr=False)

    def script(self) -> Script:
        """Only what no trial can take back any more, and was not taken back; an edited file is written again."""
        kept = "\n".join(f"{profile.uuid}:{KEPT}/{profile.file}" for profile in self.profiles)
        trial = ("systemctl", "show", "-p", "ActiveState", "--value")
        uuids = "\n".join(profile.uuid for profile in self.profiles)
        return Script(
            done=(
                Command(("nmcli", "-g", "UUID,FILENAME", "connection", "show"), expect=Expect.CONTAINS, text=kept),
                *map(_is_written, self.profiles),
            ),
            guards=(
                Command((*trial, f"{TRIAL}.timer"), expect=Expect.EQUALS, text="inactive"),
                Command((*trial, f"{TRIAL}.service"), expect=Expect.EQUALS, text="inactive"),
                Command(_ACTIVE, expect=Expect.CONTAINS, text=uuids),
            ),
            actions=(
                *(PutFile(f"{KEPT}/{profile.file}", profile.text, "0600") for profile in self.profiles),
                Command(("rm", "-f", *(f"{TRIED}/{profile.file}" for profile in self.profiles))),
                Command(("nmcli", "connection", "reload")),
            ),
        )
