"""One manifest that the command line writes: an object, and remarks for its reader."""

from dataclasses import dataclass
from typing import Any

from heretic.api.parse import API_VERSION
from heretic.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object with remarks.

    Attributes:
        object: As YAML shall show it.
        remarks: Comment lines above it.
    """

    object: dict[str, Any]
    remarks: tuple[str, ...] = ()


def make(kind: str, namespace: str, name: str, spec: dict[str, Any], remarks: tuple[str, ...] = ()) -> Manifest:
    """A valid manifest.

    Args:
        kind: Of our group.
        namespace: Of the object; empty = as kubectl apply is told.
        name: Of the object.
        spec: Fields as YAML names them.
        remarks: Comment lines.

    Raises:
        ValueError: The API would refuse it; a mistake of the caller.
    """
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    made = {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
    KINDS.parse(kind, made)
    return Manifest(made, remarks)
