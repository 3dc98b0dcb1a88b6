"""Upgrade of the engine: the version that it shall run, and how far that is."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import Cap, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.values import Attempt, Text


class EngineUpgrade(Model):
    """The version that the engine shall run."""

    version: Annotated[
        str,
        StringConstraints(max_length=16),
        matching("[1-9][0-9]?[.][0-9]{1,2}[.][0-9]{1,3}", "must be a version of three numbers such as '4.5.7'"),
    ] = Field(
        description=(
            "Version of oVirt that the engine shall run, such as 4.5.7: the one that the repositories of its machine "
            "offer. An older one is upgraded to it, after an approval. A newer one is never taken back. Hosts are left "
            "alone."
        )
    )
    attempt: Attempt = Field(
        default=1,
        description="Raise it by one to have an upgrade that failed tried again, once its cause is gone.",
    )


class EngineUpgradeStatus(StatusModel):
    """How far an upgrade is."""

    version: Text = Field(default="", description="To which version.")
    stage: Text = Field(default="", description="What is being done, or waited for.")
    offered: Text = Field(default="", description="Version that the repositories of the engine's machine offer.")
    failure: Annotated[str, Cap(2048)] = Field(default="", description="How it failed.")
