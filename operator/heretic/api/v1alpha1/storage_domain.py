"""What is declared of a storage domain in the engine, wherever it lies, and what was seen of one."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import Rule, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.values import Text

HOSTED_STORAGE = "hosted_storage"
"""The domain in which the engine's own machine lies. The engine makes it, keeps it, and lets nobody else do so."""


class DomainFunction(StrEnum):
    """What a storage domain holds."""

    DATA = "Data"
    ISO = "ISO"
    EXPORT = "Export"


FUNCTION = (
    "What it holds. Data: disks of guests, and installation images uploaded as disks. ISO (installation images) and "
    "Export (guests on their way to another data center) are deprecated since oVirt 4.5 and go with a later version: "
    "use Data instead. A data center has one of each of these at most, after its first data domain."
)

StorageDomainName = Annotated[
    str,
    StringConstraints(max_length=50),
    matching(
        "[A-Za-z0-9_-]{1,50}", "must be 1 to 50 letters, digits, dashes and underscores, as the engine's names are"
    ),
    Rule(
        cel=f"self != '{HOSTED_STORAGE}'",
        message=f"must not be '{HOSTED_STORAGE}': that is the engine's own domain, which the engine keeps itself",
        holds=lambda name: name != HOSTED_STORAGE,
    ),
]
"""Name of a storage domain."""

OneLine = Annotated[
    str,
    StringConstraints(max_length=250),
    matching("[ -~]*", "must be one line of letters, digits and signs of ASCII"),
]


class DomainSettings(Model):
    """What can be set on every storage domain."""

    comment: OneLine = Field(default="", description="Comment in the engine. Unset: what is there stays.")
    description: OneLine = Field(default="", description="Description in the engine. Unset: what is there stays.")
    warning_low_space: Annotated[int, Field(strict=True, ge=0, le=100)] | None = Field(
        default=None,
        description=(
            "Percent of free space below which the engine warns, from 0 to 100. Unset: what is there stays; the engine "
            "begins with 10."
        ),
    )


class StorageDomainStatus(StatusModel):
    """A storage domain, as the engine sees it."""

    id: Text = Field(default="", description="The engine's id of it, recorded once and kept.")
    name: Text = Field(default="", description="Name in the engine.")
    state: Text = Field(default="", description="Active, Maintenance, Unattached, Locked and so on; empty: not known.")
    master: bool | None = Field(
        default=None, description="Whether it holds the metadata of the data center; missing: not known."
    )
