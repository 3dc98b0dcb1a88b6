"""The automatic choices for storage, and everything that keeps them from being made."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.site import SiteStorage
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Wait
from heretic.domain.pool.choose import choose_storage, not_absorbed
from heretic.domain.pool.order import chained, ring, shared_domain
from sim.declared import GIB, disk, network, node, site, three, view

SHARED = "0x5000c500a1b2c3d4"


def chosen(of: SiteView) -> tuple[list[str], str, int]:
    choice = choose_storage(of)
    assert isinstance(choice, SiteStorage), choice
    return choice.nodes, choice.arbiter, choice.data_disk_count


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        pytest.param([node("n1", 11)], (["n1"], "", 1), id="one node: one copy"),
        pytest.param(three(), (["n1", "n2", "n3"], "n3", 1), id="three alike: the last by name, as HVP"),
        pytest.param(
            [node("n1", 11, disks=[disk("a", 100 * GIB)]), node("n2", 12), node("n3", 13)],
            (["n2", "n3", "n1"], "n1", 1),
            id="the one with the least disk space",
        ),
        pytest.param(
            [node("n1", 11), node("n2", 12, facts={"memory": "8Gi"}), node("n3", 13)],
            (["n1", "n3", "n2"], "n2", 1),
            id="equal disks: the one with the least memory",
        ),
        pytest.param(
            [node("n1", 11, facts={"cpus": 2}), node("n2", 12), node("n3", 13)],
            (["n2", "n3", "n1"], "n1", 1),
            id="equal disks and memory: the one with the fewest CPUs",
        ),
        pytest.param(
            [node("n1", 11, facts={"memory": ""}), node("n2", 12), node("n3", 13)],
            (["n1", "n2", "n3"], "n3", 1),
            id="memory not told by one: not compared, not taken for none",
        ),
        pytest.param(
            [node("n1", 11, arbiter="Always"), node("n2", 12), node("n3", 13, disks=[disk("c", 100 * GIB)])],
            (["n2", "n3", "n1"], "n1", 1),
            id="the one that says Always, weak or not",
        ),
        pytest.param(
            [node("n1", 11), node("n2", 12), node("n3", 13, arbiter="Never")],
            (["n1", "n3", "n2"], "n2", 1),
            id="never the one that says Never",
        ),
        pytest.param(three(arbiter="Never"), (["n1", "n2", "n3"], "", 1), id="all say Never: rotating arbiters"),
        pytest.param(
            [
                node("n1", 11, disks=[disk("a"), disk("b"), disk("c"), disk("d")]),
                node("n2", 12, disks=[disk("e"), disk("f")]),
                node("n3", 13, disks=[disk("g", 50 * GIB)]),
            ],
            (["n1", "n2", "n3"], "n3", 2),
            id="as many data disks as all data nodes have; the arbiter's do not count",
        ),
        pytest.param(
            [node(f"n{i}", 10 + i, disks=[disk(f"{i}{x}") for x in "abcde"]) for i in (1, 2, 3, 4)],
            (["n1", "n2", "n3", "n4"], "", 3),
            id="four nodes: chained, at most three data disks",
        ),
        pytest.param(
            [node("n1", 11, disks=[disk("a", finding="gpt"), disk("b")]), node("n2", 12), node("n3", 13)],
            (["n1", "n2", "n3"], "n3", 1),
            id="a disk with a finding is no disk",
        ),
        pytest.param(
            [
                node("n1", 11, disks=[disk("a", path="/dev/sdb", wwn=SHARED), disk("b")]),
                node("n2", 12, disks=[disk("c", path="/dev/sdb", wwn=SHARED), disk("d")]),
                node("n3", 13),
            ],
            (["n1", "n2", "n3"], "n3", 1),
            id="a disk that two nodes see is no disk of either",
        ),
    ],
)
def test_choice(nodes: list[Node], expected: tuple[list[str], str, int]) -> None:
    assert chosen(view(nodes)) == expected


def pair(address: str = "172.20.10.12", **spec: Any) -> list[Node]:
    return [node("n1", 11), node("n2", 12, address=address, **spec), node("n3", 13)]


GLUSTER = network("gluster", "Gluster", "172.20.11.0/24")
ADDRESS = {"network": "gluster", "address": "172.20.11.12"}


def dual(**spec: Any) -> Network:
    return network("gluster", "Gluster", "172.20.11.0/24", **spec)


@pytest.mark.parametrize(
    ("of", "reason", "says"),
    [
        pytest.param(
            view([node("n1", 11), node("n2", 12)]), Reason.UNSUPPORTED_NODE_COUNT, "2 storage", id="two nodes"
        ),
        pytest.param(
            view([node("n1", 11, failureDomain="a"), node("n2", 12, failureDomain="a"), node("n3", 13)]),
            Reason.FAILURE_DOMAIN_SHARED,
            "n1 and n2",
            id="two of three in one failure domain",
        ),
        pytest.param(
            view([node(f"n{i}", 10 + i, failureDomain="ab"[i % 2]) for i in (1, 2, 3, 4)]),
            Reason.FAILURE_DOMAIN_SHARED,
            "n1 in b",
            id="four nodes in two failure domains",
        ),
        pytest.param(
            view([node("n1", 11, arbiter="Always"), node("n2", 12, arbiter="Always"), node("n3", 13)]),
            Reason.INVALID_SPEC,
            "n1 and n2",
            id="two arbiters",
        ),
        pytest.param(
            view([node(f"n{i}", 10 + i, arbiter="Always" if i == 2 else "Auto") for i in (1, 2, 3, 4)]),
            Reason.INVALID_SPEC,
            "n2",
            id="an arbiter-only node among four",
        ),
        pytest.param(view(pair("172.20.10.11")), Reason.DUPLICATE_ADDRESS, "172.20.10.11", id="same SSH address"),
        pytest.param(
            view(
                [
                    node(f"n{i}", 10 + i, addresses=[{"network": "gluster", "address": "172.20.11.9"}])
                    for i in (1, 2, 3)
                ],
                networks=[GLUSTER],
            ),
            Reason.DUPLICATE_ADDRESS,
            "3 times",
            id="same storage address",
        ),
        pytest.param(
            view(
                pair(addresses=[{"network": "gluster", "address": "172.20.12.12"}]),
                networks=[GLUSTER],
            ),
            Reason.ADDRESS_OUTSIDE_NETWORK,
            "172.20.12.12 of n2",
            id="storage address outside its network",
        ),
        pytest.param(
            view(pair("10.0.0.5"), networks=[network("mgmt", "Management", "172.20.10.0/24")]),
            Reason.ADDRESS_OUTSIDE_NETWORK,
            "10.0.0.5 of n2",
            id="SSH address outside the management network",
        ),
        pytest.param(
            view(pair(addresses=[{"network": "glutser", "address": "172.20.11.12"}]), networks=[GLUSTER]),
            Reason.NETWORK_NOT_FOUND,
            "there are: gluster",
            id="unknown Network",
        ),
        pytest.param(
            view(three(), networks=[GLUSTER, network("two", "Gluster", "172.20.14.0/24")]),
            Reason.INVALID_SPEC,
            "gluster, two",
            id="two storage networks",
        ),
        pytest.param(
            view(three(), networks=[network("mgmt", "Management", "172.20.10.0/24", gateway="172.20.10.13")]),
            Reason.DUPLICATE_ADDRESS,
            "the gateway of Network mgmt",
            id="a node has the gateway's address",
        ),
        pytest.param(
            view(three(), networks=[network("mgmt", "Management", "172.20.10.0/24", probeAddress="172.20.10.13")]),
            Reason.DUPLICATE_ADDRESS,
            "the probe address of Network mgmt",
            id="a node has the probe address",
        ),
        pytest.param(
            view(three(), networks=[GLUSTER, network("lan", "LAN", "172.20.0.0/16")]),
            Reason.INVALID_SPEC,
            "172.20.11.0/24 of Network gluster and 172.20.0.0/16 of Network lan overlap",
            id="subnets that overlap",
        ),
        pytest.param(
            view(three(), networks=[network("lan", "LAN", "fd00:1::/48"), dual(ipv6={"subnet": "fd00:1:0:2::/64"})]),
            Reason.INVALID_SPEC,
            "overlap",
            id="subnets of IPv6 that overlap",
        ),
        pytest.param(
            view(three(), networks=[dual(vlan=12), network("lan", "LAN", "172.20.12.0/24", vlan=12)]),
            Reason.INVALID_SPEC,
            "Networks gluster and lan both have VLAN 12",
            id="one VLAN for two networks",
        ),
        pytest.param(
            view(pair(addresses=[ADDRESS | {"ipv6": "fd00:11::12"}]), networks=[GLUSTER]),
            Reason.ADDRESS_OUTSIDE_NETWORK,
            "declares no `ipv6`",
            id="an IPv6 address in a network without",
        ),
        pytest.param(
            view(pair(addresses=[ADDRESS | {"ipv6": "fd00:12::12"}]), networks=[dual(ipv6={"subnet": "fd00:11::/64"})]),
            Reason.ADDRESS_OUTSIDE_NETWORK,
            "fd00:12::12 of n2",
            id="an IPv6 address outside its network",
        ),
        pytest.param(
            view(
                pair(addresses=[ADDRESS | {"ipv6": "fd00:11::1"}]),
                networks=[dual(ipv6={"subnet": "fd00:11::/64", "gateway": "fd00:11::1"})],
            ),
            Reason.DUPLICATE_ADDRESS,
            "the gateway of Network gluster",
            id="a node has the IPv6 gateway's address",
        ),
        pytest.param(
            view(
                [node("n1", 11), node("n2", 12, disks=[disk("b", sectorBytes=4096)]), node("n3", 13)],
            ),
            Reason.SECTOR_SIZE_MISMATCH,
            "4096 bytes: wwn-b of n2",
            id="sectors of two sizes",
        ),
        pytest.param(
            view([node("n1", 11), node("n2", 12, disks=[disk("b", finding="ext4 filesystem")]), node("n3", 13)]),
            Reason.NO_USABLE_DISK,
            "ext4 filesystem",
            id="a node without a usable disk",
        ),
        pytest.param(
            view(three(), sites=[site(), site().model_copy(update={"metadata": GLUSTER.metadata})]),
            Reason.MORE_THAN_ONE_SITE,
            "2 Sites",
            id="two Sites",
        ),
    ],
)
def test_what_a_person_must_change(of: SiteView, reason: Reason, says: str) -> None:
    choice = choose_storage(of)
    assert isinstance(choice, Blocked), choice
    assert choice.reason is reason
    assert says in choice.message


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        pytest.param(view(three(), sites=[]), Reason.SITE_NOT_FOUND, id="no Site"),
        pytest.param(view([]), Reason.WAITING_FOR_NODES, id="no node"),
        pytest.param(view([node("n1", 11, roles=["Hypervisor"])]), Reason.WAITING_FOR_NODES, id="no storage node"),
        pytest.param(
            view([node("n1", 11), node("n2", 12), node("n3", 13, conditions=[])]),
            Reason.WAITING_FOR_NODES,
            id="a node that was never inspected",
        ),
    ],
)
def test_what_time_will_bring(of: SiteView, reason: Reason) -> None:
    choice = choose_storage(of)
    assert isinstance(choice, Wait), choice
    assert choice.reason is reason


def test_an_inspection_of_an_older_spec_does_not_count() -> None:
    nodes = three()
    old = nodes[1].metadata.model_copy(update={"generation": 2})
    nodes[1] = nodes[1].model_copy(update={"metadata": old})
    assert isinstance(choose_storage(view(nodes)), Wait)


def test_a_recorded_choice_stays_and_new_nodes_are_reported() -> None:
    recorded = {"nodes": ["n2", "n3", "n1"], "arbiter": "n1", "dataDiskCount": 2}
    of = view([*three(), node("n4", 14)], sites=[site(recorded)])
    assert chosen(of) == (["n2", "n3", "n1"], "n1", 2)
    assert not_absorbed(of) == ("n4",)
    assert not_absorbed(view(three())) == ()


@given(st.integers(3, 9))
def test_chained_sets_share_the_load(count: int) -> None:
    nodes = [f"n{i}" for i in range(count)]
    sets = chained(nodes)
    for node_name in nodes:
        assert sum(node_name in s[:2] for s in sets) == 2
        assert sum(node_name == s[2] for s in sets) == 1
    assert all(len(set(s)) == 3 for s in sets)


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=3, max_size=7))
def test_a_ring_never_puts_two_copies_into_one_failure_domain(domains: list[str]) -> None:
    by_node = {f"n{i}": d for i, d in enumerate(domains)}
    order = ring(tuple(by_node), by_node)
    counts = {d: domains.count(d) for d in domains if d}
    if order is None:
        assert counts, "nodes that fail alone can always be ordered"
    else:
        assert sorted(order) == sorted(by_node)
        assert all(shared_domain(s, by_node) is None for s in chained(order))
        assert all(3 * n <= len(domains) for n in counts.values())
