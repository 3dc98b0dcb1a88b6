"""The operator process: wires the parts together and hands them to kopf."""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import random
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import kopf

from heretic.api.v1alpha1 import Node
from heretic.cluster.client import Cluster
from heretic.cluster.events import EventRecorder
from heretic.cluster.lease import RENEW_EVERY, Lease
from heretic.cluster.status import StatusWriter
from heretic.domain.engine.call import ENGINE
from heretic.domain.errors import HereticError
from heretic.domain.kind import Kinds
from heretic.engine.engines import Engines
from heretic.handlers import register, settings
from heretic.health import Health, serve
from heretic.hosts.connections import Hosts
from heretic.kinds import KINDS
from heretic.reconcile.access import Access
from heretic.reconcile.announce import Announcer
from heretic.reconcile.apply import Applier
from heretic.reconcile.audit import AuditLog
from heretic.reconcile.engine_access import DeclaredEngineAccess
from heretic.reconcile.engine_executor import EngineExecutor
from heretic.reconcile.engine_news import EngineNews
from heretic.reconcile.engine_observer import EngineObserver
from heretic.reconcile.executors import executors
from heretic.reconcile.gateway import Faults, Gateway
from heretic.reconcile.leadership import Leadership
from heretic.reconcile.loop import Reconciler
from heretic.reconcile.metrics import LEADER
from heretic.reconcile.observer import Observer
from heretic.reconcile.publish import Publisher
from heretic.reconcile.schedule import Pace
from heretic.reconcile.secret_executor import SecretExecutor
from heretic.reconcile.slot import DisruptionSlots
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps

log = logging.getLogger("heretic")

COMPONENT = "heretic-operator"

START_RETRY = 3.0
"""Seconds between two tries to start."""

BEAT = 1.0
"""Seconds between two signs of life of the event loop."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        namespaces: The sites to keep; none = those of all namespaces.
        lease_namespace: Where the operator's own Lease lives.
        kubeconfig: None = the pod's service account or the user's default.
        audit_log: File of the audit; None = none is kept.
        kill_switch: A file; while it exists, nothing is changed.
        metrics_port: Port of /metrics, /healthz and /readyz; None = they are not served.
        listen: Address of that port.
        resync_seconds: Between two looks at an object that nothing woke.
    """

    namespaces: tuple[str, ...]
    lease_namespace: str = "heretic-system"
    kubeconfig: str | None = None
    audit_log: Path | None = None
    kill_switch: Path | None = None
    metrics_port: int | None = None
    listen: str = "127.0.0.1"
    resync_seconds: float = 60.0


class Operator:
    """All parts of one running operator.

    Args:
        options: From the command line.
        cluster: The API server.
        faults: Where a test makes it die.
        kinds: What it keeps.
    """

    def __init__(self, options: Options, cluster: Cluster, faults: Faults | None = None, kinds: Kinds = KINDS) -> None:
        self.kinds = kinds
        self.options = options
        self.cluster = cluster
        self.health = Health(time.monotonic)
        self.store = ObjectStore(kinds)
        self.wakes = WakeUps(self.store, kinds)
        self.hosts = Hosts(on_change=self._host_changed)
        with _named(f"--audit-log {options.audit_log} cannot be written"):
            self.audit = AuditLog(options.audit_log, now=_now)
        self.gateway = Gateway(self.audit, monotonic=time.monotonic, faults=faults)
        lease = self._lease(options.lease_namespace, COMPONENT, _identity())
        self.leader = Leadership(lease, cluster, options.kill_switch)
        announcer = Announcer(
            self.hosts, self.leader, self.audit, monotonic=time.monotonic, kill_switch=options.kill_switch
        )
        access = Access(cluster, monotonic=time.monotonic)
        self.engines = Engines()
        engine_access = DeclaredEngineAccess(cluster, monotonic=time.monotonic)
        self.at_engines = EngineObserver(self.engines, engine_access, monotonic=time.monotonic)
        self.news = EngineNews(
            self.engines, engine_access, self.at_engines, self.store, self.wakes, leads=lambda: self.leader.held
        )
        self.observer = Observer(
            self.hosts, access, monotonic=time.monotonic, announcer=announcer, kinds=kinds, engines=self.at_engines
        )
        in_engines = EngineExecutor(self.engines, engine_access, cluster, self.at_engines.engine_changed)
        passwords = SecretExecutor(cluster, self.at_engines.engine_changed)
        all_executors = executors(self.hosts, access, self.observer, cluster, kinds, in_engines, passwords)
        events = EventRecorder(cluster, now=_now, monotonic=time.monotonic, component=COMPONENT)
        self.reconciler = Reconciler(
            store=self.store,
            observer=self.observer,
            applier=Applier(all_executors, self.gateway, self.leader),
            publisher=Publisher(StatusWriter(cluster), events, self.gateway, now=_now, kinds=kinds),
            cluster=cluster,
            gateway=self.gateway,
            leader=self.leader,
            slots=DisruptionSlots(lambda ns, holder, seconds: self._lease(ns, "heretic-disruption", holder, seconds)),
            now=_now,
            monotonic=time.monotonic,
            random=random.random,
            pace=Pace(resync=options.resync_seconds),
            kill_switch=options.kill_switch,
            kinds=kinds,
        )

    def register(self) -> None:
        """Registers the handlers of every kind."""
        for model in self.kinds.models:
            register(model, self.store, self.wakes, self.reconciler, self.health)

    async def lead(self) -> None:
        """Renews the operator's own lease as long as it runs; without the lease nothing acts."""
        while True:
            before = self.leader.held
            try:
                await self.leader.acquire()
                self.health.heard()
            except HereticError as error:
                self.health.unheard(error.failure.message)
                log.warning("the leader lease could not be renewed: %s", error.failure.message)
            if before != self.leader.held:
                log.info("this operator %s the lease", "has" if self.leader.held else "has lost")
                LEADER.set(self.leader.held)
            await asyncio.sleep(RENEW_EVERY if self.leader.held else 1.0)

    async def beat(self) -> None:
        """Shows again and again that the event loop runs."""
        while True:
            self.health.beat()
            await asyncio.sleep(BEAT)

    async def close(self) -> None:
        """Closes everything. What runs on the hosts goes on."""
        with contextlib.suppress(HereticError):
            await self.leader.release()
        await self.hosts.close()
        await self.engines.close()
        await self.cluster.close()
        self.audit.close()

    def _lease(self, namespace: str, name: str, holder: str, seconds: int = 15) -> Lease:
        return Lease(self.cluster, namespace, name, holder, monotonic=time.monotonic, now=_now, duration=seconds)

    def _host_changed(self, host: str) -> None:
        """A connection was lost or came back: the node and what depends on it look again; likewise an engine."""
        namespace, _, node = host.partition("/")
        if node.startswith(f"{ENGINE} "):
            self.observer.machine_changed(namespace)
            self.wakes.wake(Key(ENGINE, namespace, node.removeprefix(f"{ENGINE} ")))
            return
        self.observer.touched(namespace, node)
        key = Key(Node.KIND, namespace, node)
        self.wakes.wake(key)
        self.wakes.wake_dependents(key)


@contextlib.contextmanager
def _named(trouble: str) -> Iterator[None]:
    """Ends the process with a sentence when this machine refuses what the command line asks for."""
    try:
        yield
    except OSError as error:
        sys.exit(f"{COMPONENT}: {trouble}: {error.strerror}")


def _now() -> datetime:
    return datetime.now(UTC)


def _identity() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def collect_garbage_seldom() -> None:
    """Lets Python search for unreachable cycles less often.

    A pass makes many objects and hardly any cycle, and each search goes through what is kept of all hosts: at
    1000 hosts a quarter of the operator's processor time (docs/explanation/performance.md).
    """
    gc.set_threshold(20_000, 20, 20)


async def run(options: Options, faults: Faults | None = None) -> None:
    """Runs the operator until it is told to stop.

    Args:
        options: From the command line.
        faults: Where a test makes it die.
    """
    collect_garbage_seldom()
    operator = Operator(options, await Cluster.connect(options.kubeconfig), faults)
    operator.register()
    settings.register(operator.cluster)
    if options.metrics_port is not None:
        with _named(f"--metrics-port {options.metrics_port} of {options.listen} cannot be listened on"):
            serve(operator.health, options.listen, options.metrics_port)
    background = [asyncio.create_task(operator.beat(), name="beat")]
    try:
        await wait_until_it_can_start(operator.cluster, operator.kinds, options, operator.health)
        background.append(asyncio.create_task(operator.lead(), name="leader lease"))
        background.append(asyncio.create_task(operator.news.run(), name="news of engines"))
        namespaces = list(options.namespaces)
        started = asyncio.get_running_loop().create_future()
        started.add_done_callback(lambda _: operator.health.waits_for(""))
        await kopf.operator(standalone=True, clusterwide=not namespaces, namespaces=namespaces, ready_flag=started)
    finally:
        for task in background:
            task.cancel()
        await operator.close()


async def wait_until_it_can_start(cluster: Cluster, kinds: Kinds, options: Options, health: Health) -> None:
    """Returns once the API server answers, knows our kinds and lets us read them.

    kopf asks once and ends with an error where it is refused. Says what is wrong, and again when it is something else.
    """
    said = ""
    while True:
        try:
            await cluster.identity()
            await cluster.read_lease(options.lease_namespace, COMPONENT)
            for namespace in options.namespaces or (options.lease_namespace,):
                for model in kinds.models:
                    await cluster.list(model.PLURAL, namespace)
        except HereticError as error:
            if error.failure.message != said:
                said = error.failure.message
                log.error("cannot start yet: %s", said)
            health.waits_for(f"it cannot start yet: {said}")
        else:
            health.heard()
            return
        await asyncio.sleep(START_RETRY)


def parse(argv: list[str] | None = None) -> Options:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="heretic-operator", description="Keeps sites in their declared state.")
    parser.add_argument("-n", "--namespace", action="append", default=[], help="a site's; repeatable; default: all")
    parser.add_argument("--lease-namespace", default="heretic-system", help="namespace of the operator's own Lease")
    parser.add_argument("--kubeconfig", help="default: the pod's service account, else the user's kubeconfig")
    parser.add_argument("--audit-log", type=Path, help="append every effect on a host to this file, as JSON lines")
    parser.add_argument("--kill-switch", type=Path, default=Path("/run/heretic/stop"), help="a file that stops it all")
    parser.add_argument("--metrics-port", type=int, help="serve /metrics, /healthz and /readyz on this port")
    parser.add_argument("--listen", default="127.0.0.1", metavar="ADDRESS", help="address of that port")
    parser.add_argument("--resync-seconds", type=float, default=60.0, help="between two looks at a calm object")
    args = parser.parse_args(argv)
    return Options(
        namespaces=tuple(args.namespace),
        lease_namespace=args.lease_namespace,
        kubeconfig=args.kubeconfig,
        audit_log=args.audit_log,
        kill_switch=args.kill_switch,
        metrics_port=args.metrics_port,
        listen=args.listen,
        resync_seconds=args.resync_seconds,
    )


def set_up_logging() -> None:
    """Logs to standard error; of libraries only what a person may have to act on."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("asyncssh", "kopf.objects"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def main() -> None:
    """Entry point of ``heretic-operator``."""
    set_up_logging()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(parse()))
    except HereticError as error:
        sys.exit(f"{COMPONENT}: {error.failure.message}")


if __name__ == "__main__":
    main()
