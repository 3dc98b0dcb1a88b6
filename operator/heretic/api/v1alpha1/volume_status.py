"""What was seen of the parts of a volume: its bricks, and its heal."""

from pydantic import Field

from heretic.api.v1alpha1.common import StatusModel
from heretic.api.v1alpha1.values import Int64, Text


class BrickStatus(StatusModel):
    """One brick."""

    node: Text = Field(description="Name of the Node that holds it.")
    path: Text = Field(description="Its folder on that node.")
    arbiter: bool = Field(default=False, description="Whether it holds names and attributes only.")
    state: Text = Field(description="Up, Down, Missing or Unknown.")
    heal_pending: Int64 | None = Field(
        default=None, description="Entries that wait to be healed; missing: not known, which is not zero."
    )
    lv_uuid: Text = Field(default="", description="LVM's UUID of its logical volume, recorded once and kept.")
    filesystem_uuid: Text = Field(default="", description="UUID of its filesystem, recorded once and kept.")
    size: Text = Field(default="", description="Size of its filesystem.")
    free: Text = Field(default="", description="Free space in its filesystem, in percent.")


class HealProgress(StatusModel):
    """How the heal of a volume gets on."""

    entries: Int64 = Field(description="Entries that waited on all bricks when that was last known.")
    since: Text = Field(description="Since when there are that many, by the clock of the operator.")
