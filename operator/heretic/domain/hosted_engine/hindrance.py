"""What is in the way of an engine that shall be made, and the check of its name that every way of making one shares."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from heretic.domain.engine.site import LATER
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, Wait

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One thing that is in the way.

    Attributes:
        reason: From the closed list.
        message: What was found, and what to do about it.
    """

    reason: Reason
    message: str


def not_known(what: str, machine: str, fact: Fact[object]) -> Hindrance:
    """That something has to be known first.

    Args:
        what: It is.
        machine: Whose.
        fact: Why it is not known.
    """
    cause = fact.cause if isinstance(fact, Unknown) else "there was no answer"
    return Hindrance(Reason.NOT_OBSERVED, f"{what} of {machine} is not known: {cause}")


def told_at_once(found: tuple[Hindrance, ...]) -> Obstacle:
    """All of it in one message; what needs a person first."""
    needs = [f for f in found if f.reason not in (Reason.NOT_OBSERVED, Reason.ENGINE_VOLUME_NOT_READY)]
    message = "; ".join(f.message for f in (*needs, *(f for f in found if f not in needs)))
    if needs:
        return Blocked(needs[0].reason, message)
    return Wait(found[0].reason, message, LATER)


@dataclass(frozen=True, slots=True)
class EngineNameSeen:
    """The engine's name, as a machine sees it.

    Attributes:
        fqdn: The name.
        address: That is declared for it; "" = none is.
        machine: Who was asked.
        addresses: What the name resolves to there; Absent where it does not.
        names: What the first of these is called; Absent where it has no name.
    """

    fqdn: str
    address: str
    machine: str
    addresses: Fact[tuple[str, ...]]
    names: Fact[tuple[str, ...]]


def name_hindrances(name: EngineNameSeen, wrong: Callable[[str], str]) -> Iterator[Hindrance]:
    """What is wrong with the name of an engine that shall be made.

    Args:
        name: As it was seen.
        wrong: Why the engine cannot have an address; "" = it can.
    """
    match name.addresses:
        case Absent() | Known(()):
            yield Hindrance(
                Reason.NAME_NOT_RESOLVED,
                f"{name.machine} cannot resolve {name.fqdn}. Enter it at the site's name server, forward and reverse",
            )
            return
        case Unknown():
            yield not_known(f"the address of {name.fqdn} by the name server", name.machine, name.addresses)
            return
    addresses = name.addresses.value
    for address in addresses:
        if why := wrong(address):
            yield Hindrance(Reason.ENGINE_NAME_WRONG, f"{name.fqdn} resolves to {address}, which {why}")
    if name.address and name.address not in addresses:
        said = ", ".join(addresses)
        yield Hindrance(
            Reason.ENGINE_NAME_WRONG,
            f"{name.fqdn} resolves to {said} on {name.machine}, and spec.address is {name.address}",
        )
    match name.names:
        case Known(names) if name.fqdn in names:
            pass
        case Unknown():
            yield not_known(f"the name of {addresses[0]} by the name server", name.machine, name.names)
        case names:
            said = ", ".join(names.value) if isinstance(names, Known) else "no name"
            yield Hindrance(
                Reason.ENGINE_NAME_WRONG,
                f"{addresses[0]} leads back to {said} and not to {name.fqdn}. Enter it in the reverse zone",
            )
