"""Does the steps whose target is a Secret: one is made where none is, and none is ever changed."""

import secrets
import string
from collections.abc import Callable
from typing import Protocol

from heretic.cluster.client import ConflictError
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Bug
from heretic.domain.generated import SECRET, GeneratePassword
from heretic.domain.plan import Done, Failed, Step, StepResult
from heretic.hosts.fence import Admission, Fence
from heretic.reconcile.engine_access import PASSWORD, USER
from heretic.reconcile.store import Key

LENGTH = 32
"""Characters of a password: 190 bits by chance."""

_LETTERS = string.ascii_letters + string.digits
"""Nothing that a shell, an answer file or a person who types it could get wrong."""


def by_chance() -> str:
    """A password that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))


class SecretMaker(Protocol):
    """The part of the API server that makes Secrets."""

    async def create_secret(self, namespace: str, name: str, data: dict[str, str], made_for: str) -> None:
        """Makes a Secret.

        Raises:
            ConflictError: There is one of this name.
            HereticError: The API server could not be reached or refused.
        """


class SecretExecutor:
    """Makes Secrets.

    Args:
        cluster: Where they are made.
        changed: Told the namespace in which one was made.
        password: Makes a new password.
    """

    def __init__(
        self, cluster: SecretMaker, changed: Callable[[str], None], password: Callable[[], str] = by_chance
    ) -> None:
        self._cluster = cluster
        self._changed = changed
        self._password = password

    async def perform(self, key: Key, view: SiteView, step: Step, admission: Admission) -> StepResult:
        """Makes the Secret, once; see Executor.

        To make it is one request that the API server refuses where there is one of that name. So neither a lost reply
        nor a second operator ever makes another password.
        """
        if not isinstance(step, GeneratePassword):
            return Failed(Bug(f"{step.verb} was planned for {step.target}, and makes no {SECRET}"))
        barred = await admission.check()
        fence = admission.fence()
        if barred or not isinstance(fence, Fence):
            failure = barred or fence
            assert not isinstance(failure, Fence)
            return Failed(failure)
        data = {USER: step.user, PASSWORD: self._password()}
        try:
            await self._cluster.create_secret(key.namespace, step.secret, data, step.made_for)
        except ConflictError:
            return Done(changed=False)
        finally:
            self._changed(key.namespace)
        return Done(changed=True)
