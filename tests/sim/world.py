"""A whole simulated site around a real operator: its loop, its SSH connections, its wire protocol; no kopf.

The API server is a dictionary with optimistic locking, the hosts are Machines behind real SSH servers, and one
round runs a pass over every object in a fixed order. A round costs milliseconds, so that a scenario can be run
hundreds of times with the operator dying at a different moment each time.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Self, cast

from heretic.cluster.client import Cluster, ConflictError
from heretic.domain.errors import HereticError, Reason, Transient
from heretic.domain.kind import Kinds
from heretic.hosts.link import ReconnectDelays
from heretic.kinds import KINDS
from heretic.main import Operator, Options
from heretic.reconcile.gateway import API_SERVER, Effect, Faults
from heretic.reconcile.store import Key
from sim.blank_site import BlankSite
from sim.server import client_key

NAMESPACE = "demo"
SSH_SECRET = "heretic-ssh"
"""Which a Site names unless it says otherwise."""
Object = dict[str, Any]


class DiedError(BaseException):
    """The operator was killed: nothing above may catch it, as nothing survives a kill -9."""


class MemoryApi:
    """The part of the API server that the operator uses, in memory."""

    def __init__(self, kinds: Kinds = KINDS) -> None:
        self.kinds = kinds
        self.secrets: dict[str, dict[str, bytes]] = {}
        self.secrets_made: list[str] = []
        self.lose_next_secret = False
        self.objects: dict[Key, Object] = {}
        self.leases: dict[str, Object] = {}
        self.events: list[Object] = []
        self.status_writes = 0
        self._version = 0
        self._made: Counter[Key] = Counter()

    def apply(self, obj: Object) -> None:
        """What kubectl apply does: a new spec raises the generation, the status stays."""
        key = Key(obj["kind"], NAMESPACE, obj["metadata"]["name"])
        held = self.objects.get(key)
        new = deepcopy(obj)
        meta = new["metadata"]
        if held is None:
            self._made[key] += 1
        again = f"-{self._made[key]}" if self._made[key] > 1 else ""
        meta |= {"namespace": NAMESPACE, "uid": f"uid-{key.kind}-{key.name}{again}"}
        new["status"] = held["status"] if held else {"observedGeneration": -1}
        generation = held["metadata"]["generation"] if held else 0
        meta["generation"] = generation + (held is None or held["spec"] != new["spec"])
        meta["creationTimestamp"] = "2026-01-01T00:00:00Z"
        self._store(key, new)

    def patch(self, key: Key, spec: Object | None = None, annotations: Mapping[str, str | None] | None = None) -> None:
        """What kubectl patch and kubectl annotate do; None takes an annotation away."""
        obj = deepcopy(self.objects[key])
        meta = obj["metadata"]
        kept = {**(meta.get("annotations") or {}), **(annotations or {})}
        meta["annotations"] = {name: value for name, value in kept.items() if value is not None}
        meta["generation"] += bool(spec) and obj["spec"] != obj["spec"] | (spec or {})
        obj["spec"] |= spec or {}
        self._store(key, obj)

    def delete(self, key: Key) -> None:
        """What kubectl delete does to an object with a finalizer."""
        obj = deepcopy(self.objects[key])
        obj["metadata"] |= {
            "deletionTimestamp": "2026-01-02T00:00:00Z",
            "generation": obj["metadata"]["generation"] + 1,
        }
        self._store(key, obj)

    def lose(self, key: Key) -> None:
        """Somebody took the finalizer off and deleted the object."""
        del self.objects[key]

    def recreate(self, key: Key) -> None:
        """Somebody took the finalizer off, deleted the object, and applied it anew."""
        old = self.objects.pop(key)
        self.apply({"kind": key.kind, "metadata": {"name": key.name}, "spec": old["spec"]})

    def _store(self, key: Key, obj: Object) -> Object:
        self._version += 1
        obj["metadata"]["resourceVersion"] = str(self._version)
        self.objects[key] = deepcopy(obj)
        return deepcopy(obj)

    async def read(self, plural: str, namespace: str, name: str) -> Object | None:
        kind = next(k.name for k in self.kinds.values() if plural == k.model.PLURAL)
        return deepcopy(self.objects.get(Key(kind, namespace, name)))

    async def list(self, plural: str, namespace: str) -> list[Object]:
        kind = next(k.name for k in self.kinds.values() if plural == k.model.PLURAL)
        return [deepcopy(obj) for key, obj in self.objects.items() if key.kind == kind]

    async def identity(self) -> str:
        return "uid-of-kube-system"

    async def replace_status(self, plural: str, obj: Object) -> Object:
        kind = next(k.name for k in self.kinds.values() if plural == k.model.PLURAL)
        key = Key(kind, obj["metadata"]["namespace"], obj["metadata"]["name"])
        held = self.objects.get(key)
        if held is None:
            raise HereticError(Transient(Reason.API_SERVER, f"{key} was not found"))
        if held["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
            raise ConflictError(plural)
        self.status_writes += 1
        return self._store(key, {**held, "status": obj["status"]})

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        if name in self.secrets:
            return self.secrets[name]
        return {"ssh-privatekey": client_key().export_private_key("openssh")} if name == SSH_SECRET else None

    async def create_secret(self, namespace: str, name: str, data: Mapping[str, str], made_for: str) -> None:
        if name in self.secrets:
            raise ConflictError(f"Secret {name}")
        self.secrets_made.append(name)
        self.secrets[name] = {key: value.encode() for key, value in data.items()}
        if self.lose_next_secret:
            self.lose_next_secret = False
            raise HereticError(Transient(Reason.API_SERVER, f"making Secret {name}: the answer was lost"))

    async def read_lease(self, namespace: str, name: str) -> Object | None:
        return deepcopy(self.leases.get(name))

    async def write_lease(self, lease: Object, *, create: bool) -> Object:
        held = self.leases.get(lease["metadata"]["name"])
        version = held["metadata"]["resourceVersion"] if held else None
        if create == (held is not None) or version != lease["metadata"].get("resourceVersion"):
            raise ConflictError("lease")
        self._version += 1
        stored = deepcopy(lease)
        stored["metadata"]["resourceVersion"] = str(self._version)
        self.leases[lease["metadata"]["name"]] = stored
        return deepcopy(stored)

    async def create_event(self, namespace: str, event: Object) -> str:
        self.events.append(event)
        return f"event-{len(self.events)}"

    async def repeat_event(self, namespace: str, name: str, count: int, last: str) -> None:
        """Counts are of no interest here."""

    async def close(self) -> None:
        """Nothing is open."""

    def end_leases(self) -> None:
        """Lets the time of every lease pass; who takes one next gets a greater token."""
        for lease in self.leases.values():
            lease["spec"]["holderIdentity"] = ""

    def checkpoint(self) -> Callable[[], None]:
        """Takes note of all that is stored.

        Returns:
            What brings it back; may be called again and again.
        """
        saved = deepcopy(vars(self))

        def restore() -> None:
            vars(self).update(deepcopy(saved))

        return restore


class World:
    """Simulated hosts, an API in memory, and one operator at a time.

    Args:
        site: The hosts.
        objects: What is applied; the site's own objects when not given.
    """

    def __init__(self, site: BlankSite, objects: Iterable[Object] | None = None) -> None:
        self.site = site
        self.api = MemoryApi()
        self._declared = None if objects is None else list(objects)
        self._operator: Operator | None = None
        self.late = False
        """Whether the watch brings nothing; what the operator reads or writes itself it knows all the same."""

    async def __aenter__(self) -> Self:
        await self.site.__aenter__()
        for obj in self.site.objects() if self._declared is None else self._declared:
            self.api.apply(obj)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill_operator()
        await self.site.__aexit__()

    def checkpoint(self) -> Callable[[], None]:
        """Takes note of hosts and API server; the operator has nothing to be noted.

        Returns:
            What brings both back.
        """
        hosts, api = self.site.checkpoint(), self.api.checkpoint()

        def restore() -> None:
            hosts()
            api()

        return restore

    async def start_operator(self, faults: Faults | None = None, *, audit_log: Path | None = None) -> Operator:
        """A new operator, which knows nothing of the ones before it."""
        options = Options(namespaces=(NAMESPACE,), audit_log=audit_log, kill_switch=None)
        self._operator = Operator(options, cast("Cluster", self.api), faults)
        # Leases outlive a killed operator for their duration; these runs do not wait for that.
        self.api.end_leases()
        # Neither do they wait after a broken connection.
        self._operator.hosts._delays = ReconnectDelays(first=0.001, most=0.001)
        await self._operator.leader.acquire()
        return self._operator

    @property
    def operator(self) -> Operator:
        """The one that runs."""
        assert self._operator is not None
        return self._operator

    async def kill_operator(self) -> None:
        """Ends the operator as kill -9 does: no clean-up on any host, no farewell to the API server."""
        if self._operator is not None:
            await self._operator.hosts.close()
            await self._operator.engines.close()
            self._operator.audit.close()
            self._operator = None

    async def round(self) -> float:
        """One pass over every object, in the order in which a site comes up.

        Returns:
            Seconds until the earliest next pass is due.
        """
        assert self._operator is not None
        operator = self._operator
        await operator.leader.acquire()
        for name in self.site.machines:
            operator.observer.touched(NAMESPACE, name)  # a round takes less time than looks need to age
        operator.at_engines.engine_changed(NAMESPACE)
        order = {kind: n for n, kind in enumerate(KINDS)}
        due = [60.0]
        for key in sorted(self.api.objects, key=lambda k: (order[k.kind], k.name)):
            if not self.late:
                self._watch(operator)
            if self.api.objects[key]["metadata"].get("deletionTimestamp"):
                after = await operator.reconciler.finalize(key)
                if after is None:
                    del self.api.objects[key]
                    continue
                due.append(after)
            else:
                due.append(await operator.reconciler.run_pass(key))
        return min(due)

    def _watch(self, operator: Operator) -> None:
        """What the watches bring: all that is there, and that nothing else is."""
        for key, obj in self.api.objects.items():
            shown = operator.store.get(key)
            if shown is None or shown.raw["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                operator.store.put(key.kind, deepcopy(obj))
        for key in list(operator.store.keys(NAMESPACE)):
            held = operator.store.get(key)
            if (
                held is not None
                and key not in self.api.objects
                and operator.store.drop(key, held.raw["metadata"]["uid"])
            ):
                operator.reconciler.forget(key)

    async def run(self, *, rounds: int = 60, until: Callable[[], bool] | None = None) -> int:
        """Rounds until every object is Ready (or ``until`` holds), with jobs on the hosts ending in between.

        Returns:
            How many rounds it took; fails when it takes more than ``rounds``.
        """
        done = until or self.ready
        for number in range(1, rounds + 1):
            await self.round()
            for machine in self.site.machines.values():
                for job in list(machine.jobs.values()):
                    job.finish()
            if done():
                return number
        raise AssertionError(f"not done after {rounds} rounds:\n{self.describe()}")

    async def run_mortal(self, die: Callable[[], Awaitable[object]]) -> bool:
        """Runs something in which the operator may die; all that it had begun ends with it.

        Returns:
            Whether it died.
        """
        before = asyncio.all_tasks()
        try:
            await die()
        except DiedError:
            orphans = asyncio.all_tasks() - before
            for task in orphans:
                task.cancel()
            await asyncio.gather(*orphans, return_exceptions=True)
            await self.kill_operator()
            return True
        return False

    def condition(self, kind: str, name: str, type_: str) -> Object:
        conditions = self.api.objects[Key(kind, NAMESPACE, name)]["status"].get("conditions") or []
        return next((c for c in conditions if c["type"] == type_), {})

    def ready(self) -> bool:
        """Whether every object is Ready."""
        return all(self.condition(k.kind, k.name, "Ready").get("status") == "True" for k in self.api.objects)

    def describe(self) -> str:
        """Every object with its Ready condition, and what the hosts refused."""
        lines = []
        for key in self.api.objects:
            ready = self.condition(key.kind, key.name, "Ready")
            lines.append(f"{key.kind} {key.name}: {ready.get('reason')}: {ready.get('message')}")
        lines += [f"{m.name} refused {argv}" for m in self.site.machines.values() for argv in m.refusals]
        return "\n".join(lines)


class Recorder:
    """Notes every effect on a host, and dies at a chosen one.

    Args:
        at: Number of the effect, from 1; 0 = never.
        moment: "before" or "after" it happens.
    """

    def __init__(self, at: int = 0, moment: str = "before") -> None:
        self.effects: list[Effect] = []
        self._at = at
        self._moment = moment

    async def before(self, effect: Effect) -> None:
        if effect.target == API_SERVER:
            return
        self.effects.append(effect)
        if self._moment == "before" and len(self.effects) == self._at:
            raise DiedError

    async def after(self, effect: Effect) -> None:
        if effect.target != API_SERVER and self._moment == "after" and len(self.effects) >= self._at > 0:
            raise DiedError
