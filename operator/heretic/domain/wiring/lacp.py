"""Bonds whose switch has to work with them: 802.3ad, by LACP (rule:switch-first)."""

from dataclasses import dataclass

from heretic.api.v1alpha1.bonds import BondMode
from heretic.domain.host.interfaces import Interface
from heretic.domain.wiring.classify import PortFinding


@dataclass(frozen=True, slots=True)
class Conversion:
    """A bond that works, and becomes one of 802.3ad or is none any more.

    Attributes:
        bond: Its name.
        before: Its mode, in the kernel's words.
        after: The mode that it shall have.
    """

    bond: str
    before: str
    after: BondMode


def conversion(bond: Interface | None, after: BondMode) -> Conversion | None:
    """What its switch has to know of a change of a bond; None where it has to know nothing, or there is no bond yet.

    Args:
        bond: As it is.
        after: The mode that it shall have.
    """
    if bond is None or bond.bond is None or bond.bond.mode == after:
        return None
    modes = (bond.bond.mode, after.value)
    return Conversion(bond.name, bond.bond.mode, after) if BondMode.LACP in modes else None


def aggregate(bond: Interface | None, after: BondMode, name: str, ports: tuple[str, ...]) -> tuple[str, ...]:
    """The bond and its ports where they must have become one aggregate with the switch after a change; else none.

    A bond of 802.3ad that has lost its partner before is mended by its switch, and stops no other change.

    Args:
        bond: As it is; None = there is none yet.
        after: The mode that it shall have.
        name: Of the bond.
        ports: That it shall have.
    """
    is_one = bond is not None and bond.bond is not None and bond.bond.mode == BondMode.LACP
    alone = is_one and bond is not None and bond.bond is not None and not bond.bond.partner
    return (name, *ports) if after is BondMode.LACP and not alone else ()


TAKEN_BACK_BY_HOST = "it is taken back where it does not work"
"""How a change on trial ends."""


def what_the_switch_needs(
    host: str, change: Conversion, ports: tuple[PortFinding, ...], end: str = TAKEN_BACK_BY_HOST
) -> str:
    """What a person does at the switch before a bond is converted, and how it goes on.

    Args:
        host: Name of the Node.
        change: Of the bond.
        ports: Of the bond, with what their switch has said of itself.
        end: Who takes the change back, and when.
    """
    shown = ", ".join(f"{found.port.name} ({found.switch})" if found.switch else found.port.name for found in ports)
    return (
        f"{host}: {change.bond} of {shown} is {change.before} and shall be {change.after.value}. First "
        f"{_first(change)}. Then approve the plan of the Node: the change interrupts what the bond carries for "
        f"seconds; {end}"
    )


def _first(change: Conversion) -> str:
    if change.after is BondMode.LACP:
        return (
            "give exactly these ports of the switch one LACP group, which lets each of them work by itself until the "
            "host speaks LACP, too"
        )
    group = "have a static group for them ready" if change.after is BondMode.BALANCE_XOR else "dissolve it afterwards"
    return f"let these ports of the switch work by themselves where their LACP group hears no LACP, and {group}"


def told_of_aggregate(lost: tuple[str, ...], bond: str) -> str:
    """What the words say that a host has written down of an aggregate that did not come up; "" = they say nothing.

    Args:
        lost: The words.
        bond: Name of the bond.
    """
    if not bond or lost[:1] != (bond,):
        return ""
    if outside := lost[1:]:
        return f"{', '.join(outside)} did not join the aggregate of {bond} (LACP); see the group on the switch"
    return f"{bond} found no partner that speaks LACP; see the group on the switch"
