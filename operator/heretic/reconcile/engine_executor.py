"""Does the steps whose target is an engine: a call goes to it over its API."""

from collections.abc import Callable
from typing import Protocol

from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import ENGINE, EngineStep, correlation_id
from heretic.domain.errors import Bug, Failure
from heretic.domain.plan import Failed, Step, StepResult
from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from heretic.hosts.fence import Admission, Fence
from heretic.reconcile.access import Secrets
from heretic.reconcile.secrets import values_of
from heretic.reconcile.store import Key


class EngineAccess(Protocol):
    """How each engine is reached."""

    async def engine(self, namespace: str, view: SiteView, name: str) -> EngineSettings:
        """The settings of one engine.

        Raises:
            HereticError: NeedsUser; something that it takes is not declared.
        """


class _Clearance:
    """An engine keeps no fence, so ours is shown to nobody: it is enough that we have one in the moment of sending."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def check(self) -> Failure | None:
        return await self._admission.check()

    def barred(self) -> Failure | None:
        fence = self._admission.fence()
        return None if isinstance(fence, Fence) else fence


class EngineExecutor:
    """Sends calls to engines.

    Args:
        engines: The sessions.
        access: How each engine is reached.
        secrets: Where a call's secrets are read.
        changed: Told the namespace of each engine in which something was done.
    """

    def __init__(
        self,
        engines: Engines,
        access: EngineAccess,
        secrets: Secrets,
        changed: Callable[[str], None] = lambda namespace: None,
    ) -> None:
        self._engines = engines
        self._changed = changed
        self._access = access
        self._secrets = secrets

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        """Asks the engine, once; see Executor."""
        if not isinstance(step, EngineStep):
            return Failed(Bug(f"{step.verb} was planned for {step.target}, and is no {ENGINE} step"))
        settings = await self._access.engine(key.namespace, view, step.engine)
        call = step.call()
        try:
            return await self._engines.perform(
                settings,
                call,
                correlation=correlation_id(str(key), step),
                secrets=await values_of(call.secrets, key.namespace, self._secrets),
                clearance=_Clearance(admission),
            )
        finally:
            self._changed(key.namespace)
