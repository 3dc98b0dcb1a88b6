"""The vNIC profile of a network in an engine: made where it is missing, kept as declared, others left alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from ovirtsdk4 import types

from heretic.domain.engine.vnic import VnicProfile, network_filter, vnic_profile
from heretic.engine.model import records_of
from sim.engine.vnic_profiles import NO_MAC_SPOOFING, new_profile
from sim.struck import Disturbance, strikes
from unit.hosted_engine.conftest import EngineWorld
from unit.network.engine_networks import GLUSTER, LAN, MANAGEMENT, apply, in_engine, key, says, settle
from unit.network.test_network_sweep import strike

RECORDED = Path(__file__).parents[2] / "data/engine/4.5.7/top.json"


def declared(**profile: Any) -> dict[str, Any]:
    return {**LAN, "logicalNetwork": {"vnicProfile": profile}}


def profiles(site: EngineWorld, network: str = "lan") -> list[Any]:
    there = in_engine(site, network)
    return [one for one in site.state.vnic_profiles.values() if one.network.id == there.id]


def has(profile: Any) -> tuple[str, str, bool, str]:
    """Name, network filter, port mirroring and pass-through."""
    filtered = profile.network_filter.id if profile.network_filter else ""
    return profile.name, filtered, profile.port_mirroring, profile.pass_through.mode.value


USUAL = ("lan", NO_MAC_SPOOFING, False, "disabled")


def filters() -> dict[str, str]:
    """The id of each network filter of a real engine."""
    for exchange in json.loads(RECORDED.read_text())["exchanges"]:
        if exchange["request"]["path"].endswith("/networkfilters"):
            found = records_of(exchange["response"]["body"].encode(), "networkfilters")
            return {one.name: one.id for one in map(network_filter, found)}
    raise LookupError


def test_what_a_real_engine_tells_of_profiles_and_filters_is_read() -> None:
    for exchange in json.loads(RECORDED.read_text())["exchanges"]:
        if exchange["request"]["path"].endswith("/vnicprofiles"):
            (record,) = records_of(exchange["response"]["body"].encode(), "vnicprofiles")
            found = vnic_profile(record)
    network = "00000000-0000-0000-0000-000000000009"
    own = "0000000a-000a-000a-000a-000000000398"
    assert found == VnicProfile(own, "ovirtmgmt", network, NO_MAC_SPOOFING, "disabled", False)
    assert filters()["vdsm-no-mac-spoofing"] == NO_MAC_SPOOFING
    assert {"clean-traffic", "allow-arp"} <= filters().keys()


async def test_a_network_that_is_opened_to_guests_later_gets_its_profile_once(site: EngineWorld) -> None:
    apply(site, lan={**LAN, "logicalNetwork": {"vmNetwork": False}})
    await settle(site)
    assert profiles(site) == []
    apply(site, lan=declared())
    await settle(site)
    assert [has(one) for one in profiles(site)] == [USUAL]
    recorded = site.world.api.objects[key("lan")]["status"]["logicalNetwork"]["vnicProfileId"]
    assert recorded == profiles(site)[0].id
    assert says(site, "lan", "Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("wanted", "drift", "after"),
    [
        pytest.param({}, {"port_mirroring": True}, USUAL, id="port mirroring"),
        pytest.param(
            {},
            {
                "network_filter": None,
                "pass_through": types.VnicPassThrough(mode=types.VnicPassThroughMode.ENABLED),
            },
            ("lan", "", False, "disabled"),
            id="pass-through, and a filter that nobody declares stays away",
        ),
        pytest.param({}, {"name": "other"}, USUAL, id="its name"),
        pytest.param({}, {"network_filter": None}, ("lan", "", False, "disabled"), id="no filter is declared"),
        pytest.param({"networkFilter": "vdsm-no-mac-spoofing"}, {"network_filter": None}, USUAL, id="the filter"),
        pytest.param({"networkFilter": "none"}, {}, ("lan", "", False, "disabled"), id="no filter"),
        pytest.param(
            {"networkFilter": "allow-arp"}, {}, ("lan", filters()["allow-arp"], False, "disabled"), id="another filter"
        ),
        pytest.param({"portMirroring": True}, {}, ("lan", NO_MAC_SPOOFING, True, "disabled"), id="mirroring declared"),
    ],
)
async def test_what_differs_is_made_as_declared(
    site: EngineWorld, wanted: dict[str, Any], drift: dict[str, Any], after: tuple[str, str, bool, str]
) -> None:
    apply(site, lan=declared())
    await settle(site)
    (profile,) = profiles(site)
    other = new_profile(site.state, "guests-of-mine", profile.network.id)
    other.port_mirroring = True
    for field, value in drift.items():
        setattr(profile, field, value)
    apply(site, lan=declared(**wanted))
    await settle(site)
    mine = site.state.vnic_profiles[profile.id]
    assert has(mine) == after
    assert has(site.state.vnic_profiles[other.id]) == ("guests-of-mine", NO_MAC_SPOOFING, True, "disabled")
    assert says(site, "lan", "Ready")["status"] == "True"


async def test_one_that_somebody_removed_is_made_again(site: EngineWorld) -> None:
    apply(site, lan=declared(networkFilter="none"))
    await settle(site)
    site.state.vnic_profiles.clear()
    await settle(site)
    assert [has(one) for one in profiles(site)] == [("lan", "", False, "disabled")]


async def test_what_nobody_declares_is_neither_asked_for_nor_changed(site: EngineWorld) -> None:
    apply(site, mgmt=MANAGEMENT, gluster=GLUSTER, lan=LAN)
    await settle(site)
    (profile,) = profiles(site)
    profile.port_mirroring = True
    before = len(site.server.engine.requests)
    await site.world.round()
    assert not [one for one in site.server.engine.requests[before:] if "vnic" in one or "filters" in one]
    assert profile.port_mirroring is True


@pytest.mark.parametrize(
    ("wanted", "more"), [({}, 1), ({"networkFilter": "none"}, 1), ({"networkFilter": "allow-arp"}, 2)]
)
async def test_what_it_costs_where_all_is_as_declared(site: EngineWorld, wanted: dict[str, Any], more: int) -> None:
    apply(site, mgmt=MANAGEMENT, lan=declared(**wanted))
    await settle(site)
    before, writes = len(site.server.engine.requests), site.writes
    await site.world.round()
    assert len(site.server.engine.requests) - before == 8 + more
    assert site.writes == writes


async def test_a_filter_that_the_engine_has_not_is_told_with_those_that_it_has(site: EngineWorld) -> None:
    apply(site, lan=declared(networkFilter="clean-trafic"))
    await settle(site)
    told = says(site, "lan")
    assert (told["status"], told["reason"]) == ("False", "InvalidSpec")
    assert "the engine has no network filter 'clean-trafic' for network 'lan' (there are: allow-arp," in told["message"]
    assert [has(one) for one in profiles(site)] == [USUAL]


async def test_what_guests_would_have_to_be_unplugged_for_is_told_in_the_engines_words(site: EngineWorld) -> None:
    apply(site, lan=declared())
    await settle(site)
    site.state.guests_of_networks[in_engine(site, "lan").id] = "print"
    apply(site, lan=declared(portMirroring=True))
    for _ in range(4):
        await site.world.round()
    told = says(site, "lan", "Ready")
    assert told["status"] == "False"
    assert "The following VM is using it: print" in json.dumps(site.world.api.objects[key("lan")]["status"])
    assert [has(one) for one in profiles(site)] == [USUAL]


async def test_a_profile_of_a_network_that_is_closed_to_guests_is_left_alone(site: EngineWorld) -> None:
    apply(site, lan=declared())
    await settle(site)
    (profile,) = profiles(site)
    apply(site, lan={**LAN, "logicalNetwork": {"vmNetwork": False}})
    profile.port_mirroring = True
    await settle(site)
    assert has(profiles(site)[0])[2] is True


@strikes("AddVnicProfile", "UpdateVnicProfile")
async def test_each_is_made_once_whatever_dies(site: EngineWorld, verb: str) -> None:
    apply(site, lan=declared())
    await settle(site)
    for how in Disturbance:
        before = len(site.writes)
        if verb == "AddVnicProfile":
            site.state.vnic_profiles.clear()
        else:
            profiles(site)[0].port_mirroring = True
        await strike(site, "lan", verb, how)
        assert [has(one) for one in profiles(site)] == [USUAL], how
        asked = [one.split(" ")[0] for one in site.writes[before:]]
        # A PUT whose reply is lost is sent again by itself: it says what shall be there (decision 0038).
        again = verb == "UpdateVnicProfile" and how is Disturbance.UNHEARD
        assert len(asked) == 1 + again, (how, site.writes[before:])
        assert says(site, "lan", "Ready")["status"] == "True", (how, site.world.describe())
