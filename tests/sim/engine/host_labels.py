"""Affinity labels of hosts, from both sides: the labels of a host, and the hosts of a label."""

from typing import Any

from ovirtsdk4 import services

from sim.engine.affinity import label_item
from sim.engine.calls import Call, Created, Operations, Performed, lookup
from sim.engine.hosts import host_item
from sim.engine.messages import BareError, NotToldError
from sim.engine.render import Listing


def _of_hosts(call: Call) -> None:
    if not call.route.path.startswith("hosts/"):
        raise NotToldError("affinity labels of virtual machines")


def _labels(call: Call) -> Listing:
    _of_hosts(call)
    host = call.parent(call.state.hosts, "Host")
    found = [call.state.affinity_labels[label] for label, key in call.state.host_labels if key == host.id]
    return Listing("affinity_labels", [label_item(value) for value in found])


def _add_label(call: Call) -> Created:
    _of_hosts(call)
    host = call.parent(call.state.hosts, "Host")
    label = _given(call, call.state.affinity_labels, "affinity_label", "AffinityLabel")
    call.state.host_labels.setdefault((label.id, host.id))
    return Created(label_item(label))


def _given(call: Call, table: Any, tag: str, kind: str) -> Any:
    body = call.body(tag, ("name",))
    if not (body.id or body.name):
        raise NotToldError(f"an assignment without {kind}")
    try:
        return lookup(table, body, kind)
    except KeyError as error:
        raise NotToldError(f"an assignment of an unknown {kind}") from error


def _the_label(call: Call) -> Any:
    _of_hosts(call)
    label, host = call.route.ids[-1], call.route.ids[0]
    if (label, host) not in call.state.host_labels:
        raise BareError(404)
    return call.state.affinity_labels[label]


def _remove_label(call: Call) -> Performed:
    del call.state.host_labels[_the_label(call).id, call.route.ids[0]]
    return Performed()


def _hosts(call: Call) -> Listing:
    label = call.parent(call.state.affinity_labels, "AffinityLabel")
    found = [call.state.hosts[host] for key, host in call.state.host_labels if key == label.id]
    return Listing("hosts", [host_item(call, host) for host in found])


def _add_host(call: Call) -> Created:
    label = call.parent(call.state.affinity_labels, "AffinityLabel")
    host = _given(call, call.state.hosts, "host", "Host")
    call.state.host_labels.setdefault((label.id, host.id))
    return Created(host_item(call, host))


def _remove_host(call: Call) -> Performed:
    label, host = call.route.ids[0], call.route.ids[-1]
    if (label, host) not in call.state.host_labels:
        raise BareError(404)
    del call.state.host_labels[label, host]
    return Performed()


OPERATIONS: Operations = {
    (services.AssignedAffinityLabelsService, "list"): _labels,
    (services.AssignedAffinityLabelsService, "add"): _add_label,
    (services.AssignedAffinityLabelService, "get"): lambda call: label_item(_the_label(call)),
    (services.AssignedAffinityLabelService, "remove"): _remove_label,
    (services.AffinityLabelHostsService, "list"): _hosts,
    (services.AffinityLabelHostsService, "add"): _add_host,
    (services.AffinityLabelHostService, "remove"): _remove_host,
}
