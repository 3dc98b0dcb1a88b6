"""Prometheus metrics of the operator (names are an interface: docs/reference/metrics.md)."""

from collections.abc import Iterator
from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from heretic.domain.kind import AnyKind, GaugeOf
from heretic.domain.report import Report
from heretic.kinds import KINDS

PASSES = Histogram(
    "heretic_reconcile_seconds",
    "Duration of a pass by kind and outcome.",
    ["kind", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
EFFECTS = Counter("heretic_effects_total", "Effects on hosts by risk, verb and outcome.", ["risk", "verb", "outcome"])
ANNOUNCEMENTS = Counter(
    "heretic_announcements_total",
    "Hosts that were told of a new operator, by outcome; once a host each time that one takes over.",
    ["outcome"],
)
UNNEEDED = Counter(
    "heretic_unneeded_effects_total",
    "Steps that found their effect already there: an observation was older than it should have been.",
    ["verb"],
)
KUBERNETES_WRITES = Counter("heretic_kubernetes_writes_total", "Writes to the API server.", ["verb"])
ROUND_TRIPS = Counter("heretic_ssh_round_trips_total", "Scripts sent to hosts.", ["namespace", "host"])
LEADER = Gauge("heretic_leader", "1 while this operator holds the leader lease.")


_GAUGES: dict[str, Gauge] = {}
"""The gauges of the kinds by name of the metric."""


def _gauge(of: GaugeOf) -> Gauge:
    if of.name not in _GAUGES:
        _GAUGES[of.name] = Gauge(of.name, of.help, ["namespace", of.label])
    return _GAUGES[of.name]


for _kind in KINDS.values():
    for _of in _kind.gauges:
        _gauge(_of)


def every() -> Iterator[MetricWrapperBase]:
    """All metrics of the operator, those of the kinds at the end."""
    yield from (metric for metric in globals().values() if isinstance(metric, MetricWrapperBase))
    yield from _GAUGES.values()


def forget(kind: AnyKind, namespace: str, name: str) -> None:
    """Takes away the gauges of an object that is gone."""
    for of in kind.gauges:
        with suppress(KeyError):
            _gauge(of).remove(namespace, name)


def show(kind: AnyKind, namespace: str, name: str, report: Report) -> None:
    """Sets the gauges of one object; one whose value is unknown is removed, and never shown as zero."""
    for of in kind.gauges:
        value = of.read(report)
        if value is not None:
            _gauge(of).labels(namespace, name).set(value)
        else:
            with suppress(KeyError):
                _gauge(of).remove(namespace, name)
