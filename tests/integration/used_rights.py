"""Which of its rights the operator has used, as the API server's audit tells.

Each worker of a test run writes what it saw into the folder $HERETIC_USED_RIGHTS. tests/rights compares them with what
manifests/operator grants.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from lab.controlplane import ControlPlane

ACCOUNT = "system:serviceaccount:heretic-system:heretic"
FOLDER = "HERETIC_USED_RIGHTS"


class Right(NamedTuple):
    """One verb on one resource."""

    verb: str
    group: str
    resource: str
    """With its subresource after a slash."""


def used(audit_log: Path) -> Iterator[Right]:
    """What the operator asked for and was given."""
    for line in audit_log.read_text().splitlines():
        event = json.loads(line)
        asked = event.get("objectRef")
        decision = event.get("annotations", {}).get("authorization.k8s.io/decision")
        if asked and event["user"]["username"] == ACCOUNT and decision == "allow":
            parts = [asked["resource"], *([asked["subresource"]] if "subresource" in asked else [])]
            yield Right(event["verb"], asked.get("apiGroup", ""), "/".join(parts))


def keep_used_rights(control_plane: ControlPlane) -> None:
    """Writes down what was used on a control plane, where the run wants it."""
    folder = os.environ.get(FOLDER)
    if folder and control_plane.audit_log.exists():
        rights = sorted(set(used(control_plane.audit_log)))
        (Path(folder) / f"{uuid4().hex}.json").write_text(json.dumps(rights))


def kept(folder: Path) -> set[Right]:
    """What all workers of a run have seen."""
    return {Right(*right) for file in folder.glob("*.json") for right in json.loads(file.read_text())}
