"""An address of IPv6 as the one that SSH goes to: which address does what, and what cannot be."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import Network, Node
from heretic.domain.declared.names import address_in, interfaces_in, ipv6_in, peer_names, storage_address
from heretic.domain.declared.validate import faults
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.profiles import DEBIAN_13
from heretic.domain.host.rule import HostContext
from heretic.domain.node.configuration import plan_configuration
from heretic.domain.node.guards import firewall
from heretic.domain.plan import Blocked
from heretic.kinds import KINDS
from sim.blank_site import blank_site
from sim.declared import network, node, site, view
from sim.one_host import OneHost, node_resource
from sim.world import World

SIX, FOUR, STORAGE = "fd00:20:10::11", "172.20.10.11", "172.20.11.11"
ALONE = network("mgmt", "Management", "fd00:20:10::/64")
BOTH = network("mgmt", "Management", "172.20.10.0/24", ipv6={"subnet": "fd00:20:10::/64"})
GLUSTER = network("gluster", "Gluster", "172.20.11.0/24")
IN_MGMT: dict[str, Any] = {"network": "mgmt", "address": FOUR, "ipv6": SIX}
IN_GLUSTER: dict[str, Any] = {"network": "gluster", "address": STORAGE}


def host(*entries: dict[str, Any], address: str = SIX, **more: Any) -> Node:
    return node("n1", 11, **{"address": address, "addresses": list(entries), **more})


@pytest.mark.parametrize(
    ("management", "of", "address", "own", "six", "links"),
    [
        pytest.param(ALONE, host(IN_GLUSTER), STORAGE, SIX, "", (f"{SIX}/64",), id="IPv6 alone, bricks elsewhere"),
        pytest.param(BOTH, host(IN_GLUSTER), STORAGE, SIX, SIX, (f"{SIX}/64",), id="both, of which it has one"),
        pytest.param(BOTH, host(IN_MGMT), FOUR, FOUR, SIX, (f"{FOUR}/24", f"{SIX}/64"), id="both, bricks there too"),
        pytest.param(
            BOTH, host(IN_MGMT, address="n1.mgmt.private"), FOUR, FOUR, SIX, (f"{FOUR}/24", f"{SIX}/64"), id="a name"
        ),
        pytest.param(BOTH, host(address=FOUR), FOUR, FOUR, "", (f"{FOUR}/24",), id="both, and SSH goes by IPv4"),
    ],
)
def test_which_address_does_what(
    management: Network, of: Node, address: str, own: str, six: str, links: tuple[str, ...]
) -> None:
    declared = view([of], networks=[management, GLUSTER])
    assert storage_address(declared, of) == address
    assert (address_in(management, of), ipv6_in(management, of)) == (own, six)
    assert interfaces_in(management, of) == links
    assert {of.spec.address, address} <= set(peer_names(declared, "n1"))


@pytest.mark.parametrize(
    ("management", "of", "reason"),
    [
        pytest.param(ALONE, host(IN_GLUSTER), None, id="in the only subnet"),
        pytest.param(BOTH, host(IN_MGMT), None, id="in the second one, and listed there"),
        pytest.param(BOTH, host(IN_GLUSTER), None, id="in the second one alone"),
        pytest.param(
            BOTH, host(IN_GLUSTER, address="fd00:20:99::11"), Reason.ADDRESS_OUTSIDE_NETWORK, id="in neither of them"
        ),
        pytest.param(ALONE, host(IN_GLUSTER, address=FOUR), Reason.ADDRESS_OUTSIDE_NETWORK, id="of the other family"),
    ],
)
def test_it_is_held_against_the_subnets(management: Network, of: Node, reason: Reason | None) -> None:
    found = [fault.reason for fault in faults(view([of], networks=[management, GLUSTER]))]
    assert found == ([reason] if reason else [])


def test_two_hosts_do_not_have_one_of_them() -> None:
    two = [host(IN_GLUSTER), node("n2", 12, address="n2.mgmt.private", addresses=[{"network": "mgmt", "address": SIX}])]
    (fault,) = faults(view(two, networks=[ALONE, GLUSTER]))
    assert fault.reason is Reason.DUPLICATE_ADDRESS


@pytest.mark.parametrize(
    ("address", "words"),
    [(SIX, f"{SIX}, is of IPv6"), ("n1.mgmt.private", "n1.mgmt.private, is a name")],
    ids=["IPv6", "a name"],
)
def test_a_host_with_bricks_and_no_address_for_them_is_told_with_what_to_give(address: str, words: str) -> None:
    lan = network("lan", "LAN", "172.20.12.0/24")
    of = node_resource(address=address, addresses=[{"network": "lan", "address": "172.20.12.11"}])
    made = OneHost(node=of)
    told = plan_configuration(of, SiteView.holding([site(), of, ALONE, lan]), made.observe(), KINDS.features).obstacles
    (blocked,) = [one for one in told if one.reason is Reason.INVALID_SPEC]
    assert isinstance(blocked, Blocked)
    assert words in blocked.message


def test_a_firewall_is_not_judged_for_a_host_without_an_address_of_ipv4() -> None:
    of = node_resource(address=SIX, addresses=[{"network": "lan", "address": "172.20.12.11"}])
    made = OneHost(node=of)
    facts = replace(made.observe(), firewall=Known(()))
    context = HostContext(of, SiteView.holding([site(), of, ALONE]), facts, DEBIAN_13)
    (told,) = firewall(context, next(feature for feature in KINDS.features if feature.openings))
    assert isinstance(told, Blocked)
    assert f"its storage address {SIX} is none of IPv4" in told.message


async def test_a_site_whose_management_network_has_ipv6_alone_gets_from_blank_to_ready() -> None:
    async with World(blank_site({"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}}, ipv6=True)) as made:
        await made.start_operator()
        await made.run()
        for machine in made.site.machines.values():
            hosts = machine.files["/etc/hosts"].content
            assert [f"172.20.11.{n} node{n - 10}.gluster.private" in hosts for n in (11, 12, 13)] == [True] * 3
            assert "2001:2::" not in hosts
        attached = made.condition("Network", "mgmt", "InSync")
        assert (attached["status"], attached["message"]) == ("True", "3 nodes are attached as declared")
        effects = len(made.site.effects)
        await made.round()
        assert made.site.effects[effects:] == []
        assert made.site.refusals == []
