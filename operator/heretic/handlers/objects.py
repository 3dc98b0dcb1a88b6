"""The same four handlers for every kind.

``index`` handlers see every object before any daemon starts (kopf fills all indexes first), so that a pass never
takes "not listed yet" for "does not exist".
"""

from typing import Any

import kopf

from heretic.api.v1alpha1 import GROUP, VERSION, Resource
from heretic.health import Health
from heretic.reconcile.loop import Reconciler
from heretic.reconcile.store import Key, ObjectStore
from heretic.reconcile.wake import WakeUps

DELETION_RETRY = 5.0
"""Most seconds between two tries of a deletion that something holds up."""


def register(kind: type[Resource], store: ObjectStore, wakes: WakeUps, reconciler: Reconciler, health: Health) -> None:
    """Registers the handlers of one kind with kopf.

    Args:
        kind: The kind.
        store: Fed with what the watches bring.
        wakes: Told of every change.
        reconciler: Runs the passes.
        health: Told when a pass is due, and how long the next one may wait.
    """
    where = (GROUP, VERSION, kind.PLURAL)

    @kopf.index(*where, id=f"{kind.PLURAL}-seen")
    def seen(body: kopf.Body, **_: Any) -> None:
        key = store.put(kind.KIND, dict(body))
        wakes.seen(key)
        if not store.is_leaving(key):
            health.knows(key)

    @kopf.on.event(*where, id=f"{kind.PLURAL}-gone")
    def gone(event: kopf.RawEvent, namespace: str | None, name: str, **_: Any) -> None:
        key = Key(kind.KIND, namespace or "", name)
        if event["type"] == "DELETED" and store.drop(key, event["object"]["metadata"]["uid"]):
            wakes.gone(key)
            reconciler.forget(key)
            health.forget(key)

    @kopf.daemon(*where, id=f"{kind.PLURAL}-keep", initial_delay=0)
    async def keep(stopped: kopf.DaemonStopped, namespace: str | None, name: str, **_: Any) -> None:
        key = Key(kind.KIND, namespace or "", name)
        while not (stopped or store.is_leaving(key)):
            wakes.clear(key)
            health.expects(key)
            after = await reconciler.run_pass(key)
            health.expects(key, after)
            await wakes.wait(key, after)
        health.forget(key)  # not when it fails: then it is expected that kopf starts it again

    @kopf.on.delete(*where, id=f"{kind.PLURAL}-release")
    async def release(namespace: str | None, name: str, **_: Any) -> None:
        after = await reconciler.finalize(Key(kind.KIND, namespace or "", name))
        if after is not None:
            raise kopf.TemporaryError("something holds the deletion up; see the conditions", min(after, DELETION_RETRY))
