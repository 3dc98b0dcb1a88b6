"""Objects from manifests: files, folders, kustomizations, standard input; no cluster needed.

What is not of our group is passed over, except Secrets, which may hold the SSH key.
"""

import base64
import binascii
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heretic.api.v1alpha1 import GROUP
from heretic.cli.errors import fail
from heretic.cli.yaml_text import load_documents
from heretic.kinds import KINDS

Object = dict[str, Any]
Document = tuple[str, Object]
"""Where a manifest comes from, for messages, and its text."""

SUFFIXES = frozenset({".yaml", ".yml", ".json"})
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
PLAIN_FIELDS = frozenset({"apiVersion", "kind", "metadata", "namespace", "resources", "commonAnnotations", "labels"})
"""Fields of a kustomization that are understood without kubectl, or make no difference here."""
KUSTOMIZE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ManifestFiles:
    """What files declare.

    Attributes:
        objects: Raw objects of our group, each with its namespace.
        secrets: Decoded data of the Secrets, by namespace and name.
    """

    objects: tuple[Object, ...] = ()
    secrets: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict, repr=False)


def read_manifests(names: Sequence[str], namespace: str) -> ManifestFiles:
    """Reads manifests.

    Args:
        names: Files, folders, or "-" for standard input.
        namespace: For objects that name none.

    Returns:
        The objects of our group, all of them valid, and the Secrets.

    Raises:
        HereticError: A file cannot be read, or objects are wrong; the message names all of them.
    """
    objects: dict[tuple[str, str, str], Object] = {}
    secrets: dict[tuple[str, str], Mapping[str, bytes]] = {}
    problems: list[str] = []
    for origin, document in (d for name in names for d in _flat(_documents(name))):
        obj = _with_namespace(origin, document, namespace)
        meta = obj["metadata"]
        if obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1":
            secrets[(meta["namespace"], meta["name"])] = _secret_data(origin, obj)
        if not str(obj.get("apiVersion", "")).startswith(f"{GROUP}/"):
            continue
        key = (str(obj.get("kind")), meta["namespace"], meta["name"])
        if key in objects:
            problems.append(f"{origin}: {key[0]} {key[2]} is declared twice")
        try:
            KINDS.parse(key[0], obj)
        except ValueError as error:
            problems.append(f"{origin}: {error}")
        objects[key] = obj
    if problems:
        raise fail("; ".join(problems))
    return ManifestFiles(tuple(objects.values()), secrets)


def read_private_key(path: str) -> bytes:
    """The content of a private key file.

    Raises:
        HereticError: It cannot be read, or holds no private key.
    """
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise fail(f"the private key {path} cannot be read: {error.strerror}") from None
    if b"PRIVATE KEY-----" not in content:
        raise fail(f"{path} holds no private key; give the private part, not the file that ends in .pub")
    return content


def _documents(name: str) -> Iterator[Document]:
    path = Path(name)
    if name == "-":
        yield from _parsed("standard input", sys.stdin.read())
    elif path.is_dir():
        kustomization = next((path / k for k in KUSTOMIZATIONS if (path / k).is_file()), None)
        if kustomization is not None:
            yield from _kustomized(kustomization)
        else:
            for file in sorted(p for p in path.iterdir() if p.suffix in SUFFIXES):
                yield from _parsed(str(file), _text(file))
    else:
        yield from _parsed(name, _text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        raise fail(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise fail(f"{path} cannot be read: {error}") from None


def _parsed(origin: str, text: str) -> Iterator[Document]:
    try:
        documents = list(load_documents(text))
    except ValueError as error:
        raise fail(f"{origin} is not YAML: {error}") from None
    for document in documents:
        if isinstance(document, dict):
            yield origin, document
        elif document is not None:
            raise fail(f"{origin}: a manifest must be a mapping with apiVersion, kind, metadata and spec")


def _flat(documents: Iterator[Document]) -> Iterator[Document]:
    for origin, document in documents:
        if document.get("kind") == "List" and isinstance(document.get("items"), list):
            yield from ((origin, item) for item in document["items"] if isinstance(item, dict))
        else:
            yield origin, document


def _kustomized(kustomization: Path) -> Iterator[Document]:
    """What kustomize makes of a folder; a plain kustomization is read without it."""
    folder = str(kustomization.parent)
    kubectl, kustomize = shutil.which("kubectl"), shutil.which("kustomize")
    if kubectl or kustomize:
        command = [kubectl, "kustomize", folder] if kubectl else [str(kustomize), "build", folder]
        try:
            done = subprocess.run(  # noqa: S603 - a program found on PATH, and an argument list without a shell
                command, capture_output=True, text=True, timeout=KUSTOMIZE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise fail(f"{' '.join(command)} did not work: {error}") from None
        if done.returncode != 0:
            raise fail(f"{' '.join(command)}: {' '.join(done.stderr.split())}")
        yield from _parsed(folder, done.stdout)
        return
    yield from _plain_kustomization(kustomization)


def _plain_kustomization(kustomization: Path) -> Iterator[Document]:
    content: Object = next((d for _, d in _parsed(str(kustomization), _text(kustomization))), {})
    unknown = sorted(set(content) - PLAIN_FIELDS)
    if unknown:
        raise fail(f"{kustomization} uses {', '.join(unknown)}: install kubectl, which can evaluate it")
    for resource in content.get("resources") or []:
        for origin, document in _documents(str(kustomization.parent / str(resource))):
            if content.get("namespace") and isinstance(document.get("metadata"), dict):
                document["metadata"]["namespace"] = content["namespace"]
            yield origin, document


def _with_namespace(origin: str, document: Object, namespace: str) -> Object:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise fail(f"{origin}: a {document.get('kind') or 'manifest'} has no metadata.name")
    return {**document, "metadata": {**metadata, "namespace": str(metadata.get("namespace") or namespace)}}


def _secret_data(origin: str, secret: Object) -> dict[str, bytes]:
    plain = {str(k): str(v).encode() for k, v in (secret.get("stringData") or {}).items()}
    try:
        encoded = {str(k): base64.b64decode(str(v), validate=True) for k, v in (secret.get("data") or {}).items()}
    except (binascii.Error, ValueError):
        raise fail(f"{origin}: Secret {secret['metadata']['name']}: data is not base64") from None
    return encoded | plain
