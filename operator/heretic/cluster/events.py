"""Events: each change is written once; a repetition raises its count, and too many of one object are dropped.

The API server forgets Events after an hour, so the record of everything is in the conditions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from heretic.api.v1alpha1 import GROUP, VERSION
from heretic.cluster.client import Cluster, Object
from heretic.domain.conditions import BAD_WHEN_TRUE, QUIET
from heretic.domain.reasons import Stage
from heretic.reasons import stage_of

BURST = 25
"""Events of one object that may come at once."""

REFILL_SECONDS = 300.0
"""Seconds until one more may come."""

REMEMBERED = 1000
"""Events whose names are kept, to raise their counts instead of making new ones."""


@dataclass
class _Bucket:
    tokens: float
    at: float


class EventRecorder:
    """Publishes Events about objects of our group."""

    def __init__(
        self, cluster: Cluster, *, now: Callable[[], datetime], monotonic: Callable[[], float], component: str
    ) -> None:
        self._cluster = cluster
        self._now = now
        self._monotonic = monotonic
        self._component = component
        self._known: dict[tuple[str, str, str, str], tuple[str, int]] = {}
        self._buckets: dict[str, _Bucket] = {}

    async def record(self, kind: str, obj: Object, reason: str, message: str, *, warning: bool) -> None:
        """Publishes one Event, or raises the count of the same one.

        Args:
            kind: Of the object.
            obj: The object (metadata suffices).
            reason: CamelCase.
            message: For a person.
            warning: Whether it is bad news.

        Raises:
            HereticError: The API server did not answer.
        """
        meta = obj["metadata"]
        if not self._allowed(meta["uid"]):
            return
        stamp = self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        key = (meta["uid"], "Warning" if warning else "Normal", reason, message)
        if key in self._known:
            name, count = self._known[key]
            self._known[key] = (name, count + 1)
            await self._cluster.repeat_event(meta["namespace"], name, count + 1, stamp)
            return
        event = self._event(kind, meta, reason, message, key[1], stamp)
        self._known[key] = (await self._cluster.create_event(meta["namespace"], event), 1)
        while len(self._known) > REMEMBERED:
            self._known.pop(next(iter(self._known)))

    def _allowed(self, uid: str) -> bool:
        now = self._monotonic()
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) / REFILL_SECONDS)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def forget(self, uid: str) -> None:
        """Drops what is remembered of a deleted object."""
        self._buckets.pop(uid, None)
        for key in [k for k in self._known if k[0] == uid]:
            del self._known[key]

    def _event(self, kind: str, meta: Mapping[str, Any], reason: str, message: str, type_: str, at: str) -> Object:
        return {
            "metadata": {"generateName": f"{meta['name']}.", "namespace": meta["namespace"]},
            "involvedObject": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": kind,
                "name": meta["name"],
                "namespace": meta["namespace"],
                "uid": meta["uid"],
            },
            "reason": reason,
            "message": message[:1024],
            "type": type_,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": self._component,
        }


def transitions(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool]]:
    """What changed between two stored condition lists, as events.

    An event is due when the status of a condition changes, or the reason of a Ready that is not True. Other words or
    numbers alone are no event.

    Returns:
        Tuples of reason, message and whether it is bad news.
    """
    old = {c["type"]: c for c in before}
    told = [c for c in after if c["type"] not in QUIET and _is_news(old.get(c["type"]), c)]
    return [(c["reason"], f"{c['type']}: {c['message']}", _is_bad(c)) for c in told]


def _is_news(was: Mapping[str, Any] | None, now: Mapping[str, Any]) -> bool:
    if was is None:
        return bool(now["status"] == "True")  # that a new object is not ready yet is no news
    if now["type"] != "Ready" and was["status"] == "Unknown" and stage_of(now["reason"]) in (Stage.UNSEEN, Stage.BEGUN):
        return False  # nor that the first look has shown what is to be done
    if was["status"] != now["status"]:
        return True
    return bool(now["type"] == "Ready" and now["status"] != "True" and was["reason"] != now["reason"])


def _is_bad(condition: Mapping[str, Any]) -> bool:
    if stage_of(condition["reason"]) in (Stage.DONE, Stage.UNSEEN, Stage.BEGUN):
        return False
    return bool((condition["status"] == "True") == (condition["type"] in BAD_WHEN_TRUE))
