"""Manifests that must be refused, and with what words: by the API server and by the models alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SPECS: dict[str, dict[str, Any]] = {
    "Site": {},
    "Node": {"address": "172.20.10.11"},
    "Network": {"role": "Gluster", "subnet": "172.20.11.0/24"},
    "GlusterVolume": {"purpose": "VirtualMachines", "size": "500Gi"},
    "HostedEngine": {"fqdn": "engine.mgmt.private", "deployment": "Existing"},
    "FileShare": {
        "protocol": "NFS",
        "volume": "unixshare",
        "network": "lan",
        "addresses": ["172.20.12.101"],
        "folders": [{"name": "homes"}],
    },
}
"""The least that each kind needs."""


def manifest(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """An object with the least spec of its kind, changed."""
    return {
        "apiVersion": "hvp.ovirt.life/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**SPECS[kind], **spec},
    }


@dataclass(frozen=True)
class Wrong:
    """One mistake, as tests/data/manifests/wrong.yaml describes it."""

    situation: str
    kind: str
    spec: dict[str, Any]
    path: str = ""
    message: str = ""
    name: str = "wrong"

    def __str__(self) -> str:
        return self.situation.replace(" ", "-")

    def manifest(self) -> dict[str, Any]:
        return manifest(self.kind, self.name, **self.spec)


_TABLE = yaml.safe_load((Path(__file__).parent / "data" / "manifests" / "wrong.yaml").read_text(encoding="utf-8"))

WRONG = [Wrong(**case) for case in _TABLE["rules"]]
STRUCTURE = [Wrong(**case) for case in _TABLE["structure"]]
UNKNOWN_FIELDS = [Wrong(**case) for case in _TABLE["unknown"]]
