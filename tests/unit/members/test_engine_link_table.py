"""What the links of a host of the engine lack, by what the engine shows: the change that is asked for, or why none."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import HostedEngine, Network, Node
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.call import unmet
from heretic.domain.engine.facts import ClusterNetwork, EngineHost
from heretic.domain.engine.host_parts import DifferingValue, EngineInterface, HostAttachment
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import Part
from heretic.domain.node.engine_link_steps import SetUpHostNetworks
from heretic.domain.node.engine_links import plan_engine_links
from heretic.domain.node.links import plan_links
from heretic.domain.node.member import EngineMember, membership
from heretic.domain.node.wiring import is_being_wired
from heretic.domain.plan import Blocked, Wait
from heretic.domain.wiring.classify import How, PortFinding
from heretic.domain.wiring.manager import KEPT_LINKS, KeptLinks, Manager
from heretic.domain.wiring.wiring import Wiring
from sim.declared import node
from sim.declared import site as site_resource
from sim.site_rules import resource
from unit.members.test_member_table import ENGINE, engine, engine_host
from unit.wiring.link_hosts import port

DECLARED: dict[str, dict[str, Any]] = {
    "mgmt": {"role": "Management", "subnet": "172.20.10.0/24"},
    "gluster": {"role": "Gluster", "subnet": "172.20.11.0/24", "bond": {"miimon": 100}},
    "lan": {"role": "LAN", "subnet": "172.20.12.0/24", "vlan": 12},
}
USAGES = {"mgmt": {"management"}, "gluster": {"gluster", "migration"}, "lan": {"vm", "display"}}
BOND = EngineInterface("i-bond0", "bond0", ("i-eno2", "i-eno3"), (("mode", "1"), ("miimon", "100")))
PORTS = tuple(EngineInterface(f"i-eno{n}", f"eno{n}") for n in range(1, 5))
GLUSTER = "172.20.11.11/24"


def on(name: str, link: str, *addresses: str, **more: Any) -> HostAttachment:
    given: dict[str, Any] = {"in_sync": True, "different": (), "addresses": addresses} | more
    return HostAttachment(f"a-{name}", f"id-{name}", interface=f"i-{link}", **given)


MGMT, BRICKS, GUESTS = on("mgmt", "eno1"), on("gluster", "bond0", GLUSTER), on("lan", "eno4")
GOOD = engine_host("up", id="h", attachments=(MGMT, BRICKS, GUESTS), guests=0, interfaces=(*PORTS, BOND))


def bonded(*options: tuple[str, str]) -> EngineInterface:
    return replace(BOND, options=options)


def leads(number: int, *networks: str) -> PortFinding:
    return PortFinding(port(number), networks, How.DECLARED if networks else None)


FOUND = (leads(1, "mgmt"), leads(2, "gluster"), leads(3, "gluster"), leads(4, "lan"))


def site(of: Node, engine_id: str = "e", **changes: dict[str, Any]) -> SiteView:
    declared = [
        resource(Network, name, spec | changes.get(name, {}), {"logicalNetwork": {"id": f"id-{name}"}})
        for name, spec in DECLARED.items()
    ]
    stands_for = resource(HostedEngine, "engine", dict(ENGINE["spec"]), {"engineId": engine_id})
    return SiteView.holding([site_resource(), of, node("n2", 12), *declared, stands_for])


def member(of: Node, host: EngineHost, without: str = "", **changes: dict[str, Any]) -> EngineMember:
    networks = tuple(ClusterNetwork(f"id-{n}", n, True, frozenset(USAGES[n]), "") for n in USAGES if n != without)
    seen = engine(host)
    assert isinstance(seen.clusters, Known)
    told = replace(seen, clusters=Known((replace(seen.clusters.value[0], networks=networks),)), own_machine=Absent())
    found = membership(of, site(of, engine_id="id", **changes), told)
    assert isinstance(found, EngineMember), found
    return found


def of_engine(**spec: Any) -> Node:
    addresses = [{"network": "gluster", "address": "172.20.11.11"}]
    return node("n1", 11, addresses=addresses, configureLinks=True, roles=["Storage", "Hypervisor"], **spec)


def planned(
    host: EngineHost = GOOD, found: tuple[PortFinding, ...] = FOUND, without: str = "", **changes: dict[str, Any]
) -> Part:
    of = of_engine()
    there = member(of, host, without, **changes)
    return plan_engine_links(of, site(of, "id", **changes), Wiring(found, None, False, (), ()), there)


def with_(*attached: HostAttachment, **more: Any) -> EngineHost:
    return replace(GOOD, attachments=attached, **more)


def out_of_sync(of: HostAttachment, *names: str) -> HostAttachment:
    return replace(of, in_sync=False, different=tuple(DifferingValue(name, "1", "2") for name in names))


@pytest.mark.parametrize(
    ("host", "found", "changes", "bonds", "networks", "takes_out"),
    [
        pytest.param(GOOD, FOUND, {}, [], [], None, id="as declared"),
        pytest.param(
            with_(MGMT, interfaces=PORTS), FOUND, {},
            ["bond0 of eno2+eno3 mode=1 miimon=100"], [f"gluster on bond0 with {GLUSTER}", "lan on eno4"], True,
            id="nothing but the management network",
        ),
        pytest.param(with_(MGMT, BRICKS), FOUND, {}, [], ["lan on eno4"], False, id="a network without an address"),
        pytest.param(
            with_(MGMT, on("gluster", "eno2", GLUSTER), GUESTS, interfaces=PORTS), FOUND, {},
            ["bond0 of eno2+eno3 mode=1 miimon=100"], ["gluster on bond0"], True,
            id="a network moves to the bond, and keeps its address",
        ),
        pytest.param(
            with_(MGMT, BRICKS, GUESTS, interfaces=(*PORTS, bonded(("mode", "4")))), FOUND, {},
            ["bond0 of eno2+eno3 mode=1 miimon=100"], [], True, id="another mode",
        ),
        pytest.param(
            with_(MGMT, BRICKS, GUESTS, interfaces=(*PORTS, bonded(("mode", "active-backup"), ("miimon", "100")))),
            FOUND, {}, [], [], None, id="the mode by its name",
        ),
        pytest.param(
            with_(MGMT, BRICKS, GUESTS, interfaces=(*PORTS, bonded(("mode", "4")))), FOUND,
            {"gluster": {"bond": None}}, [], [], None, id="any mode will do where none is declared",
        ),
        pytest.param(
            with_(MGMT, BRICKS), (*FOUND[:3], leads(4, "gluster")), {},
            ["bond0 of eno2+eno3+eno4 mode=1 miimon=100"], [], True, id="a port more",
        ),
        pytest.param(
            GOOD, (FOUND[0], FOUND[1], leads(3), FOUND[3]), {}, [], [], None,
            id="a port of which nothing is known stays",
        ),
        pytest.param(
            with_(MGMT, on("gluster", "bond0", "172.20.11.99/24"), GUESTS), FOUND, {},
            [], [f"gluster on bond0 with {GLUSTER}"], True, id="another address",
        ),
        pytest.param(
            with_(MGMT, out_of_sync(BRICKS, "ipv4_address"), GUESTS), FOUND, {}, [], ["gluster on bond0"], True,
            id="the host has another address than the engine, which has the declared one",
        ),
        pytest.param(
            with_(MGMT, out_of_sync(BRICKS, "mtu"), GUESTS), FOUND, {}, [], [], None, id="the MTU is the Network's",
        ),
        pytest.param(
            with_(MGMT, BRICKS), (leads(1, "mgmt"), FOUND[1], FOUND[2], leads(4, "mgmt")), {},
            ["bond1 of eno1+eno4 mode=1 miimon=100"], ["mgmt on bond1"], True,
            id="a bond below the management network, whose address stays",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_one_change(
    host: EngineHost,
    found: tuple[PortFinding, ...],
    changes: dict[str, Any],
    bonds: list[str],
    networks: list[str],
    takes_out: bool | None,
) -> None:
    part = planned(host, found, **changes)
    assert part.obstacles == ()
    if takes_out is None:
        assert part.steps == ()
        return
    (step,) = part.steps
    assert isinstance(step, SetUpHostNetworks)
    assert ([*map(str, step.bonds)], [*map(str, step.networks)]) == (bonds, networks)
    assert (step.takes_out, step.outage is not None) == (takes_out, takes_out)
    assert step.guests == (0 if takes_out else None)


@pytest.mark.parametrize(
    ("host", "found", "changes", "kind", "reason", "words"),
    [
        pytest.param(
            replace(GOOD, interfaces=None), FOUND, {}, Wait, Reason.NOT_OBSERVED, "was not told", id="not told",
        ),
        pytest.param(
            replace(GOOD, interfaces=(*PORTS[:3], BOND)), FOUND, {}, Wait, Reason.NOT_OBSERVED,
            "does not know eno4", id="a port that vanished",
        ),
        pytest.param(
            with_(MGMT, replace(BRICKS, addresses=None), GUESTS), FOUND, {}, Wait, Reason.NOT_OBSERVED,
            "what carries gluster", id="addresses not told",
        ),
        pytest.param(
            with_(MGMT, BRICKS, status="non_responsive"), FOUND, {}, Wait, Reason.WAITING_FOR_ENGINE,
            "NonResponsive", id="not reached",
        ),
        pytest.param(
            with_(MGMT, BRICKS, networks_changing=True), FOUND, {}, Wait, Reason.WORK_IN_PROGRESS, "just now",
            id="busy",
        ),
        pytest.param(
            with_(MGMT, on("gluster", "bond0"), guests=2), FOUND, {}, Wait, Reason.GUESTS_RUNNING, "2 machines",
            id="guests",
        ),
        pytest.param(
            with_(MGMT, on("gluster", "bond0"), guests=None), FOUND, {}, Wait, Reason.NOT_OBSERVED,
            "how many guests", id="guests not told",
        ),
        pytest.param(
            with_(BRICKS, GUESTS), FOUND, {}, Blocked, Reason.NETWORK_DIFFERS, "reinstall it there",
            id="no management network",
        ),
        pytest.param(
            GOOD, (*FOUND[:2], leads(3, "lan"), leads(4)), {}, Blocked, Reason.NETWORK_DIFFERS,
            "bond0 has eno3, which leads to lan", id="a port of the bond leads elsewhere",
        ),
        pytest.param(
            GOOD, (*FOUND[:3], leads(4, "gluster")), {}, Blocked, Reason.NETWORK_DIFFERS, "eno4 carries lan",
            id="a port that is to be bonded carries another network",
        ),
        pytest.param(
            with_(MGMT, out_of_sync(on("gluster", "eno2", GLUSTER), "default_route"), GUESTS, interfaces=PORTS),
            FOUND, {}, Blocked, Reason.NETWORK_DIFFERS, "before it is synchronised: default_route",
            id="out of sync in what nobody declares",
        ),
        pytest.param(
            with_(MGMT, BRICKS), (*FOUND[:3], leads(4, "lan", "gluster")),
            {"lan": {"bond": {"mode": "802.3ad"}}}, Blocked, Reason.INVALID_SPEC, "give them one bond",
            id="two bonds on one wire",
        ),
        pytest.param(
            with_(MGMT, BRICKS), (*FOUND[:3], leads(4, "lan", "gluster")),
            {"gluster": {"bond": {"mode": "balance-rr"}}}, Blocked, Reason.INVALID_SPEC, "balance-rr",
            id="a mode that guests cannot be behind",
        ),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_told(
    host: EngineHost,
    found: tuple[PortFinding, ...],
    changes: dict[str, Any],
    kind: type[Wait | Blocked],
    reason: Reason,
    words: str,
) -> None:
    part = planned(host, found, **changes)
    assert part.steps == ()
    told, *_ = part.obstacles
    assert (type(told), told.reason) == (kind, reason), told
    assert words in told.message


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param("1", "802.3ad", "bond0 of eno2, eno3 is active-backup and shall be 802.3ad", id="to LACP"),
        pytest.param("4", "active-backup", "hears no LACP, and dissolve it afterwards", id="from LACP"),
        pytest.param("1", "balance-xor", "", id="of which the switch has to know nothing here"),
    ],
)
def test_a_bond_is_converted_to_or_from_lacp_by_approval(before: str, after: str, words: str) -> None:
    host = with_(MGMT, BRICKS, GUESTS, interfaces=(*PORTS, bonded(("mode", before))))
    (step,) = planned(host, gluster={"bond": {"mode": after}}).steps
    assert isinstance(step, SetUpHostNetworks)
    assert (step.needs_approval, step.converted) == (bool(words), ("bond0",) if words else ())
    assert words in step.why


def test_a_port_without_a_link_is_no_part_of_a_change() -> None:
    unplugged = (FOUND[0], FOUND[1], PortFinding(port(3, carrier=False), ("gluster",), How.DECLARED), FOUND[3])
    assert planned(GOOD, unplugged) == Part()
    (step,) = planned(with_(MGMT, GUESTS, interfaces=PORTS), unplugged).steps
    assert isinstance(step, SetUpHostNetworks)
    assert ([*step.bonds], [*map(str, step.networks)]) == ([], [f"gluster on eno2 with {GLUSTER}"])


def test_a_network_that_is_not_in_the_cluster_yet_is_waited_for() -> None:
    part = planned(with_(MGMT, BRICKS), without="lan")
    assert (part.steps, part.obstacles[0].reason) == ((), Reason.WAITING_FOR_ENGINE)


def test_the_request_has_all_of_it_with_the_check_the_limit_and_the_commit() -> None:
    moved = out_of_sync(on("gluster", "eno2", GLUSTER), "ipv4_address")
    (step,) = planned(with_(MGMT, moved, interfaces=PORTS)).steps
    assert isinstance(step, SetUpHostNetworks)
    body = step.call().request.body
    assert body is not None
    assert isinstance(body.content, tuple)
    found = {element.name: element.content for element in body.content}
    assert (found["check_connectivity"], found["connectivity_timeout"], found["commit_on_success"]) == (True, 120, True)
    changed = [key for key in found if key.startswith(("modified", "synchronized", "removed"))]
    assert changed == ["modified_bonds", "modified_network_attachments", "synchronized_network_attachments"]


@pytest.mark.parametrize(
    ("collection", "now"),
    [
        ("hosts", {"id": "h", "name": "another", "status": "up", "summary": {"total": 0}}),
        ("hosts", {"id": "h", "name": "node1", "status": "installing", "summary": {"total": 0}}),
        ("hosts", {"id": "h", "name": "node1", "status": "up", "summary": {"total": 1}}),
        ("hosts/h/nics", {"id": "x", "name": "bond0"}),
        ("hosts/h/networkattachments", {"id": "a-gluster", "network": {"id": "another"}}),
        ("hosts/h/networkattachments", {"id": "a-lan", "network": {"id": "id-lan"}}),
    ],
)
def test_nothing_is_asked_for_once_the_host_is_not_what_it_was(collection: str, now: dict[str, Any]) -> None:
    (step,) = planned(with_(MGMT, on("gluster", "eno2", GLUSTER), interfaces=PORTS)).steps
    assert isinstance(step, SetUpHostNetworks)
    good: dict[str, list[dict[str, Any]]] = {
        "hosts": [{"id": "h", "name": "node1", "status": "up", "summary": {"total": 0}}],
        "hosts/h/nics": [],
        "hosts/h/networkattachments": [{"id": "a-gluster", "network": {"id": "id-gluster"}}],
    }

    def refused(there: dict[str, list[dict[str, Any]]]) -> bool:
        return any(unmet(guard, there[guard.thing.collection]) for guard in step.call().guards)

    assert not refused(good)
    kept = [one for one in good[collection] if one["id"] != now["id"]]
    assert refused(good | {collection: [*kept, now]})


NOBODY = engine_host("up", address="172.20.10.99")


@pytest.mark.parametrize(
    ("told", "engine_id", "touched"),
    [
        pytest.param(None, "", True, id="no engine"),
        pytest.param(Wait(Reason.WAITING_FOR_ENGINE, "not deployed yet"), "", True, id="no engine yet"),
        pytest.param(Wait(Reason.WAITING_FOR_ENGINE, "silent"), "e", False, id="an engine that does not answer"),
        pytest.param(Blocked(Reason.ENGINE_HOST_NOT_OURS, "another"), "e", False, id="perhaps another host"),
        pytest.param(member(of_engine(), GOOD), "id", False, id="a host of it"),
        pytest.param(member(of_engine(), NOBODY), "id", True, id="not a host of it"),
    ],
)
def test_network_manager_is_told_nothing_on_a_host_that_may_be_in_the_engine(
    told: EngineMember | Wait | Blocked | None, engine_id: str, touched: bool
) -> None:
    of, kept = of_engine(), KeptLinks(Known(Manager(runs=True)), Absent())
    links = Known(tuple(port(n) for n in range(1, 5)))
    facts = HostFacts("n1", interfaces=links, trials=Known(frozenset()), sections={KEPT_LINKS.name: kept})
    part = plan_links(of, site(of, engine_id), facts, Wiring(FOUND, None, False, (), ()), told)
    assert bool({step.verb for step in part.steps} & {"TryLinks", "ChangeLinks"}) is touched


def test_a_host_is_added_to_the_engine_only_once_its_links_are_kept() -> None:
    trial = Wait(Reason.WORK_IN_PROGRESS, "on trial", keeps_slot=True)
    assert is_being_wired(Part(obstacles=(trial,)))
    assert is_being_wired(planned(with_(MGMT, BRICKS)))
    assert not is_being_wired(Part(obstacles=(Blocked(Reason.NETWORK_MANAGER_MISSING, "none"),)))
