"""A backup out of which an engine is deployed."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import matching
from heretic.api.v1alpha1.common import Model

EngineVersion = Annotated[
    str,
    StringConstraints(max_length=5),
    matching("[1-9][0-9]?[.][0-9][0-9]?", "must be a version such as '4.5'"),
]

AbsolutePath = Annotated[
    str,
    StringConstraints(max_length=255),
    matching("/[-A-Za-z0-9_./+]+", "must be an absolute path such as '/root/engine.backup'"),
]


class EngineRestore(Model):
    """A restore: done once, and never again by this id."""

    id: Annotated[
        str,
        StringConstraints(max_length=32),
        matching(
            "[a-z](?:[-a-z0-9]*[a-z0-9])?",
            "must be a word of lower-case letters, digits and dashes that begins with a letter, such as 'flood-2026'",
        ),
    ] = Field(
        description=(
            "What this restore is called. Heretic does each one once, and records it in status.deployment.restored; "
            "for another one, give another id."
        )
    )
    file: AbsolutePath = Field(
        description=(
            "What engine-backup wrote, with scope all, as a file on the first host. The Secret of credentialsRef must "
            "hold the password of the engine that is in it."
        )
    )
    engine_version: EngineVersion | None = Field(
        default=None,
        description=(
            "Version of the engine in the appliance; it must be set where spec.selfHosted.appliance is, because a file "
            "does not tell it. Unset: that of the package ovirt-engine-appliance on the first host."
        ),
    )
