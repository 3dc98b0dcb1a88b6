"""Which network does the work of those that a site has not (rule:hvp-networks): 1, 2, 3 and 4 networks."""

import pytest

from heretic.domain.declared.names import storage_address
from heretic.domain.declared.validate import faults
from heretic.domain.network.logical import WORDS, DeclaredNetwork, wanted
from heretic.domain.wiring.wanted import routing
from sim.declared import network, node, view

SUBNETS = {
    "mgmt": ("Management", "172.20.10.0/24"),
    "gluster": ("Gluster", "172.20.11.0/24"),
    "lan": ("LAN", "172.20.12.0/24"),
    "internal": ("Internal", "172.20.13.0/24"),
}
DECLARED = {name: network(name, role, subnet) for name, (role, subnet) in SUBNETS.items()}
USAGES = {word: usage.value for usage, word in WORDS.items()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(("mgmt",), {"mgmt": {"Display", "Gluster", "Migration", "DefaultRoute"}}, id="1 network"),
        pytest.param(
            ("mgmt", "gluster"),
            {"mgmt": {"Display", "DefaultRoute"}, "gluster": {"Gluster", "Migration"}},
            id="2 networks",
        ),
        pytest.param(
            ("mgmt", "gluster", "lan"),
            {"mgmt": {"DefaultRoute"}, "gluster": {"Gluster", "Migration"}, "lan": {"Display"}},
            id="3 networks",
        ),
        pytest.param(
            ("mgmt", "lan"),
            {"mgmt": {"DefaultRoute", "Gluster", "Migration"}, "lan": {"Display"}},
            id="2 networks, none for bricks",
        ),
        pytest.param(
            ("mgmt", "gluster", "lan", "internal"),
            {"mgmt": {"DefaultRoute"}, "gluster": {"Gluster", "Migration"}, "lan": {"Display"}, "internal": set()},
            id="4 networks",
        ),
    ],
)
def test_what_is_missing_falls_to_the_management_network(names: tuple[str, ...], expected: dict[str, set[str]]) -> None:
    site = view([], networks=[DECLARED[name] for name in names])
    found: dict[str, set[str]] = {}
    for name in names:
        made = wanted(DECLARED[name], site)
        assert isinstance(made, DeclaredNetwork)
        found[name] = {USAGES[usage] for usage in made.usages}
    assert found == expected


@pytest.mark.parametrize(
    ("names", "storage", "routed"),
    [
        pytest.param(("mgmt",), "172.20.10.11", "mgmt", id="1 network"),
        pytest.param(("mgmt", "gluster"), "172.20.11.11", "mgmt", id="2 networks"),
        pytest.param(("mgmt", "lan"), "172.20.10.11", "mgmt", id="2 networks, none for bricks"),
        pytest.param(("mgmt", "gluster", "lan"), "172.20.11.11", "mgmt", id="3 networks"),
        pytest.param(("mgmt", "gluster", "lan", "internal"), "172.20.11.11", "mgmt", id="4 networks"),
    ],
)
def test_bricks_have_a_network_of_their_own_whenever_there_are_two(
    names: tuple[str, ...], storage: str, routed: str
) -> None:
    networks = [
        network(name, role, subnet, gateway=subnet.replace("0/24", "1"))
        for name, (role, subnet) in SUBNETS.items()
        if name in names
    ]
    addresses = [
        {"network": name, "address": SUBNETS[name][1].replace("0/24", "11")} for name in names if name != "mgmt"
    ]
    of = node("n1", 11, addresses=addresses)
    site = view([of], networks=networks)
    assert faults(site) == ()
    assert storage_address(site, of) == storage
    assert routing(of, site) == routed


@pytest.mark.parametrize(
    ("name", "bridged", "required", "in_engine"),
    [
        pytest.param("mgmt", None, True, "ovirtmgmt", id="Management: as the engine has it"),
        pytest.param("gluster", False, True, "gluster", id="Gluster: no bridge, and no host without it"),
        pytest.param("lan", True, False, "lan", id="LAN: a bridge"),
        pytest.param("internal", True, False, "internal", id="Internal: a bridge"),
    ],
)
def test_each_role_has_its_bridge_and_its_name(name: str, bridged: bool | None, required: bool, in_engine: str) -> None:
    made = wanted(DECLARED[name], view([], networks=list(DECLARED.values())))
    assert isinstance(made, DeclaredNetwork)
    assert (made.for_machines, made.required, made.name, made.mtu) == (bridged, required, in_engine, 1500)
