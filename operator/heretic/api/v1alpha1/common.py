"""What all kinds share: naming, metadata, modes, the stored form of conditions and plans."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

GROUP = "hvp.ovirt.life"
VERSION = "v1alpha1"

ObjectName = Annotated[
    str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
"""A name of another object in the same namespace."""


class Model(BaseModel):
    """A structural object: camelCase outside, snake_case inside, unknown fields refused, immutable."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Mode(StrEnum):
    """What Heretic may do for an object."""

    APPLY = "Apply"
    PLAN = "Plan"
    OBSERVE = "Observe"


class DeletionPolicy(StrEnum):
    """What becomes of the real thing when its object is deleted."""

    ORPHAN = "Orphan"
    DESTROY = "Destroy"


class CommonSpec(Model):
    """Fields that every spec has."""

    mode: Mode | None = Field(default=None, description="What Heretic may do for this object.")
    paused: bool = Field(default=False, description="Leave this object alone.")
    deletion_policy: DeletionPolicy = Field(default=DeletionPolicy.ORPHAN, description="On deletion.")


class StoredCondition(Model):
    """A condition as the API server stores it (metav1.Condition)."""

    type: str
    status: str
    observed_generation: int | None = None
    last_transition_time: str = ""
    reason: str = ""
    message: str = ""


class StoredStep(Model):
    """One step of the stored plan."""

    verb: str
    host: str
    risk: str
    arguments: dict[str, str] = {}
    why: str = ""


class StoredPlan(Model):
    """What Heretic does or would do next."""

    hash: str = ""
    needs_approval: bool = False
    steps: list[StoredStep] = []


class CommonStatus(Model):
    """Fields that every status has."""

    observed_generation: int = -1
    conditions: list[StoredCondition] = []
    summary: str = ""
    plan: StoredPlan | None = None
    last_approved_plan: str = ""


class Metadata(BaseModel):
    """The part of an object's metadata that Heretic reads."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    deletion_timestamp: str | None = None
    creation_timestamp: str | None = None
    annotations: dict[str, str] = {}
    labels: dict[str, str] = {}
    finalizers: list[str] = []


class Resource(BaseModel):
    """One object of our group as read from the API server or from a file."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    KIND: ClassVar[str]
    PLURAL: ClassVar[str]
    SHORT_NAMES: ClassVar[tuple[str, ...]]

    metadata: Metadata
