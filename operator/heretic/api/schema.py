"""What a model says of its fields beyond types: rules, uniqueness, caps and printer columns.

Each is stated once and works twice: in the CRD, where the API server obeys it, and in the model, for manifests
that are read from a file. Rules are CEL with a sentence instead of bare patterns, because a person has to act on
the refusal. The combinators anyOf, oneOf, allOf and not are never used: unchanged values could then not be
ratcheted (rule:ratcheting).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from heretic.api.shorten import shorten

VALIDATIONS = "x-kubernetes-validations"


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation of one value; an annotation of a field, or an entry of ``Model.RULES``.

    Attributes:
        cel: For the API server; ``self`` is the value.
        message: "must …", "must not …"; fields in backquotes (rule:rule-messages).
        holds: The same in Python; None for a rule that compares with ``oldSelf``, which only the API server has.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None

    def as_validation(self) -> dict[str, str]:
        """The entry of x-kubernetes-validations."""
        return {"rule": self.cel, "message": self.message}

    def check(self, value: Any) -> Any:
        """The value, when the rule holds for it.

        Raises:
            ValueError: With the rule's message.
        """
        if self.holds is not None and not self.holds(value):
            raise ValueError(self.message)
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        json_schema[VALIDATIONS] = [*json_schema.get(VALIDATIONS, []), self.as_validation()]
        return json_schema


def matching(pattern: str, message: str) -> Rule:
    """A rule that the whole of a string matches a pattern.

    Args:
        pattern: In the common part of RE2 and Python, without anchors and single quotes.
        message: What the string must be, with an example.
    """
    return Rule(
        cel=f"self.matches(r'^(?:{pattern})$')",
        message=message,
        holds=lambda text: re.fullmatch(pattern, text) is not None,
    )


IMMUTABLE = "self == oldSelf"


def fixed_once_set(field: str, message: str) -> Rule:
    """A rule for a spec: an optional field may be set later, but then neither change nor go (rule:immutable-fields)."""
    kept = f"has(self.{field}) && self.{field} == oldSelf.{field}"
    return Rule(cel=f"!has(oldSelf.{field}) || ({kept})", message=message)


@dataclass(frozen=True, slots=True)
class Unique:
    """No two entries of a list are alike: by themselves, or by one field.

    The list is then of type set or map, so that server-side apply merges it by entry (rule:list-types).

    Attributes:
        by: The field that tells entries apart, empty for the whole entry.
    """

    by: str = ""

    def check(self, entries: Sequence[Any]) -> Sequence[Any]:
        """The entries, when no two are alike.

        Raises:
            ValueError: Names the one that is there twice.
        """
        keys = [getattr(entry, self.by) if self.by else entry for entry in entries]
        twice = next((key for i, key in enumerate(keys) if key in keys[:i]), None)
        if twice is not None:
            raise ValueError(f"must not list {str(twice)!r} twice")
        return entries

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        json_schema["x-kubernetes-list-type"] = "map" if self.by else "set"
        if self.by:
            json_schema["x-kubernetes-list-map-keys"] = [to_camel(self.by)]
        return json_schema


@dataclass(frozen=True, slots=True)
class Cap:
    """A bound on what Heretic itself writes: a longer value is cut when a status is dumped, never refused.

    Attributes:
        most: Characters of a text, entries of a list or a mapping.
    """

    most: int

    def cut(self, value: Any) -> Any:
        """As much of a value that is too long as may be stored; a text that was cut ends with an ellipsis."""
        if isinstance(value, dict):
            return dict(list(value.items())[: self.most])
        return shorten(value, self.most) if isinstance(value, str) else value[: self.most]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        cutting = core_schema.wrap_serializer_function_ser_schema(
            lambda value, serialize: serialize(value if len(value) <= self.most else self.cut(value)), schema=inner
        )
        return core_schema.no_info_after_validator_function(_unchanged, inner, serialization=cutting)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        json_schema = handler(schema)
        bounds = {"string": "maxLength", "array": "maxItems", "object": "maxProperties"}
        json_schema[bounds[json_schema["type"]]] = self.most
        return json_schema


def _unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``.

    Attributes:
        name: Its head.
        path: JSONPath into the object.
        description: What it shows.
        type: OpenAPI type of the value, "date" for an age.
        wide: Only with ``-o wide``.
    """

    name: str
    path: str
    description: str
    type: str = "string"
    wide: bool = False


def condition_column(type_: str, *, wide: bool = False) -> Column:
    """A column with the status of a condition."""
    path = f'.status.conditions[?(@.type=="{type_}")].status'
    return Column(type_, path, f"Status of the condition {type_}.", wide=wide)
