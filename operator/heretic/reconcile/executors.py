"""Who does a step, by the kind of its target: a script goes to a host or to the engine's machine over SSH."""

from collections.abc import Mapping
from typing import Protocol

from heretic.api.v1alpha1 import HostedEngine, Node
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import ENGINE
from heretic.domain.engine.machine import EngineMachineStep
from heretic.domain.errors import Bug
from heretic.domain.generated import SECRET
from heretic.domain.kind import Kinds
from heretic.domain.plan import Failed, HostStep, Risk, Step, StepResult
from heretic.hosts.connections import Hosts
from heretic.hosts.fence import Admission
from heretic.reconcile.access import Access, Secrets
from heretic.reconcile.metrics import ROUND_TRIPS
from heretic.reconcile.observer import Observer
from heretic.reconcile.secrets import with_secrets
from heretic.reconcile.store import Key


class Executor(Protocol):
    """Does the steps of one kind of target."""

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        """Does a step, once.

        Args:
            key: The object for which it is done.
            view: The declared site.
            step: Its target is of this executor's kind.
            admission: What the step has to pass right before it is sent.

        Raises:
            HereticError: The target could not be reached.
        """


Executors = Mapping[str, Executor]
"""By the kind of the target."""


class HostExecutor:
    """Sends scripts to hosts.

    Args:
        hosts: The SSH connections.
        access: How each host is reached.
        observer: Told of every host that was touched.
        secrets: Where a step's secrets are read.
        kinds: All kinds.
    """

    def __init__(self, hosts: Hosts, access: Access, observer: Observer, secrets: Secrets, kinds: Kinds) -> None:
        self._secrets = secrets
        self._hosts = hosts
        self._access = access
        self._observer = observer
        self._kinds = kinds

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        """Sends the step's script, once; see Executor."""
        node = view.nodes.get(step.target.name)
        if node is None or not isinstance(step, HostStep):
            return Failed(Bug(f"{step.verb} was planned for {step.target}, which is no Node, or has no script"))
        settings = await self._access.settings(key.namespace, view, node)
        script = await with_secrets(step.script(), key.namespace, self._secrets)
        ROUND_TRIPS.labels(namespace=key.namespace, host=step.host).inc()
        try:
            return await self._hosts.perform(settings, script, admission=admission)
        finally:
            if self._kinds[key.kind].spreads:
                self._observer.site_changed(key.namespace)
            else:
                self._observer.host_changed(key.namespace, step.host, disks=step.risk is Risk.DESTRUCTIVE)


class AtEngine:
    """Does what is done in an engine, and what is done on its machine.

    Args:
        engines: Sends calls to engines.
        hosts: The SSH connections.
        access: How each machine is reached.
        observer: Told of every machine that was touched.
        secrets: Where a step's secrets are read.
    """

    def __init__(self, engines: Executor, hosts: Hosts, access: Access, observer: Observer, secrets: Secrets) -> None:
        self._engines = engines
        self._hosts = hosts
        self._access = access
        self._observer = observer
        self._secrets = secrets

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        """Sends the step to the engine or to its machine, once; see Executor."""
        if not isinstance(step, EngineMachineStep):
            return await self._engines.perform(key, view, step, admission)
        engine = view.of(HostedEngine).get(step.engine)
        if engine is None:
            return Failed(Bug(f"{step.verb} was planned for {step.target}, which is no HostedEngine"))
        settings = await self._access.machine(key.namespace, view, engine)
        script = await with_secrets(step.script(), key.namespace, self._secrets)
        ROUND_TRIPS.labels(namespace=key.namespace, host=settings.name).inc()
        try:
            return await self._hosts.perform(settings, script, admission=admission)
        finally:
            self._observer.machine_changed(key.namespace)


def executors(
    hosts: Hosts,
    access: Access,
    observer: Observer,
    secrets: Secrets,
    kinds: Kinds,
    engines: Executor,
    passwords: Executor,
) -> dict[str, Executor]:
    """The executors of all targets that there are.

    Args:
        hosts: The SSH connections.
        access: How each host is reached.
        observer: Told of every host that was touched.
        secrets: Where a step's secrets are read.
        kinds: All kinds.
        engines: Does steps in engines.
        passwords: Makes Secrets.
    """
    at_hosts = HostExecutor(hosts, access, observer, secrets, kinds)
    at_engine = AtEngine(engines, hosts, access, observer, secrets)
    return {Node.KIND: at_hosts, ENGINE: at_engine, SECRET: passwords}
