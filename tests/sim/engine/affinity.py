"""Affinity groups of clusters, and affinity labels."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Created, Operations, Performed
from sim.engine.messages import BareError, NotToldError, conflict, invalid
from sim.engine.render import EngineDecimal, Item, Listing, shown
from sim.engine.routes import API
from sim.engine.state import named

_LISTS = ("host_labels", "hosts", "vm_labels", "vms")


def _group_item(value: Any, lists: bool = False) -> Item:
    empty: dict[str, Any] = {name: [] for name in _LISTS} if lists else {}
    return Item(shown(value, **empty), f"{API}/clusters/{value.cluster.id}/affinitygroups/{value.id}")


def _groups(call: Call) -> Listing:
    cluster = call.parent(call.state.clusters, "Cluster")
    found = [value for value in call.state.affinity_groups.values() if value.cluster.id == cluster.id]
    return Listing("affinity_groups", [_group_item(value) for value in found])


def _add_group(call: Call) -> Created:
    state = call.state
    cluster = call.parent(state.clusters, "Cluster")
    body = call.body("affinity_group", ("name", "positive", "enforcing"))
    if not body.name:
        raise NotToldError("an affinity group without a name")
    if named(state.affinity_groups, body.name):
        raise invalid("Cannot add Affinity Group. Affinity Group name already exists.")
    positive, enforcing = bool(body.positive), bool(body.enforcing)
    made = types.AffinityGroup(
        name=body.name,
        cluster=types.Cluster(id=cluster.id),
        broken=False,
        priority=EngineDecimal(1),
        positive=positive,
        enforcing=enforcing,
        hosts_rule=types.AffinityRule(enabled=False, enforcing=False, positive=False),
        vms_rule=types.AffinityRule(enabled=True, enforcing=enforcing, positive=positive),
    )
    return Created(_group_item(state.insert(state.affinity_groups, made), lists=True))


def _the_group(call: Call) -> Any:
    cluster = call.parent(call.state.clusters, "Cluster")
    value = call.the(call.state.affinity_groups)
    if value.cluster.id != cluster.id:
        raise BareError(404)
    return value


def _remove_group(call: Call) -> Performed:
    del call.state.affinity_groups[_the_group(call).id]
    return Performed()


def label_item(value: Any) -> Item:
    """An affinity label."""
    return Item(shown(value), f"{API}/affinitylabels/{value.id}")


def _labels(call: Call) -> Listing:
    return Listing("affinity_labels", [label_item(value) for value in call.state.affinity_labels.values()])


def _add_label(call: Call) -> Created:
    body = call.body("affinity_label", ("name",))
    if not body.name:
        raise NotToldError("an affinity label without a name")
    if named(call.state.affinity_labels, body.name):
        raise conflict("Cannot add affinity label with a conflicting NAME.")
    made = types.AffinityLabel(name=body.name, has_implicit_affinity_group=False, read_only=False)
    return Created(label_item(call.state.insert(call.state.affinity_labels, made)))


def _remove_label(call: Call) -> Performed:
    value = call.the(call.state.affinity_labels)
    if any(label == value.id for label, _ in call.state.host_labels):
        raise conflict("Cannot remove affinity label. The label is still in use.")
    del call.state.affinity_labels[value.id]
    return Performed()


OPERATIONS: Operations = {
    (services.AffinityGroupsService, "list"): _groups,
    (services.AffinityGroupsService, "add"): _add_group,
    (services.AffinityGroupService, "get"): lambda call: _group_item(_the_group(call)),
    (services.AffinityGroupService, "remove"): _remove_group,
    (services.AffinityLabelsService, "list"): _labels,
    (services.AffinityLabelsService, "add"): _add_label,
    (services.AffinityLabelService, "get"): lambda call: label_item(call.the(call.state.affinity_labels)),
    (services.AffinityLabelService, "remove"): _remove_label,
}
