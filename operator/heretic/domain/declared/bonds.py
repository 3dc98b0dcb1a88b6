"""How a bond that is seen differs from a declared one."""

from collections.abc import Iterator
from typing import Protocol

from heretic.api.v1alpha1.bonds import BondSpec


class SeenBond(Protocol):
    """A bond in the kernel's words, as a host tells it or a Node has recorded it."""

    @property
    def mode(self) -> str:
        """Such as active-backup."""

    @property
    def miimon(self) -> int | None:
        """Milliseconds."""

    @property
    def transmit_hash(self) -> str:
        """By what of a packet its port is chosen."""

    @property
    def lacp_rate(self) -> str:
        """Of 802.3ad."""


def bond_differences(what: str, seen: SeenBond, declared: BondSpec) -> Iterator[str]:
    """One sentence for each option that is not as declared; what is not declared may be anything.

    Args:
        what: The bond, for a person.
        seen: As it is.
        declared: As it shall be.
    """
    pairs = (
        ("mode", seen.mode, declared.mode.value),
        ("miimon", seen.miimon, declared.miimon),
        ("transmitHash", seen.transmit_hash, declared.transmit_hash and declared.transmit_hash.value),
        ("lacpRate", seen.lacp_rate, declared.lacp_rate and declared.lacp_rate.value),
    )
    for option, there, wanted in pairs:
        if wanted is not None and there != wanted:
            yield f"{what} has the bond option {option} {there}, {wanted} is declared"
