"""From a raw object (API server, YAML file) to its model, or to a message that names every wrong field."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from heretic.api.v1alpha1 import GROUP, VERSION, Resource

API_VERSION = f"{GROUP}/{VERSION}"


class InvalidResourceError(ValueError):
    """An object does not fit the model of its kind; the message names every wrong field.

    Attributes:
        problems: One "path: what is wrong" a field.
    """

    def __init__(self, title: str, problems: Sequence[str]) -> None:
        super().__init__(f"{title}: " + "; ".join(problems))
        self.problems = tuple(problems)


def parse_resource(models: Mapping[str, type[Resource]], kind: str, obj: Mapping[str, Any]) -> Resource:
    """Reads one object of our group.

    A field of ``status`` that this version does not know is left out: it was written by another version. An
    unknown field of ``spec`` is an error, because a setting that nobody obeys must not look accepted.

    Args:
        models: Of all kinds that there are, by the kind's name.
        kind: For example "Node".
        obj: The whole object as JSON or YAML gave it.

    Returns:
        The model of that kind.

    Raises:
        InvalidResourceError: The kind is not ours, the object is of another version, or fields are wrong.
    """
    model = models.get(kind)
    title = f"{kind} {_name(obj)}"
    if model is None:
        raise InvalidResourceError(title, [f"kind: must be one of {', '.join(models)}"])
    version = obj.get("apiVersion", API_VERSION)
    if version != API_VERSION:
        raise InvalidResourceError(title, [f"apiVersion: must be {API_VERSION}, not {version!r}"])
    known = {key: value for key, value in obj.items() if key in ("metadata", "spec") or (key == "status" and value)}
    try:
        return model.model_validate(known)
    except ValidationError as error:
        raise InvalidResourceError(title, [_problem(e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None


def _name(obj: Mapping[str, Any]) -> str:
    metadata = obj.get("metadata")
    return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""


def _problem(location: Sequence[int | str], kind: str, message: str) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    if kind == "extra_forbidden":
        message = "there is no such field"
    return f"{path or 'object'}: {message.removeprefix('Value error, ')}"
