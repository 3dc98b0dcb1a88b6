"""Prometheus metrics of the operator (names are an interface: docs/reference/metrics.md)."""

from contextlib import suppress

from prometheus_client import Counter, Gauge, Histogram

from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus

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
REACHABLE = Gauge("heretic_host_reachable", "1 when the last attempt reached the host.", ["namespace", "host"])
BRICKS_UP = Gauge("heretic_bricks_up", "Bricks seen online.", ["namespace", "volume"])
HEAL_PENDING = Gauge(
    "heretic_heal_pending", "Entries that wait for heal; absent while unknown.", ["namespace", "volume"]
)
LEADER = Gauge("heretic_leader", "1 while this operator holds the leader lease.")


def forget(kind: str, namespace: str, name: str) -> None:
    """Takes away the gauges of an object that is gone."""
    for gauge in {"Node": (REACHABLE,), "GlusterVolume": (BRICKS_UP, HEAL_PENDING)}.get(kind, ()):
        with suppress(KeyError):
            gauge.remove(namespace, name)


def show_volume(namespace: str, name: str, status: GlusterVolumeStatus) -> None:
    """Sets the gauges of one volume; what is unknown is taken away rather than shown as zero."""
    BRICKS_UP.labels(namespace=namespace, volume=name).set(sum(b.state == "Up" for b in status.bricks))
    if status.heal_pending.isdigit():
        HEAL_PENDING.labels(namespace=namespace, volume=name).set(int(status.heal_pending))
    else:
        with suppress(KeyError):
            HEAL_PENDING.remove(namespace, name)
