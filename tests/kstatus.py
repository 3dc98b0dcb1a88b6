"""The kstatus algorithm (cli-utils pkg/kstatus/status, generic part) in Python.

Flux, kpt and others decide by it whether an object is healthy; every object of ours must fit it at every moment.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"


def kstatus(obj: Mapping[str, Any]) -> Health:
    meta, status = obj["metadata"], obj.get("status") or {}
    if meta.get("deletionTimestamp"):
        return Health.TERMINATING
    observed = status.get("observedGeneration")
    if observed is not None and observed != meta.get("generation"):
        return Health.IN_PROGRESS
    conditions = status.get("conditions") or []
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return Health.IN_PROGRESS
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return Health.FAILED
    for condition in conditions:
        if condition["type"] == "Ready":
            return Health.CURRENT if condition["status"] == "True" else Health.IN_PROGRESS
    return Health.CURRENT
