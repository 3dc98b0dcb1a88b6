"""What a Node says of its maintenance: obeyed at once, and safe only when the site can bear it."""

from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Node
from heretic.domain.conditions import State
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.host.maintenance import maintenance_condition
from heretic.kinds import KINDS
from wrong_manifests import SPECS

WHOLE = {"BricksReady": "True", "Quorate": "True", "Healed": "True"}


def resource(kind: str, name: str, spec: dict[str, Any], states: dict[str, str], **status: Any) -> Any:
    conditions = [
        {"type": t, "status": s, "observedGeneration": 1, "reason": "AsDeclared", "message": f"{t} is {s}"}
        for t, s in states.items()
    ]
    metadata = {"name": name, "namespace": "demo", "generation": 1}
    found = KINDS.parse(
        kind,
        {"metadata": metadata, "spec": spec, "status": {"conditions": conditions, "observedGeneration": 1, **status}},
    )
    assert isinstance(found, Node | GlusterVolume | FileShare)
    return found


def node(number: int, *, maintenance: bool = False, roles: tuple[str, ...] = ("Storage",), **states: str) -> Node:
    spec = {"address": f"192.0.2.{number}", "maintenance": maintenance, "roles": list(roles)}
    found: Node = resource("Node", f"node{number}", spec, {"Reachable": "True"} | states)
    return found


def volume(*, made: bool = True, **states: str) -> GlusterVolume:
    spec = {"purpose": "VirtualMachines", "size": "10Gi"}
    status = {"volumeId": "6f1e0c1e-0000-4000-8000-000000000001"} if made else {}
    found: GlusterVolume = resource("GlusterVolume", "vmstore", spec, WHOLE | states, **status)
    return found


def test_a_file_server_may_go_once_its_public_addresses_are_on_another() -> None:
    def said(*servers: dict[str, Any]) -> str:
        share = resource("FileShare", "files", {**SPECS["FileShare"]}, {}, servers=list(servers))
        out = node(1, maintenance=True, roles=("FileServer",))
        view = SiteView(objects={"Node": {"node1": out}, "FileShare": {"files": share}})
        return maintenance_condition(out, view).message

    mine = {"number": 0, "node": "node1", "addresses": ["172.20.12.101"]}
    assert "172.20.12.101" in said(mine, {"number": 1, "node": "node2"})
    assert "172.20.12.101" not in said(mine)
    assert "172.20.12.101" not in said({**mine, "addresses": []}, {"number": 1, "node": "node2"})


OUT = node(2, maintenance=True)
TWO = {"node1": node(1), "node3": node(3)}

CASES: dict[str, tuple[dict[str, Node], GlusterVolume, str]] = {
    "all is whole": (TWO, volume(), ""),
    "a volume that was never made": (TWO, volume(made=False, Healed="Unknown"), ""),
    "a volume that heals": (TWO, volume(Healed="False"), "vmstore: Healed is False"),
    "a volume of which it is not known": (TWO, volume(Healed="Unknown"), "vmstore: Healed is Unknown"),
    "a brick that is down": (TWO, volume(BricksReady="False"), "vmstore: BricksReady is False"),
    "another node that cannot be reached": (
        {"node1": node(1, Reachable="False"), "node3": node(3)},
        volume(),
        "node1: Reachable is False",
    ),
    "another node that is out": (
        {"node1": node(1), "node3": node(3, maintenance=True, Maintenance="True")},
        volume(),
        "node3 is in maintenance too, and one node at a time may be",
    ),
    "another node whose maintenance ended just now": (
        {"node1": node(1), "node3": node(3, Maintenance="True")},
        volume(),
        "node3 is in maintenance too",
    ),
    "another one that was declared with it and comes first": (
        {"node1": node(1, maintenance=True, Maintenance="False"), "node3": node(3)},
        volume(),
        "node1 is in maintenance too",
    ),
    "another one that was declared with it and comes later": (
        {"node1": node(1), "node3": node(3, maintenance=True)},
        volume(),
        "node3 is in maintenance too",
    ),
    "another one that holds no bricks": (
        TWO | {"node4": node(4, roles=("Hypervisor",), Reachable="False")},
        volume(),
        "",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_host_may_be_taken_out_only_while_the_site_is_known_to_bear_it(name: str) -> None:
    others, of_site, told = CASES[name]
    said = maintenance_condition(OUT, SiteView.holding([*others.values(), OUT, of_site]))
    assert "changes nothing on the host" in said.message
    if told:
        assert (said.state, said.reason) == (State.FALSE, Reason.MAINTENANCE_UNSAFE)
        assert f"do not switch node2 off: {told}" in said.message
    else:
        assert (said.state, said.reason) == (State.TRUE, Reason.AS_DECLARED)


def test_what_was_found_to_be_safe_stays_so_while_the_host_is_out() -> None:
    out = node(2, maintenance=True, Maintenance="True")
    view = SiteView.holding([*TWO.values(), out, volume(BricksReady="False", Healed="False")])
    assert maintenance_condition(out, view).state is State.TRUE


def test_a_volume_that_was_not_looked_at_since_its_spec_was_changed_is_told_once() -> None:
    seen = volume()
    changed = seen.model_copy(update={"metadata": seen.metadata.model_copy(update={"generation": 2})})
    said = maintenance_condition(OUT, SiteView.holding([*TWO.values(), OUT, changed])).message
    assert said.count("vmstore was not observed yet") == 1


def test_an_object_that_cannot_be_understood_may_be_a_volume_that_heals() -> None:
    view = SiteView.holding([*TWO.values(), OUT], unread=[("GlusterVolume", "other")])
    assert "GlusterVolume other cannot be understood" in maintenance_condition(OUT, view).message
