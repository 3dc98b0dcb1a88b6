"""What the links of a host shall be: bonds, VLANs, addresses, routes, and what is left alone."""

from configparser import ConfigParser
from typing import Any

import pytest

from heretic.domain.errors import Reason
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.plan import Blocked
from heretic.domain.wiring.profiles import LinkProfile
from heretic.domain.wiring.wanted import LinkGroup, link_groups, neighbours, routing
from sim.declared import node
from unit.wiring.link_hosts import GUESTS, MANAGEMENT, SSH, STORAGE, a_node, leads, port, site

TWO = (leads(port(2), "gluster"), leads(port(3), "gluster"))


def groups(*findings: Any, extra: tuple[Interface, ...] = (), **changes: dict[str, Any]) -> list[LinkGroup | Blocked]:
    of = a_node()
    links = (*(finding.port for finding in findings), *extra)
    return list(link_groups(of, site(of, **changes), links, findings))


def group(*findings: Any, extra: tuple[Interface, ...] = (), **changes: dict[str, Any]) -> LinkGroup:
    (found,) = groups(*findings, extra=extra, **changes)
    assert isinstance(found, LinkGroup)
    return found


def read(profile: LinkProfile) -> ConfigParser:
    parsed = ConfigParser()
    parsed.read_string(profile.text)
    return parsed


def test_two_ports_of_a_network_are_bonded() -> None:
    found = group(*TWO)
    assert [profile.link for profile in found.profiles] == ["eno2", "eno3", "bond0"]
    member, _, bond = map(read, found.profiles)
    assert (member["connection"]["controller"], member["ethernet"]["mtu"]) == ("bond0", "9000")
    assert "ipv4" not in member
    assert dict(bond["bond"]) == {"mode": "active-backup", "miimon": "100"}
    assert dict(bond["ipv4"]) == {"method": "manual", "address1": f"{STORAGE}/24", "never-default": "true"}


def test_a_declared_bond_is_written_with_its_options() -> None:
    declared = {"mode": "802.3ad", "transmitHash": "layer2+3", "lacpRate": "fast", "miimon": 50}
    bond = read(group(*TWO, gluster={"bond": declared}).profiles[-1])
    options = {"mode": "802.3ad", "miimon": "50", "xmit_hash_policy": "layer2+3", "lacp_rate": "fast"}
    assert dict(bond["bond"]) == options


def test_the_name_of_a_bond_that_is_there_stays_and_a_new_one_takes_a_free_name() -> None:
    there = Interface("bond4", "52:54:00:00:00:02", "bond", True, 1500, bond=Bond("active-backup"))
    in_it = (leads(port(2, master="bond4"), "gluster"), leads(port(3), "gluster"))
    assert group(*in_it, extra=(there,)).profiles[-1].link == "bond4"
    other = Interface("bond0", "52:54:00:00:00:09", "bond", True, 1500, bond=Bond("active-backup"))
    assert group(*TWO, extra=(other,)).profiles[-1].link == "bond1"


def test_a_tagged_network_lies_on_the_port_that_carries_another_without_a_tag() -> None:
    found = group(leads(port(2), "gluster", "lan"))
    assert [profile.link for profile in found.profiles] == ["eno2", "eno2.12"]
    base, vlan = map(read, found.profiles)
    assert (base["ethernet"]["mtu"], vlan["ethernet"]["mtu"]) == ("9000", "1500")
    assert dict(vlan["vlan"]) == {"id": "12", "parent": "eno2"}
    assert vlan["ipv4"]["address1"] == f"{GUESTS}/24"


def test_a_port_that_carries_tagged_networks_alone_has_no_address() -> None:
    base, _ = map(read, group(leads(port(2), "lan")).profiles)
    assert (base["ipv4"]["method"], base["ipv6"]["method"]) == ("disabled", "link-local")


def test_the_default_route_is_that_of_management_where_it_has_a_router() -> None:
    of = a_node()
    assert routing(of, site(of)) == "mgmt"
    assert routing(of, site(of, mgmt={"gateway": ""})) == "lan"
    lan = read(group(leads(port(2), "lan")).profiles[-1])
    assert lan["ipv4"]["never-default"] == "true"
    alone = read(group(leads(port(2), "lan"), mgmt={"gateway": ""}).profiles[-1])
    assert alone["ipv4"]["gateway"] == "172.20.12.1"


def test_name_servers_are_asked_through_their_network() -> None:
    servers = {"nameServers": ["172.20.12.2", "172.20.12.3"], "searchDomains": ["lan.private"]}
    lan = read(group(leads(port(2), "lan"), lan=servers).profiles[-1])
    assert (lan["ipv4"]["dns"], lan["ipv4"]["dns-search"]) == ("172.20.12.2;172.20.12.3;", "lan.private;")


def test_both_families_are_written_where_both_are_declared() -> None:
    of = a_node(addresses=[{"network": "gluster", "address": STORAGE, "ipv6": "fd00:11::11"}])
    both = site(of, gluster={"ipv6": {"subnet": "fd00:11::/64"}})
    (found,) = link_groups(of, both, (port(2),), (leads(port(2), "gluster"),))
    assert isinstance(found, LinkGroup)
    (profile,) = map(read, found.profiles)
    assert (profile["ipv4"]["address1"], profile["ipv6"]["address1"]) == (f"{STORAGE}/24", "fd00:11::11/64")


def test_another_content_is_another_profile() -> None:
    one, other = group(leads(port(2), "gluster")), group(leads(port(2), "gluster"), gluster={"mtu": 1500})
    assert one.profiles[0].file == other.profiles[0].file
    assert one.profiles[0].uuid != other.profiles[0].uuid
    assert one == group(leads(port(2), "gluster"))


def test_what_carries_nothing_comes_first_and_ssh_last() -> None:
    busy = port(3, f"{GUESTS}/24")
    found = groups(leads(SSH, "mgmt"), leads(busy, "lan"), leads(port(2), "gluster"))
    assert [g.networks for g in found if isinstance(g, LinkGroup)] == [("gluster",), ("lan",), ("mgmt",)]
    assert [(g.free, g.carries_management) for g in found if isinstance(g, LinkGroup)] == [
        (True, False),
        (False, False),
        (False, True),
    ]


@pytest.mark.parametrize(
    ("there", "names", "differs"),
    [
        pytest.param((SSH,), ("mgmt",), "", id="as declared"),
        pytest.param((port(2),), ("gluster",), f"eno2 has not the address {STORAGE}/24", id="no address"),
        pytest.param(
            (port(2, f"{STORAGE}/24"),),
            ("gluster",),
            "eno2 has an MTU of 1500 bytes, 9000 are declared",
            id="a small MTU",
        ),
        pytest.param((port(1, f"{MANAGEMENT}/24", mtu=9000),), ("mgmt",), "", id="a larger MTU"),
        pytest.param((port(1, f"{MANAGEMENT}/16"),), ("mgmt",), f"eno1 has not the address {MANAGEMENT}/24", id="mask"),
        pytest.param((port(2, f"{GUESTS}/24"),), ("lan",), "there is no eno2.12", id="no VLAN"),
    ],
)
def test_a_difference_is_told_and_what_is_as_declared_has_none(
    there: tuple[Interface, ...], names: tuple[str, ...], differs: str
) -> None:
    assert group(*(leads(link, *names) for link in there)).differs == differs


@pytest.mark.parametrize(
    ("findings", "extra", "changes", "reason", "words"),
    [
        pytest.param(
            (leads(port(2, master="ovirtmgmt"), "gluster"),),
            (Interface("ovirtmgmt", "52:54:00:00:00:02", "bridge", True, 1500, addresses=(f"{STORAGE}/24",)),),
            {},
            Reason.NETWORK_DIFFERS,
            "on eno2 lies ovirtmgmt, which somebody else has made",
            id="a bridge of the engine",
        ),
        pytest.param(
            (leads(port(2), "gluster", "mgmt"),),
            (),
            {},
            Reason.PORT_ON_TWO_NETWORKS,
            "eno2 lead to gluster and mgmt, both without a VLAN",
            id="two networks without a tag",
        ),
        pytest.param(
            (leads(port(2), "gluster", "lan"), leads(port(3), "gluster", "lan")),
            (),
            {"gluster": {"bond": {"mode": "balance-rr"}}},
            Reason.INVALID_SPEC,
            "balance-rr for gluster is declared",
            id="guests behind round robin",
        ),
        pytest.param(
            (leads(port(2), "gluster", "lan"), leads(port(3), "gluster", "lan")),
            (),
            {"gluster": {"bond": {"mode": "802.3ad"}}, "lan": {"bond": {"mode": "balance-xor"}}},
            Reason.INVALID_SPEC,
            "802.3ad for gluster, balance-xor for lan is declared",
            id="two bonds of the same ports",
        ),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(
    findings: Any, extra: tuple[Interface, ...], changes: dict[str, Any], reason: Reason, words: str
) -> None:
    (found,) = groups(*findings, extra=extra, **changes)
    assert isinstance(found, Blocked)
    assert found.reason is reason
    assert words in found.message


def test_a_port_that_leads_nowhere_or_contradicts_itself_is_not_touched() -> None:
    clash = leads(port(3), "gluster")
    assert (
        groups(leads(port(2)), type(clash)(clash.port, clash.networks, clash.how, "", "", ((Reason.PORT_MOVED, ""),)))
        == []
    )


def test_routers_are_asked_before_other_nodes_and_nobody_asks_himself() -> None:
    of = a_node()
    assert neighbours(of, site(of), ("mgmt",)) == ("172.20.10.1", node("n2", 12).spec.address)
