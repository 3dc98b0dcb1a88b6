"""Affinity labels of hosts in the simulated engine."""

from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import types

from unit.simulators.engine_hosts import hosts_up
from unit.simulators.engine_site import EngineSite


@pytest.fixture
def labels(told: EngineSite) -> Any:
    made = told.connect().affinity_labels_service()
    made.add(types.AffinityLabel(name="rack1"))
    return made


def test_a_label_is_put_on_a_host_and_taken_off(told: EngineSite, labels: Any) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    (label,) = labels.list()
    of_host = host.affinity_labels_service()
    assert of_host.add(types.AffinityLabel(id=label.id)).name == "rack1"
    of_host.add(types.AffinityLabel(id=label.id))
    assert [found.id for found in of_host.list()] == [label.id]
    assert of_host.label_service(label.id).get().name == "rack1"
    assert [found.name for found in labels.label_service(label.id).hosts_service().list()] == ["node1"]
    (followed,) = labels.list(follow="hosts")
    assert [found.name for found in followed.hosts] == ["node1"]
    with pytest.raises(ovirtsdk4.Error, match="still in use") as refused:
        labels.label_service(label.id).remove()
    assert refused.value.code == 409
    of_host.label_service(label.id).remove()
    with pytest.raises(ovirtsdk4.NotFoundError):
        of_host.label_service(label.id).remove()
    labels.label_service(label.id).remove()


def test_a_host_is_put_into_a_label_and_taken_out(told: EngineSite, labels: Any) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    (label,) = labels.list()
    hosts = labels.label_service(label.id).hosts_service()
    assert hosts.add(types.Host(name="node1")).name == "node1"
    assert [found.name for found in host.affinity_labels_service().list()] == ["rack1"]
    hosts.host_service(host.get().id).remove()
    assert host.affinity_labels_service().list() == []
    with pytest.raises(ovirtsdk4.NotFoundError):
        hosts.add(types.Host(name="nobody"))


def test_a_host_that_is_removed_leaves_its_labels(told: EngineSite, labels: Any) -> None:
    host, _ = hosts_up(told, "node1", "node2")
    (label,) = labels.list()
    host.affinity_labels_service().add(types.AffinityLabel(id=label.id))
    host.deactivate()
    told.clock.go(minutes=1)
    host.remove()
    assert labels.label_service(label.id).hosts_service().list() == []
    labels.label_service(label.id).remove()
