"""A minimal API server in memory: optimistic locking as the real one does it, and nothing it was not told."""

from copy import deepcopy
from typing import Any

from heretic.cluster.client import ConflictError
from heretic.domain.errors import HereticError, Reason, Transient


class FakeApi:
    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.leases: dict[tuple[str, str], dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.repeats: list[tuple[str, int]] = []
        self.writes = 0
        self.version = 100
        self.down = False

    def put(self, plural: str, obj: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        self.objects[(plural, obj["metadata"]["namespace"], obj["metadata"]["name"])] = deepcopy(obj)
        return deepcopy(obj)

    def _up(self) -> None:
        if self.down:
            raise HereticError(Transient(Reason.API_SERVER, "down"))

    async def read(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        self._up()
        return deepcopy(self.objects.get((plural, namespace, name)))

    async def replace_status(self, plural: str, obj: dict[str, Any]) -> dict[str, Any]:
        self._up()
        meta = obj["metadata"]
        held = self.objects.get((plural, meta["namespace"], meta["name"]))
        if held is None:
            raise HereticError(Transient(Reason.API_SERVER, "not found"))
        if held["metadata"]["resourceVersion"] != meta["resourceVersion"]:
            raise ConflictError("status")
        self.writes += 1
        return self.put(plural, {**held, "status": obj["status"]})

    async def read_lease(self, namespace: str, name: str) -> dict[str, Any] | None:
        self._up()
        return deepcopy(self.leases.get((namespace, name)))

    async def write_lease(self, lease: dict[str, Any], *, create: bool) -> dict[str, Any]:
        self._up()
        key = (lease["metadata"]["namespace"], lease["metadata"]["name"])
        held = self.leases.get(key)
        if create == (held is not None):
            raise ConflictError("lease")
        if held is not None and held["metadata"]["resourceVersion"] != lease["metadata"].get("resourceVersion"):
            raise ConflictError("lease")
        self.version += 1
        stored = deepcopy(lease)
        stored["metadata"]["resourceVersion"] = str(self.version)
        self.leases[key] = stored
        return deepcopy(stored)

    async def create_event(self, namespace: str, event: dict[str, Any]) -> str:
        self._up()
        self.events.append(event)
        return f"event-{len(self.events)}"

    async def repeat_event(self, namespace: str, name: str, count: int, last: str) -> None:
        self._up()
        self.repeats.append((name, count))


def volume(name: str = "data", **meta: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "site", "uid": f"uid-{name}", "generation": 1, **meta}
    return {"kind": "GlusterVolume", "metadata": metadata, "spec": {}, "status": {"observedGeneration": -1}}
