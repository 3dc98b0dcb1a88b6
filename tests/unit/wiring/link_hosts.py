"""A host with four ports on three networks, for tables about its links."""

from dataclasses import replace
from typing import Any

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.declared.view import SiteView
from heretic.domain.host.interfaces import Interface
from heretic.domain.wiring.classify import How, PortFinding
from sim.declared import network, node, view

MANAGEMENT, STORAGE, GUESTS = "172.20.10.11", "172.20.11.11", "172.20.12.11"
ADDRESSES = [{"network": "gluster", "address": STORAGE}, {"network": "lan", "address": GUESTS}]


def networks(**changes: dict[str, Any]) -> list[Network]:
    declared: dict[str, dict[str, Any]] = {
        "mgmt": {"role": "Management", "subnet": "172.20.10.0/24", "gateway": "172.20.10.1"},
        "gluster": {"role": "Gluster", "subnet": "172.20.11.0/24", "mtu": 9000, "probeAddress": "172.20.11.200"},
        "lan": {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12, "gateway": "172.20.12.1"},
    }
    changed = {name: spec | changes.get(name, {}) for name, spec in declared.items()}
    return [network(name, **{k: v for k, v in spec.items() if v != ""}) for name, spec in changed.items()]


def a_node(**spec: Any) -> Node:
    declared: dict[str, Any] = {"addresses": ADDRESSES, "configureLinks": True} | spec
    return node("n1", 11, **declared)


def site(of: Node, **changes: dict[str, Any]) -> SiteView:
    return view([of, node("n2", 12)], networks=networks(**changes))


def port(number: int, *addresses: str, **more: Any) -> Interface:
    made = Interface(f"eno{number}", f"52:54:00:00:00:0{number}", "ether", True, 1500, addresses=addresses)
    return replace(made, **more)


def leads(of: Interface, *names: str, how: How = How.ANSWERED, said: str = "") -> PortFinding:
    return PortFinding(of, names, how, said)


SSH = port(1, f"{MANAGEMENT}/24")
