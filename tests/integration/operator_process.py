"""The real operator process under its own ServiceAccount, a real API server, and simulated hosts that it logs in to.

The hosts live in a thread of their own, so that tests may block as they like.
"""

import asyncio
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from heretic.kinds import KINDS
from lab.apiproxy import ApiProxy
from lab.controlplane import ControlPlane
from lab.processes import Process
from sim.blank_site import BlankSite, Object, blank_site
from sim.server import client_key
from sim.world import World

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
SYSTEM, ACCOUNT = "heretic-system", "heretic"
PATIENCE = 90.0
"""Seconds that a wait may take on a slow, shared machine."""

RESYNC = 2.0
"""Seconds between two looks of the operators of these tests."""


class HostsThread:
    """Runs the servers of simulated hosts."""

    def __init__(self, site: BlankSite) -> None:
        self._site = site
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulated hosts", daemon=True)

    def __enter__(self) -> "HostsThread":
        self._thread.start()
        self.call(self._site.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._site.__aexit__())
        self.call(_settled())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something in the hosts' thread, and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def drop(self, name: str) -> None:
        """Breaks all connections to a host."""

        async def drop() -> None:
            self._site.servers[name].drop()

        self.call(drop())


async def _settled() -> None:
    """Lets connections end before their loop is closed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class RunningSite:
    """One namespace, its hosts, and the operators that keep it.

    Args:
        control_plane: The API server.
        folder: For logs, the audit and the kill switch.
        hosts: What the objects are about; they listen already.
        thread: Where they listen.
    """

    def __init__(self, control_plane: ControlPlane, folder: Path, hosts: BlankSite, thread: HostsThread) -> None:
        self.control_plane = control_plane
        self.folder = folder
        self.hosts = hosts
        self.thread = thread
        self.namespace = f"site-{uuid4().hex[:8]}"
        self.kill_switch = folder / "stop"
        self._operators: dict[str, Process] = {}

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Runs kubectl in the site's namespace as the administrator; without ``check`` also what it complains."""
        done = self.control_plane.kubectl("--namespace", self.namespace, *arguments, input=stdin, check=check)
        return done.stdout if check else done.stdout + done.stderr

    def install(self) -> None:
        """Makes the operator's account and rights, the namespace, and the Secret."""
        self.control_plane.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator"))
        self.control_plane.kubectl("create", "namespace", self.namespace)
        self.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator/site-access"))
        self.write_secret(client_key().export_private_key("openssh").decode())

    def write_secret(self, private_key: str) -> None:
        """Makes or replaces the Secret with the SSH key."""
        meta = {"name": "heretic-ssh", "namespace": self.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/ssh-auth"}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(secret | {"stringData": {"ssh-privatekey": private_key}}))

    def apply(self, objects: Iterable[Object] | None = None) -> str:
        """Applies objects, all of the site when none are given."""
        return self.kubectl("apply", "--server-side", "-f", "-", stdin=self.manifests(objects))

    def manifests(self, objects: Iterable[Object] | None = None) -> str:
        """Objects as one document."""
        items = list(self.hosts.objects() if objects is None else objects)
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})

    def patch(self, target: str, spec: dict[str, Any]) -> None:
        """Changes a spec."""
        self.kubectl("patch", target, "--type=merge", "-p", json.dumps({"spec": spec}))

    def start_operator(
        self, *arguments: str, name: str = "operator", proxy: ApiProxy | None = None, die: str = ""
    ) -> None:
        """Starts an operator process.

        Args:
            arguments: Further ones for its command line.
            name: Of the process; several operators may run.
            proxy: What it talks to in place of the API server.
            die: "before N" or "after N": the effect at which it kills itself; empty = never.
        """
        kubeconfig = self.control_plane.create_service_account_kubeconfig(SYSTEM, ACCOUNT)
        program: list[str | Path] = [Path(sys.executable).parent / "heretic-operator"]
        if die:
            program = [sys.executable, "-m", "lab.crashing_operator", *die.split()]
        process = self._operators[name] = Process(name, self.folder)
        command: list[str | Path] = [*program, "--namespace", self.namespace, "--kubeconfig"]
        command += [proxy.kubeconfig(kubeconfig) if proxy else kubeconfig, "--resync-seconds", str(RESYNC)]
        command += ["--audit-log", self.folder / "audit.jsonl", "--kill-switch", self.kill_switch, *arguments]
        environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}/tests:{REPOSITORY}/tests/sim/detour"}
        process.start(command, env=environment, detached=False)

    def kill_operator(self, name: str = "operator") -> None:
        """kill -9."""
        self._operators[name].kill()

    def stop_operator(self, name: str = "operator") -> None:
        """As a rollout does."""
        self._operators[name].signal(signal.SIGTERM)
        self._operators[name].stop(grace=15)

    def end_lease(self) -> None:
        """Lets the time of a dead operator's lease pass, for tests that are about something else."""
        patch = json.dumps({"spec": {"holderIdentity": ""}})
        self.control_plane.kubectl(
            "patch", "lease", "heretic-operator", "-n", SYSTEM, "--type=merge", "-p", patch, check=False
        )

    def operator_runs(self, name: str = "operator") -> bool:
        """Whether it is alive."""
        return self._operators[name].pid is not None

    def operator_memory(self, name: str = "operator") -> float:
        """MiB that it has resident."""
        status = Path(f"/proc/{self._operators[name].pid}/status").read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    def operator_log(self, name: str = "operator") -> str:
        """All that it has logged."""
        return self._operators[name].log.read_text(errors="replace")

    def objects(self) -> list[Object]:
        """Every object of ours."""
        items: list[Object] = json.loads(self.kubectl("get", "hvp", "-o", "json"))["items"]
        return items

    def get(self, target: str) -> Object:
        """One object, as "kind/name"."""
        found: Object = json.loads(self.kubectl("get", target, "-o", "json"))
        return found

    def find(self, target: str) -> Object | None:
        """One object, if it is there."""
        found = self.kubectl("get", target, "--ignore-not-found", "-o", "json")
        return json.loads(found) if found.strip() else None

    def exists(self, target: str) -> bool:
        """Whether an object is there."""
        return self.find(target) is not None

    def condition(self, target: str, type_: str) -> dict[str, Any]:
        """One condition of an object; empty when it has none of this type, or one of an older spec."""
        obj = self.get(target)
        found: dict[str, Any] = next(
            (c for c in (obj.get("status") or {}).get("conditions") or [] if c["type"] == type_), {}
        )
        return found if found.get("observedGeneration") == obj["metadata"]["generation"] else {}

    def says(self, target: str, type_: str, status: str, reason: str = "") -> bool:
        """Whether a condition has this status, and this reason where one is given."""
        found = self.condition(target, type_)
        return found.get("status") == status and reason in ("", found.get("reason"))

    def ready(self) -> bool:
        """Whether there are objects and each is Ready for its present spec."""
        objects = self.objects()
        return bool(objects) and all(is_ready(obj) for obj in objects)

    def wait_ready(self) -> None:
        """Waits for that."""
        self.wait("every object is Ready", self.ready)

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Waits until something holds.

        Raises:
            AssertionError: It does not in time; the message shows all objects and the operators' logs.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what}\n{self.describe()}")
            time.sleep(0.2)

    def describe(self) -> str:
        """All objects with their conditions, refusals of the hosts, and the ends of the operators' logs."""
        lines = []
        for obj in self.objects():
            conditions = (obj.get("status") or {}).get("conditions") or []
            lines.append(f"{obj['kind']} {obj['metadata']['name']} generation {obj['metadata']['generation']}")
            lines += [f"    {c['type']}={c['status']} {c['reason']}: {c['message'][:300]}" for c in conditions]
        lines += [f"{host} refused {argv}" for host, argv in self.hosts.refusals]
        for name, process in self._operators.items():
            lines += [f"--- log of {name}:", process.log_tail(30)]
        return "\n".join(lines)

    def close(self) -> None:
        """Ends the operators and forgets the namespace."""
        for process in self._operators.values():
            process.kill()
        self.end_lease()
        for model in KINDS.models:
            for name in self.kubectl("get", model.PLURAL, "-o", "name", check=False).split():
                if "/" in name:
                    patch = json.dumps({"metadata": {"finalizers": None}})
                    self.kubectl("patch", name, "--type=merge", "-p", patch, check=False)
        self.control_plane.kubectl("delete", "namespace", self.namespace, "--wait=false", check=False)


def is_ready(obj: Object) -> bool:
    """Whether an object is Ready for its present spec."""
    conditions = {c["type"]: c for c in (obj.get("status") or {}).get("conditions") or []}
    ready = conditions.get("Ready", {})
    return bool(ready.get("status") == "True" and ready.get("observedGeneration") == obj["metadata"]["generation"])


@contextmanager
def running_site(control_plane: ControlPlane, folder: Path, hosts: BlankSite | None = None) -> Iterator[RunningSite]:
    """A namespace with simulated hosts that listen; nothing is applied, and no operator runs yet."""
    found = hosts or blank_site()
    with HostsThread(found) as thread:
        site = RunningSite(control_plane, folder, found, thread)
        site.install()
        try:
            yield site
        finally:
            site.close()


def converged_hosts(volumes: dict[str, dict[str, Any]] | None = None, more_roles: tuple[str, ...] = ()) -> BlankSite:
    """Hosts on which an operator has done its work already: what a test needs that begins there.

    Args:
        volumes: Specs of the volumes; the site's own when not given.
        more_roles: Of every host, besides its own.
    """

    async def converge() -> BlankSite:
        site = blank_site(volumes) if volumes else blank_site()
        async with World(site) as world:
            for obj in with_roles(site, more_roles):
                world.api.apply(obj)
            await world.start_operator()
            await world.run()
            return world.site

    found = asyncio.run(converge())
    for machine in found.machines.values():
        machine.effects.clear()
        machine.fence = None  # that operator was one of another cluster
    found.named.clear()  # and of Nodes with other uids: the objects that come now name the disks that are there
    return found


def with_roles(site: BlankSite, more: tuple[str, ...]) -> list[Object]:
    """The site's own objects, its hosts with these roles besides their own."""
    objects = list(site.objects())
    for obj in objects:
        if obj["kind"] == "Node":
            obj["spec"]["roles"] = [*obj["spec"]["roles"], *more]
    return objects
