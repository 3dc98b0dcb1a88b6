"""What an engine tells of the links of a host: recorded answers, and bonds as its API's documentation has them."""

from pathlib import Path
from typing import Any

import pytest

from heretic.domain.engine.call import Among, Expectation, Thing, unmet
from heretic.domain.engine.host_parts import EngineInterface
from heretic.domain.engine.read_networks import attachment, interface
from heretic.engine import model

OLDER = Path(__file__).resolve().parents[2] / "data/engine/4.3"
BOND = """<host_nics><host_nic id="9"><name>bond0</name><bonding><options><option><name>mode</name>
<type>Active-Backup</type><value>1</value></option><option><name>miimon</name><value>100</value></option></options>
<slaves><host_nic id="2"/><host_nic id="3"/></slaves></bonding></host_nic></host_nics>"""


def recorded(text: str) -> list[dict[str, Any]]:
    return [dict(one) for one in model.records_of(text.encode())]


def test_what_was_recorded_of_an_older_engine_is_understood() -> None:
    (port,) = map(interface, recorded((OLDER / "host-nics.xml").read_text()))
    assert port == EngineInterface("7b77f307-6dda-4e04-ad09-7c05fa6a9305", "eth0")
    (attached,) = map(attachment, recorded((OLDER / "host-networkattachments.xml").read_text()))
    assert (attached.interface, attached.addresses, attached.in_sync) == (port.id, (), True)


def test_a_bond_has_its_ports_and_options() -> None:
    (bond,) = map(interface, recorded(BOND))
    assert bond == EngineInterface("9", "bond0", ("2", "3"), (("mode", "1"), ("miimon", "100")))


@pytest.mark.parametrize(
    ("assigned", "addresses"),
    [
        pytest.param(None, None, id="not told"),
        pytest.param([], (), id="none"),
        pytest.param([("static", "172.20.11.11", "255.255.255.0")], ("172.20.11.11/24",), id="IPv4"),
        pytest.param([("static", "fd00:20:11::11", "64")], ("fd00:20:11::11/64",), id="IPv6"),
        pytest.param([("dhcp", "", ""), ("static", "10.0.0.1", "8")], ("10.0.0.1/8",), id="beside one from elsewhere"),
        pytest.param([("static", "10.0.0.1", "what")], None, id="not understood: not known, and no other list is lost"),
    ],
)
def test_addresses_that_the_engine_gives(
    assigned: list[tuple[str, str, str]] | None, addresses: tuple[str, ...] | None
) -> None:
    told: dict[str, Any] = {"id": "a", "network": {"id": "n"}}
    if assigned is not None:
        told["ip_address_assignments"] = [
            {"assignment_method": how, "ip": {"address": address, "netmask": mask}} for how, address, mask in assigned
        ]
    assert attachment(told).addresses == addresses


@pytest.mark.parametrize(
    ("path", "expected", "holds"),
    [
        pytest.param("bonding.slaves", Among(((("id", "3"),), (("id", "2"),)), alone=True), True, id="in any order"),
        pytest.param("bonding.slaves", Among(((("id", "2"),),), alone=True), False, id="one more than expected"),
        pytest.param("bonding.slaves", Among(((("id", "2"),),)), True, id="one more where others do not matter"),
        pytest.param("bonding.slaves", Among(((("id", "4"),),)), False, id="another one"),
        pytest.param("bonding.options", Among(((("name", "mode"), ("value", ("1", "x"))),)), True, id="either word"),
        pytest.param("bonding.options", Among(((("name", "mode"), ("value", "100")),)), False, id="two entries"),
        pytest.param("bonding.nothing", Among(()), False, id="a list that was not told"),
    ],
)
def test_entries_among_others_are_expected(path: str, expected: Among, holds: bool) -> None:
    told = unmet(Expectation(Thing("nics", name="bond0"), fields=((path, expected),)), recorded(BOND))
    assert (told is None) is holds
