"""How several ports of a network are bonded."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from heretic.api.schema import Rule
from heretic.api.v1alpha1.common import Model


class BondMode(StrEnum):
    """Which ports of a bond carry what, in the kernel's words (rule:bond-modes)."""

    ACTIVE_BACKUP = "active-backup"
    BALANCE_XOR = "balance-xor"
    LACP = "802.3ad"
    ROUND_ROBIN = "balance-rr"


class TransmitHash(StrEnum):
    """By what of a packet its port is chosen, in the kernel's words."""

    LAYER2 = "layer2"
    LAYER2_3 = "layer2+3"
    LAYER3_4 = "layer3+4"


class LacpRate(StrEnum):
    """How often the partner is asked to tell that it is there, in the kernel's words."""

    SLOW = "slow"
    FAST = "fast"


_HASHING = (BondMode.BALANCE_XOR, BondMode.LACP)


class BondSpec(Model):
    """The bond of a network's ports. What is unset is left as the host has it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.transmitHash) || self.mode in ['balance-xor', '802.3ad']",
            message="`transmitHash` may not be specified when `mode` is neither 'balance-xor' nor '802.3ad'",
            holds=lambda bond: bond.transmit_hash is None or bond.mode in _HASHING,
        ),
        Rule(
            cel="!has(self.lacpRate) || self.mode == '802.3ad'",
            message="`lacpRate` may not be specified when `mode` is not '802.3ad'",
            holds=lambda bond: bond.lacp_rate is None or bond.mode is BondMode.LACP,
        ),
    )

    mode: BondMode = Field(
        default=BondMode.ACTIVE_BACKUP,
        description=(
            "active-backup: one port works, another takes over; any switch will do. balance-xor: all work; the switch "
            "must have a static group. 802.3ad: all work; the switch must speak LACP. balance-rr: all work, packets in "
            "turn; for the role Gluster alone, because guests cannot be behind it."
        ),
    )
    miimon: Annotated[int, Field(strict=True, ge=10, le=10000)] | None = Field(
        default=None, description="Milliseconds between two looks at the links of the ports."
    )
    transmit_hash: TransmitHash | None = Field(
        default=None, description="By what of a packet its port is chosen: layer2, layer2+3 or layer3+4."
    )
    lacp_rate: LacpRate | None = Field(
        default=None, description="How often the switch tells that it is there: slow, each 30 s, or fast, each second."
    )
