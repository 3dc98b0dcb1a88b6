"""The operator under measurement: a process of its own, so that its time and memory are its own.

Reads one line with the objects and the key, then one request a line; answers each with a line. It has the operator's
loop, connections and rules; in place of kopf and the API server, a dictionary and a caller who says "now".
"""

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

from heretic.cluster.client import Cluster
from heretic.main import Operator, Options, collect_garbage_seldom
from heretic.reconcile.store import Key
from sim.addresses import take_detour
from sim.world import MemoryApi, Object

Result = dict[str, float]


class KeyedApi(MemoryApi):
    """The API of all sites, with objects as they are given."""

    def __init__(self, objects: list[Object], private_key: str) -> None:
        super().__init__()
        self._private_key = private_key.encode()
        for obj in objects:
            meta = obj["metadata"]
            self._store(Key(obj["kind"], meta["namespace"], meta["name"]), obj)

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        return {"ssh-privatekey": self._private_key}


class Bench:
    """One operator that runs passes when it is told to."""

    def __init__(self, objects: list[Object], private_key: str) -> None:
        self.api = KeyedApi(objects, private_key)
        namespaces = tuple(sorted({key.namespace for key in self.api.objects}))
        self.operator = Operator(Options(namespaces=namespaces), cast("Cluster", self.api))
        for key, obj in self.api.objects.items():
            self.operator.store.put(key.kind, deepcopy(obj))

    async def passes(self, *, times: int = 1, full: bool = False, kinds: list[str] | None = None) -> Result:
        """Passes over all objects at once, as they come due together.

        Args:
            times: How often; the figures are sums.
            full: Whether everything is looked at, also what lasts.
            kinds: Only of these.
        """
        keys = [key for key in self.api.objects if not kinds or key.kind in kinds]
        result: Result = {"wall": 0.0, "cpu": 0.0}
        before = self._counted()
        for _ in range(times):
            await self.operator.leader.acquire()
            for key in keys:
                if key.kind == "Node":
                    # Passes follow each other faster than looks are thought to age.
                    if full:
                        self.operator.observer.host_changed(key.namespace, key.name, disks=True)
                    else:
                        self.operator.observer.touched(key.namespace, key.name)
            wall, cpu = time.perf_counter(), time.process_time()
            await asyncio.gather(*map(self.operator.reconciler.run_pass, keys))
            result["wall"] += time.perf_counter() - wall
            result["cpu"] += time.process_time() - cpu
        return result | {name: value - before[name] for name, value in self._counted().items()}

    def _counted(self) -> Result:
        traffic = list(self.operator.hosts.counters.values())
        return {
            "round_trips": sum(t.round_trips for t in traffic),
            "bytes_out": sum(t.bytes_out for t in traffic),
            "bytes_in": sum(t.bytes_in for t in traffic),
            "writes": self.api.status_writes,
        }

    def not_ready(self) -> list[str]:
        """Objects that are not Ready, with what they say."""
        stored = self.api.objects.items()
        return [f"{k}: {o['status'].get('summary')}" for k, o in stored if not _is_ready(o)]


def _is_ready(obj: Object) -> bool:
    conditions: list[dict[str, Any]] = obj["status"].get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def memory(*, traced: bool = False) -> Result:
    """Resident MiB now and at most; with ``traced``, MiB of Python objects as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = {name: float(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if "kB" in rest}
    result = {"rss": kib["VmRSS"] / 1024, "peak": kib["VmHWM"] / 1024}
    if traced:
        gc.collect()
        result["objects"] = tracemalloc.get_traced_memory()[0] / 2**20
    return result


async def main() -> None:
    """Answers until the input ends."""
    loop = asyncio.get_running_loop()
    setup = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    collect_garbage_seldom()
    bench = Bench(setup["objects"], setup["privateKey"])
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        match request.pop("do"):
            case "passes":
                answer: object = await bench.passes(**request)
            case "memory":
                answer = memory(**request)
            case "trace":
                tracemalloc.start()
                answer = {}
            case "not ready":
                answer = bench.not_ready()
        print(json.dumps(answer), flush=True)
    await bench.operator.hosts.close()


if __name__ == "__main__":
    take_detour()
    asyncio.run(main())
