"""The manifests that this version brings: the operator, an overlay of it, and its rights in one site.

They are read from manifests/, which is part of the package. CRDs come from the models themselves. A kustomization is
evaluated here as far as those in manifests/ need it; the tests hold the outcome against what kubectl makes of them.
"""

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from heretic.api.crd import crd
from heretic.cli.yaml_text import load_documents
from heretic.kinds import KINDS

Object = dict[str, Any]

_PACKAGE, _CHECKOUT = Path(__file__).parents[1], Path(__file__).parents[3]
FOLDER = next((path for path in (_PACKAGE / "manifests", _CHECKOUT / "manifests") if path.is_dir()), _PACKAGE)
"""manifests/: a wheel carries it inside of the package, a checkout has it beside the source root."""

CRDS = "crds"
"""Name of the folder that the models stand for."""

KNOWN = frozenset({"apiVersion", "kind", "resources", "patches", "labels"})
"""Fields of a kustomization that are understood here."""


def operator_objects(overlay: str | None) -> tuple[Object, ...]:
    """The CRDs and the operator, in the order in which they are applied.

    Args:
        overlay: Name of a folder below manifests/overlays; None = the operator as it is.
    """
    return tuple(_folder(FOLDER / "overlays" / overlay if overlay else FOLDER / "operator"))


def access_objects(namespace: str) -> tuple[Object, ...]:
    """The namespace of a site, and what the operator may do in it.

    Args:
        namespace: Of the site.
    """
    own: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    rights = _folder(FOLDER / "operator" / "site-access")
    return own, *({**o, "metadata": {**o["metadata"], "namespace": namespace}} for o in rights)


def _folder(folder: Path) -> list[Object]:
    (kustomization,) = load_documents((folder / "kustomization.yaml").read_text())
    unknown = set(kustomization) - KNOWN
    if unknown:
        raise ValueError(f"{folder}/kustomization.yaml uses {', '.join(sorted(unknown))}, which nobody evaluates here")
    objects = [obj for name in kustomization["resources"] for obj in _resource(folder, str(name))]
    for patch in kustomization.get("patches") or ():
        (laid,) = load_documents((folder / patch["path"]).read_text())
        objects = [_merged(obj, laid) if _key(obj) == _key(laid) else obj for obj in objects]
    for label in kustomization.get("labels") or ():
        objects = [_merged(obj, {"metadata": {"labels": label["pairs"]}}) for obj in objects]
    return objects


def _resource(folder: Path, name: str) -> Iterable[Object]:
    path = folder / name
    if path.name == CRDS:
        return [crd(model) for model in KINDS.models]
    return _folder(path) if path.is_dir() else load_documents(path.read_text())


def _key(obj: Object) -> tuple[str, str, str]:
    meta = obj["metadata"]
    return str(obj["kind"]), str(meta.get("namespace")), str(meta["name"])


def _merged(base: Object, laid: Object) -> Object:
    """One object laid over another: mappings field by field, lists of named entries by name, the rest as a whole."""
    merged = deepcopy(base)
    for key, value in laid.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merged(old, value)
        elif isinstance(old, list) and isinstance(value, list) and all(_named(entry) for entry in value):
            others = {entry["name"]: entry for entry in value}
            kept = [_merged(entry, others.pop(entry["name"], {})) for entry in old]
            merged[key] = [*kept, *others.values()]
        else:
            merged[key] = deepcopy(value)
    return merged


def _named(entry: object) -> bool:
    return isinstance(entry, dict) and "name" in entry
