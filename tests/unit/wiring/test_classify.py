"""Where ports lead: each rule of HVP's classification, on hosts that run."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import Node
from heretic.api.v1alpha1.node_interfaces import NodePort, PortChoice
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.interfaces import Bond, Interface
from heretic.domain.wiring.classify import How, PortFinding, classify
from heretic.domain.wiring.facts import Asked, AskedPort, PortAnswer, Wires
from sim.declared import network, node, view

NETWORKS = {
    "mgmt": network("mgmt", "Management", "172.20.10.0/24", probeAddress="172.20.10.1"),
    "gluster": network("gluster", "Gluster", "172.20.11.0/24", probeAddress="172.20.11.1"),
    "lan": network("lan", "LAN", "172.20.12.0/24", gateway="172.20.12.1", vlan=12),
    "internal": network("internal", "Internal", "fd00:13::/64", probeAddress="fd00:13::1"),
}
ADDRESSES = [
    {"network": "gluster", "address": "172.20.11.11"},
    {"network": "lan", "address": "172.20.12.11"},
    {"network": "internal", "address": "fd00:13::11"},
]


def site(of: Node) -> SiteView:
    return view([of], networks=list(NETWORKS.values()))


def declared(
    ports: list[dict[str, Any]] | None = None, choices: list[dict[str, Any]] | None = None, **spec: Any
) -> Node:
    of = node("n1", 11, **({"addresses": ADDRESSES} | spec))
    status = of.status.model_copy(update={"ports": [NodePort.model_validate(p) for p in ports or []]})
    chosen = of.spec.model_copy(update={"interfaces": [PortChoice.model_validate(c) for c in choices or []]})
    return of.model_copy(update={"status": status, "spec": chosen})


def port(number: int, **more: Any) -> Interface:
    return replace(Interface(f"eno{number}", mac(number), "ether", True, 1500, max_mtu=9000), **more)


def mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"


def echo(target: str, vlan: int = 0, *, proved: bool = True) -> PortAnswer:
    return PortAnswer(vlan, target, "02:00:00:00:00:01", proved)


def told(
    number: int, *answers: PortAnswer, hears: Mapping[int, int] | None = None, **more: Any
) -> dict[str, AskedPort]:
    """What eno<number> told: answers, and the VLAN by the number of each port that it hears."""
    heard = frozenset((f"eno{other}", vlan) for other, vlan in (hears or {}).items())
    return {f"eno{number}": replace(AskedPort(mac(number), 1, answers, hears=heard), **more)}


def record(number: int, *networks: str, how: str = "Answered") -> dict[str, Any]:
    return {"mac": mac(number), "port": f"eno{number}", "networks": list(networks), "how": how, "evidence": "as found"}


def found(of: Node, links: tuple[Interface, ...], asked: Mapping[str, AskedPort]) -> dict[str, PortFinding]:
    changes = Known({link.name: 1 for link in links})
    wires = Wires(changes, Known(Asked("key", asked)))
    return {finding.port.name: finding for finding in classify(of, site(of), links, wires)}


MANAGEMENT, STORAGE, GUESTS, INTERNAL = "172.20.10.1", "172.20.11.1", "172.20.12.1", "fd00:13::1"
NONE: dict[str, AskedPort] = {}
BONDED = (
    port(1, master="bond0"),
    Interface("bond0", mac(1), "bond", True, 1500, bond=Bond("active-backup"), addresses=("172.20.11.11/24",)),
    Interface("bond0.12", mac(1), "vlan", True, 1500, parent="bond0", vlan=12, addresses=("172.20.12.11/24",)),
)
BRIDGED = (
    port(1, master="ovirtmgmt"),
    Interface("ovirtmgmt", "", "bridge", True, 1500, addresses=("172.20.10.11/24",)),
)


@pytest.mark.parametrize(
    ("of", "links", "asked", "networks", "how"),
    [
        pytest.param(
            declared(choices=[{"port": "eno1", "networks": ["lan"]}]),
            (port(1),),
            told(1, echo(STORAGE)),
            ("lan",),
            How.DECLARED,
            id="a person's word wins over an answer",
        ),
        pytest.param(
            declared(choices=[{"port": mac(1), "networks": ["lan", "gluster"]}]),
            (port(1, addresses=("172.20.10.11/24",)),),
            NONE,
            ("lan", "gluster"),
            How.DECLARED,
            id="and over what it carries; a hardware address names it too",
        ),
        pytest.param(
            declared([record(1, "lan")], choices=[{"port": "eno1", "networks": []}]),
            (port(1),),
            told(1, echo(STORAGE)),
            (),
            How.DECLARED,
            id="left alone, and the record forgotten",
        ),
        pytest.param(
            declared(), (port(1, addresses=("172.20.11.11/24",)),), NONE, ("gluster",), How.CARRIED, id="an address"
        ),
        pytest.param(declared(), BONDED, NONE, ("gluster", "lan"), How.CARRIED, id="a bond, and a VLAN on it"),
        pytest.param(declared(), BRIDGED, NONE, ("mgmt",), How.CARRIED, id="a bridge"),
        pytest.param(
            declared([record(1, "lan")]),
            (port(1, addresses=("172.20.11.11/24",)),),
            NONE,
            ("gluster",),
            How.CARRIED,
            id="what it carries wins over the record: somebody has configured it",
        ),
        pytest.param(
            declared(), (port(1, addresses=("192.0.2.1/24",)),), told(1, echo(STORAGE)), (), None, id="it carries else"
        ),
        pytest.param(
            declared(),
            (port(1, addresses=("fe80::1/64",)),),
            told(1, echo(STORAGE)),
            ("gluster",),
            How.ANSWERED,
            id="an address of its own making is none",
        ),
        pytest.param(declared(), (port(1),), told(1, echo(STORAGE)), ("gluster",), How.ANSWERED, id="an answer"),
        pytest.param(declared(), (port(1),), told(1, echo(INTERNAL)), ("internal",), How.ANSWERED, id="of IPv6"),
        pytest.param(
            declared(), (port(1),), told(1, echo(STORAGE, proved=False)), (), None, id="a machine that answers for all"
        ),
        pytest.param(declared(), (port(1),), told(1, echo(GUESTS)), (), None, id="an answer without the declared tag"),
        pytest.param(
            declared(),
            (port(1),),
            told(1, echo(STORAGE), echo(GUESTS, 12)),
            ("gluster", "lan"),
            How.ANSWERED,
            id="one untagged and one tagged",
        ),
        pytest.param(
            declared(), (port(1),), told(1, echo(STORAGE), changes=0), (), None, id="an answer of before the cable"
        ),
        pytest.param(declared(), (port(1),), told(1, error="it is gone"), (), None, id="not asked after all"),
        pytest.param(declared(), (port(1, carrier=False),), NONE, (), None, id="no link"),
        pytest.param(
            declared([record(1, "gluster")]),
            (port(1, carrier=False),),
            NONE,
            ("gluster",),
            How.ANSWERED,
            id="no link any more: the record stays",
        ),
        pytest.param(
            declared([record(1, "gluster")]), (port(1),), told(1), ("gluster",), How.ANSWERED, id="no answer any more"
        ),
        pytest.param(
            declared([record(1, "gluster", how="what another version says")]),
            (port(1),),
            NONE,
            (),
            None,
            id="unknown how",
        ),
        pytest.param(
            declared([record(1, "away")]),
            (port(1),),
            NONE,
            (),
            None,
            id="the recorded Network is gone",
        ),
        pytest.param(
            declared([record(1, "gluster")]),
            (port(1),),
            told(1, echo(STORAGE), echo(GUESTS, 12)),
            ("gluster", "lan"),
            How.ANSWERED,
            id="a VLAN more than recorded",
        ),
    ],
)
def test_the_first_that_decides_wins(
    of: Node, links: tuple[Interface, ...], asked: dict[str, AskedPort], networks: tuple[str, ...], how: How | None
) -> None:
    finding = found(of, links, asked)["eno1"]
    assert (finding.networks, finding.how) == (networks, how)
    assert finding.clashes == ()


LIVE = port(1, addresses=("172.20.10.11/24",))


@pytest.mark.parametrize(
    ("links", "asked", "expected"),
    [
        pytest.param((LIVE, port(2)), told(2, hears={1: 0}), {"eno2": ("mgmt",)}, id="it hears a port that is in use"),
        pytest.param((LIVE, port(2)), told(1, hears={2: 0}), {"eno2": ("mgmt",)}, id="that hears it"),
        pytest.param((LIVE, port(2)), told(2, hears={1: 12}), {"eno2": ()}, id="in another VLAN"),
        pytest.param(
            (LIVE, port(2), port(3)),
            told(2, echo(STORAGE)) | told(3, hears={2: 0}),
            {"eno2": ("gluster",), "eno3": ("gluster",)},
            id="a port that was answered",
        ),
        pytest.param(
            (port(4), port(3), port(2), LIVE),
            told(4, hears={3: 0}) | told(3, hears={2: 0}) | told(2, hears={1: 0}),
            {"eno2": ("mgmt",), "eno3": ("mgmt",), "eno4": ("mgmt",)},
            id="one after another, in any order",
        ),
        pytest.param(
            (LIVE, port(2)),
            told(2, echo(GUESTS, 12), hears={1: 0}),
            {"eno2": ("lan", "mgmt")},
            id="beside an answer with a tag",
        ),
    ],
)
def test_ports_that_hear_each_other_lead_to_one_network(
    links: tuple[Interface, ...], asked: dict[str, AskedPort], expected: dict[str, tuple[str, ...]]
) -> None:
    findings = found(declared(), links, asked)
    assert {name: findings[name].networks for name in expected} == expected
    assert all(not finding.clashes for finding in findings.values())


@pytest.mark.parametrize(
    ("of", "links", "asked", "reason", "says"),
    [
        pytest.param(
            declared(),
            (port(1),),
            told(1, echo(STORAGE), echo(MANAGEMENT)),
            Reason.PORT_ON_TWO_NETWORKS,
            "eno1 of n1 leads to gluster and mgmt without a tag",
            id="two networks answer on one port",
        ),
        pytest.param(
            declared(),
            (port(1), port(2, addresses=("172.20.10.11/24",))),
            told(1, echo(STORAGE), hears={2: 0}),
            Reason.PORT_ON_TWO_NETWORKS,
            "hears eno2, which leads to mgmt",
            id="it hears a port of another network",
        ),
        pytest.param(
            declared([record(1, "gluster")]),
            (port(1),),
            told(1, echo(MANAGEMENT)),
            Reason.PORT_MOVED,
            "eno1 of n1 led to gluster and leads to mgmt now",
            id="the cable was moved",
        ),
        pytest.param(
            declared(),
            (port(1),),
            told(1, taken={"172.20.11.11": "02:00:00:00:00:99"}),
            Reason.ADDRESS_TAKEN,
            "172.20.11.11 is declared for n1, and 02:00:00:00:00:99 answers for it on eno1",
            id="somebody else has the node's address",
        ),
    ],
)
def test_what_contradicts_itself_is_told(
    of: Node, links: tuple[Interface, ...], asked: dict[str, AskedPort], reason: Reason, says: str
) -> None:
    ((why, sentence),) = found(of, links, asked)["eno1"].clashes
    assert why is reason
    assert says in sentence


def test_a_port_that_was_moved_keeps_its_record() -> None:
    finding = found(declared([record(1, "gluster")]), (port(1),), told(1, echo(MANAGEMENT)))["eno1"]
    assert (finding.networks, finding.how, finding.evidence) == (("gluster",), How.ANSWERED, "as found")


def test_a_port_of_the_same_host_that_answers_for_its_own_address_is_nobody_else() -> None:
    links = (port(1), port(2, addresses=("172.20.11.11/24",)))
    assert found(declared(), links, told(1, taken={"172.20.11.11": mac(2)}))["eno1"].clashes == ()


def test_a_port_that_contradicts_itself_says_nothing_of_others() -> None:
    links = (port(1), port(2))
    asked = told(1, echo(STORAGE), echo(MANAGEMENT)) | told(2, hears={1: 0})
    assert found(declared(), links, asked)["eno2"].networks == ()


@pytest.mark.parametrize(
    "wires",
    [
        pytest.param(Wires(), id="nothing seen"),
        pytest.param(Wires(Known({"eno1": 1}), Absent()), id="never asked"),
        pytest.param(Wires(Unknown("no"), Known(Asked("k", told(1, echo(STORAGE))))), id="not known how old"),
    ],
)
def test_without_answers_a_port_is_not_known(wires: Wires) -> None:
    of = declared()
    (finding,) = classify(of, site(of), (port(1),), wires)
    assert (finding.networks, finding.how) == ((), None)


def test_only_what_cables_are_plugged_into_is_a_port() -> None:
    assert list(found(declared(), (*BONDED, *BRIDGED[1:]), NONE)) == ["eno1"]


def test_a_network_in_which_the_node_has_no_address_is_not_asked_for() -> None:
    of = declared(addresses=[])
    assert found(of, (port(1),), told(1, echo(STORAGE)))["eno1"].networks == ()
