"""How kopf is set up: where it logs in, what it keeps, how long it waits. The reasons are in docs/adr/0002."""

import asyncio
import time
from typing import Any

import kopf

from heretic.api.v1alpha1 import GROUP
from heretic.cluster.client import Cluster
from heretic.domain.errors import HereticError

LOGIN_PAUSE = 10.0
"""Seconds between two logins: kopf tries again at once when the API server refuses what it has just been given."""


class NothingChanges(kopf.DiffBaseStorage):
    """Lets kopf find each object as it was last handled.

    kopf would copy the last handled spec into an annotation of the object, to tell handlers of changes what changed.
    There are no such handlers.
    """

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        """What is compared."""
        return kopf.BodyEssence({})

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence:
        """What it was when it was last handled."""
        return kopf.BodyEssence({})

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Never called, because nothing changes."""


def register(cluster: Cluster) -> None:
    """Has kopf start with these settings, and log in as we do ourselves.

    Args:
        cluster: Knows the address and the credentials; kopf's own reading of them knows no plugins.
    """
    last = float("-inf")

    @kopf.on.login()
    async def login(**_: Any) -> kopf.AiohttpSession:
        nonlocal last
        await asyncio.sleep(max(0.0, last + LOGIN_PAUSE - time.monotonic()))
        last = time.monotonic()
        try:
            server, session = await cluster.log_in()
        except HereticError as error:
            raise kopf.TemporaryError(error.failure.message, LOGIN_PAUSE) from error
        return kopf.AiohttpSession(server=server, aiohttp_session=session)

    @kopf.on.startup()
    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        configure(settings)


def configure(settings: kopf.OperatorSettings) -> None:
    """Sets kopf up; each deviation from a default has its reason there."""
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.persistence.finalizer = f"{GROUP}/operator"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=f"kopf.{GROUP}")
    settings.persistence.diffbase_storage = NothingChanges()
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.error_backoffs = [1, 1, 2, 3, 5, 8, 13, 21, 30, 30, 30, 30, 30, 30, 30, 30]
    settings.queueing.worker_limit = 16
    settings.execution.max_workers = 2
    settings.background.cancellation_polling = 1
