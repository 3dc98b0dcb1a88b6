"""From the JSON schema of a model to the structural schema that a CRD may hold.

Pydantic speaks full JSON schema; a CRD takes a part of OpenAPI v3 without references and combinators
(apiextensions.k8s.io/v1 "structural schema"). What cannot be said in it is an error here, at generation, and not
at the API server of a user.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from heretic.api.schema import VALIDATIONS

Schema = dict[str, Any]

_COPIED = (
    "type",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    VALIDATIONS,
)
_HANDLED = {"description", "default", "properties", "items", "additionalProperties", "title", "$defs"}


class NotStructuralError(ValueError):
    """A model says something that a CRD cannot hold; the message names the place."""


def structural(schema: Mapping[str, Any], defs: Mapping[str, Schema], *, defaults: bool, path: str = "") -> Schema:
    """Turns one JSON schema into a structural one.

    Args:
        schema: As pydantic made it.
        defs: What its references point at.
        defaults: Whether the API server shall fill in defaults; it does in a spec, and a status is only ours.
        path: Where in the object this is, for errors.

    Returns:
        A structural schema with keys in a fixed order.

    Raises:
        NotStructuralError: It uses what a CRD cannot hold.
    """
    flat = _resolve(schema, defs, path)
    foreign = set(flat) - set(_COPIED) - _HANDLED
    if foreign or "type" not in flat:
        raise NotStructuralError(f"{path or 'object'}: a CRD cannot hold {', '.join(sorted(foreign)) or 'no type'}")
    result: Schema = {"type": flat["type"]}
    if "description" in flat:
        result["description"] = _paragraphs(flat["description"])
    default = _said(flat.get("default"))
    if defaults and default is not None:
        result["default"] = default
    result |= {key: flat[key] for key in _COPIED[1:] if key in flat}
    match flat["type"]:
        case "object":
            result |= _object(flat, defs, defaults, path)
        case "array":
            result.setdefault("x-kubernetes-list-type", "atomic")
            result["items"] = structural(flat["items"], defs, defaults=defaults, path=f"{path}[]")
        case "integer":
            result.setdefault("format", "int32")
    return result


def _resolve(schema: Mapping[str, Any], defs: Mapping[str, Schema], path: str) -> Schema:
    """Puts what a reference points at in its place; "X or null" becomes X: an unset field is left out."""
    rest = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf")}
    inner: Mapping[str, Any] = {}
    if "$ref" in schema:
        inner = _resolve(defs[schema["$ref"].removeprefix("#/$defs/")], defs, path)
    elif "anyOf" in schema:
        choices = [choice for choice in schema["anyOf"] if choice != {"type": "null"}]
        if len(choices) != 1:
            raise NotStructuralError(f"{path}: a CRD cannot hold a choice between types")
        inner = _resolve(choices[0], defs, path)
    rules = [*inner.get(VALIDATIONS, []), *rest.get(VALIDATIONS, [])]
    return {**inner, **rest, **({VALIDATIONS: rules} if rules else {})}


def _paragraphs(text: str) -> str:
    """A docstring as kubectl explain wraps it best: one line a paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def _object(flat: Schema, defs: Mapping[str, Schema], defaults: bool, path: str) -> Schema:
    if "properties" in flat:
        return {
            "properties": {
                name: structural(field, defs, defaults=defaults, path=f"{path}.{name}")
                for name, field in flat["properties"].items()
            }
        }
    values = flat.get("additionalProperties")
    if not isinstance(values, dict):
        raise NotStructuralError(f"{path}: a CRD cannot hold an object without fields")
    return {"additionalProperties": structural(values, defs, defaults=defaults, path=f"{path}.*")}


def _said(default: Any) -> Any:
    """What a default says, whole, because the API server checks rules on it as it stands; None when nothing.

    An empty text, list or object says nothing: it is the same as a field that is not there.
    """
    if isinstance(default, dict):
        default = {name: value for name, raw in default.items() if (value := _said(raw)) is not None}
    return None if default in ("", [], {}) else default
