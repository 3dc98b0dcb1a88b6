"""What is the same in every engine of a version: it is read from the recordings of a real one."""

import json
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

from ovirtsdk4 import services

from sim.engine.calls import Call, Operations, RecordedDocument
from sim.engine.messages import BareError
from sim.engine.routes import API

RECORDINGS = Path(__file__).resolve().parents[2] / "data/engine/4.5.7"


@cache
def recorded(path: str) -> ET.Element:
    """The document that a real engine showed at a path, before anything was changed in it."""
    for exchange in json.loads((RECORDINGS / "top.json").read_text())["exchanges"]:
        request = exchange["request"]
        if request["path"] == f"{API}/{path}".rstrip("/") and request["headers"].get("Accept") is None:
            return ET.fromstring(exchange["response"]["body"].encode())
    raise LookupError(path)


@cache
def cpu_types() -> dict[str, frozenset[str]]:
    """The processor types of each level of clusters."""
    return {
        level.get("id", ""): frozenset(name.text or "" for name in level.iterfind("cpu_types/cpu_type/name"))
        for level in recorded("clusterlevels")
    }


def _whole(call: Call) -> RecordedDocument:
    return RecordedDocument(recorded(call.route.path))


def _member(call: Call) -> RecordedDocument:
    collection, _, key = call.route.path.partition("/")
    for entity in recorded(collection):
        if entity.get("id") == key:
            return RecordedDocument(entity)
    raise BareError(404)


OPERATIONS: Operations = {
    (services.ClusterLevelsService, "list"): _whole,
    (services.ClusterLevelService, "get"): _member,
    (services.NetworkFiltersService, "list"): _whole,
    (services.NetworkFilterService, "get"): _member,
    (services.SchedulingPoliciesService, "list"): _whole,
    (services.SchedulingPolicyService, "get"): _member,
}
