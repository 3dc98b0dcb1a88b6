"""From where guests get the addresses of their network cards, and how things in the engine may be called."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, matching
from heretic.api.v1alpha1.common import Model

_NAME = "[A-Za-z0-9_-]+"

EngineName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40),
    matching(_NAME, "must be 1 to 40 letters, digits, dashes and underscores, as the engine's names are"),
]
"""Name of something in the engine."""


def _is_in_order(one: "MacRange") -> bool:
    return one.first.lower() <= one.last.lower()


def _has_no_multicast(one: "MacRange") -> bool:
    return one.first[:2].lower() == one.last[:2].lower()


MacAddress = Annotated[
    str,
    StringConstraints(max_length=17),
    matching(
        "[0-9a-fA-F][02468aceACE](?::[0-9a-fA-F]{2}){5}",
        "must be a MAC address of one card, such as '02:00:00:00:00:01': six pairs of digits, the first pair even",
    ),
]


class MacRange(Model):
    """Addresses from one to another, both of them too."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.from.lowerAscii() <= self.to.lowerAscii()",
            message="`from` must not be greater than `to`",
            holds=_is_in_order,
        ),
        Rule(
            cel=(
                "self.from.size() < 2 || self.to.size() < 2 || "
                "self.from.lowerAscii().substring(0, 2) == self.to.lowerAscii().substring(0, 2)"
            ),
            message="`from` and `to` must begin with the same two digits: multicast addresses would lie between",
            holds=_has_no_multicast,
        ),
    )

    first: MacAddress = Field(alias="from", description="First address, such as 02:00:00:00:00:00.")
    last: MacAddress = Field(alias="to", description="Last address.")


class EngineMacPool(Model):
    """From where guests get the addresses of their network cards."""

    name: EngineName = Field(
        description="Its name in the engine. One of another name is made where it is missing; Default is there already."
    )
    ranges: Annotated[list[MacRange], Field(min_length=1, max_length=32)] = Field(
        description=(
            "The addresses that it gives. No other site that its guests' networks reach may give the same ones."
        )
    )
    allow_duplicates: bool = Field(
        default=False, strict=True, description="Whether two guests may have one address, which breaks most networks."
    )
