"""What all kinds share: naming, metadata, modes, the stored form of conditions and plans."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from heretic.api.schema import VALIDATIONS, Cap, Column, Rule, condition_column
from heretic.api.v1alpha1.values import LABEL, LONGEST_LABEL, Int64, Text

GROUP = "hvp.ovirt.life"
VERSION = "v1alpha1"


class _Base(BaseModel):
    """camelCase outside, snake_case inside, immutable."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    RULES: ClassVar[tuple[Rule, ...]] = ()
    """Rules over several fields."""

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        for rule in self.RULES:
            rule.check(self)
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler.resolve_ref_schema(handler(schema))
        if cls.RULES:
            json_schema[VALIDATIONS] = [rule.as_validation() for rule in cls.RULES]
        return json_schema


class Model(_Base):
    """A part of a spec: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class StatusModel(_Base):
    """A part of a status: fields that another version of Heretic wrote are left out."""

    model_config = ConfigDict(extra="ignore")


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

    mode: Mode | None = Field(
        default=None,
        description=(
            "What Heretic may do for this object. Apply: make it so and keep it so. Plan: change nothing, show in "
            "status.plan what Apply would do. Observe: change nothing, only report how the real thing is and "
            "differs; good for adopting what already runs. Unset: the mode of the Site."
        ),
    )
    paused: bool = Field(
        default=False,
        strict=True,
        description=(
            "Leave the real thing alone for now: go on observing and reporting, change nothing. On the Site it "
            "holds for every object of the namespace."
        ),
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.ORPHAN,
        description=(
            "What becomes of the real thing when this object is deleted. Orphan: it stays as it is and Heretic no "
            "longer looks after it. Destroy: it is removed with its data, after an approval that names the plan "
            "(`heretic approve`), and never while it is used."
        ),
    )


class StoredCondition(StatusModel):
    """A condition as the API server stores it (metav1.Condition)."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["type", "status", "lastTransitionTime", "reason", "message"]}
    )

    type: Annotated[str, Cap(316)] = Field(description="What is told, such as Ready or Degraded.")
    status: Annotated[str, Cap(7)] = Field(
        description="True, False or Unknown.", json_schema_extra={"enum": ["True", "False", "Unknown"]}
    )
    observed_generation: Int64 | None = Field(
        default=None, description="metadata.generation of the spec that this was decided for."
    )
    last_transition_time: Annotated[str, Cap(64)] = Field(
        default="", description="When the status last changed.", json_schema_extra={"format": "date-time"}
    )
    reason: Annotated[str, Cap(1024)] = Field(
        default="", description="One CamelCase word for programs; docs/reference/reasons.md lists them."
    )
    message: Annotated[str, Cap(4096)] = Field(default="", description="What is so, and what to do about it.")


class StoredStep(StatusModel):
    """One step of the stored plan."""

    verb: Text = Field(description="What is done, such as PrepareDisk.")
    target: Text = Field(
        default="", description="What it is done on: the name of a Node, or kind and name of another object."
    )
    risk: Text = Field(
        description=(
            "Safe: interrupts nothing. Disruptive: takes redundancy or a service away for a while, one node at a "
            "time. Destructive: can lose data; done only where the spec itself asks for it or a person approved "
            "it."
        )
    )
    arguments: Annotated[dict[str, Text], Cap(32)] = Field(default={}, description="What it is done with.")
    why: Annotated[str, Cap(4096)] = Field(default="", description="What was seen and what is declared.")
    needs_approval: bool = Field(default=False, description="Whether an approval of the plan covers it.")


class StoredPlan(StatusModel):
    """What Heretic does or would do next."""

    hash: Text = Field(
        default="",
        description=(
            "Names the steps that wait for an approval, or all of them where none does; `heretic approve` and the "
            "annotation take it."
        ),
    )
    needs_approval: bool = Field(
        default=False,
        description=(
            "Whether it waits for the annotation hvp.ovirt.life/approve with its hash, because a step can lose "
            "data that the spec does not cover."
        ),
    )
    steps: Annotated[list[StoredStep], Cap(64)] = Field(default=[], description="In order; the first 64 of them.")


class UsedApproval(StatusModel):
    """One approval that was used up."""

    word: Text = Field(description="The annotation's whole value; the same one does not count again.")
    generation: Int64 = Field(default=0, description="metadata.generation that it was given for.")
    at: Annotated[str, Cap(64)] = Field(
        default="",
        description="When it was recorded, right before the first step that it covers.",
        json_schema_extra={"format": "date-time"},
    )
    what: Text = Field(default="", description="What was approved.")


class CommonStatus(StatusModel):
    """Fields that every status has."""

    observed_generation: Int64 = Field(
        default=-1, description="metadata.generation of the spec that was last looked at; -1: none yet."
    )
    conditions: Annotated[
        list[StoredCondition],
        Cap(32),
        Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}),
    ] = Field(default=[], description="What is known; a type that is missing is unknown.")
    summary: Annotated[str, Cap(256)] = Field(
        default="", description="One line for people, shown by kubectl get; programs read conditions."
    )
    notes: Annotated[list[Annotated[str, Cap(4096)]], Cap(16)] = Field(
        default=[], description="What is worth knowing and nothing that is wrong, such as options that nobody declared."
    )
    plan: StoredPlan | None = Field(default=None, description="What is done next, or would be in mode Plan.")
    approvals: Annotated[list[UsedApproval], Cap(32)] = Field(
        default=[], description="Approvals that were used up, the newest last."
    )
    last_approved_plan: Text = Field(
        default="", description="Hash of the last approval that was used up by a version without `approvals`."
    )


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


READY = condition_column("Ready")
REASON = Column("Reason", '.status.conditions[?(@.type=="Ready")].reason', "Why it is Ready or not.", wide=True)
SYNCED = condition_column("Synced", wide=True)
MODE = Column("Mode", ".spec.mode", "Mode of this object; empty: that of the Site.", wide=True)
AGE = Column("Age", ".metadata.creationTimestamp", "Age of the object.", type="date")
SUMMARY = Column("Status", ".status.summary", "The state in one line.")


class Resource(_Base):
    """One object of our group as read from the API server or from a file."""

    model_config = ConfigDict(extra="ignore")

    KIND: ClassVar[str]
    PLURAL: ClassVar[str]
    SHORT_NAMES: ClassVar[tuple[str, ...]]
    COLUMNS: ClassVar[tuple[Column, ...]]
    """Of ``kubectl get``."""
    SELECTABLE: ClassVar[tuple[str, ...]] = ()
    """Paths that ``kubectl get --field-selector`` takes."""
    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"self.metadata.name.size() <= {LONGEST_LABEL} && self.metadata.name.matches(r'^(?:{LABEL})$')",
            message=(
                f"`metadata.name` must be at most {LONGEST_LABEL} lower-case letters, digits and dashes: it becomes "
                "part of host names and paths"
            ),
            holds=lambda resource: (
                re.fullmatch(LABEL, resource.metadata.name) is not None and len(resource.metadata.name) <= LONGEST_LABEL
            ),
        ),
    )

    metadata: Metadata
