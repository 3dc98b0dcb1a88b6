"""Kubeconfig files: written for the lab's users, and rewritten to go through a proxy."""

import base64
from pathlib import Path

import yaml


def write_kubeconfig(path: Path, *, server: str, ca: bytes, user: str, token: str, namespace: str) -> Path:
    """Write a kubeconfig with one user, known by a token. It names no other file, so it can be copied anywhere."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "lab",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()},
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user, "namespace": namespace}}],
        "current-context": "lab",
    }
    return _write(path, document)


def redirect_kubeconfig(source: Path, target: Path, server: str) -> Path:
    """Copy a kubeconfig with another server URL in it, everything else kept."""
    document = yaml.safe_load(source.read_text())
    for cluster in document["clusters"]:
        cluster["cluster"]["server"] = server
    return _write(target, document)


def _write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.touch(mode=0o600)
    part.write_text(yaml.safe_dump(document, sort_keys=False))
    part.rename(path)
    return path
