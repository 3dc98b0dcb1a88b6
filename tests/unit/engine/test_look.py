"""One look at an engine: what a real one answered, as facts."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from heretic.domain.engine import read
from heretic.domain.engine.extras import Extra
from heretic.domain.engine.facts import (
    AttachedDomain,
    ClusterNetwork,
    DataCenter,
    EngineCluster,
    EngineHost,
    EngineIdentity,
    Event,
    FencingFlags,
    LogicalNetwork,
    MacPool,
    News,
)
from heretic.domain.engine.host_parts import HostedEngineRole, OwnMachine
from heretic.domain.errors import HereticError, Reason
from heretic.domain.facts import Known, Unknown
from heretic.engine import model
from heretic.engine.certificate import authority_of
from heretic.engine.engines import Engines
from unit.engine.conftest import Site
from unit.engine.recorded import exchange, response
from unit.engine.test_perform import perform

OLDER = Path(__file__).resolve().parents[2] / "data/engine/4.3"
DEFAULT_DATA_CENTER, DEFAULT_CLUSTER = "793a6804-e92b-11f1-b424-02fc00000001", "793fbdb8-e92b-11f1-8cc4-02fc00000001"
MANAGEMENT = "00000000-0000-0000-0000-000000000009"
MAC_POOL = "58ca604b-017d-0374-0220-00000000014e"


async def test_a_fresh_engine_is_seen_as_it_is(engines: Engines, site: Site) -> None:
    facts = await engines.look(site.settings())
    assert facts.identity == EngineIdentity(
        "7b11f462-e92b-11f1-bfc5-02fc00000001",
        "4.5.7.0",
        datetime(2026, 11, 26, 0, 5, 5, 891000, tzinfo=UTC),
        authority_of(site.settings()),
    )
    assert facts.data_centers == Known((DataCenter(DEFAULT_DATA_CENTER, "Default", "uninitialized", local=False),))
    assert facts.clusters == Known(
        (
            EngineCluster(
                id=DEFAULT_CLUSTER,
                name="Default",
                data_center=DEFAULT_DATA_CENTER,
                cpu_type="",
                level="4.8",
                gluster=False,
                virt=True,
                fencing=FencingFlags(
                    enabled=True,
                    spares_bricks=False,
                    spares_quorum=False,
                    spares_leases=False,
                    spares_islands=False,
                    island_percent=50,
                ),
                migration_policy="80554327-0569-496b-bdeb-fcbbf52b827b",
                networks=(
                    ClusterNetwork(
                        MANAGEMENT,
                        "ovirtmgmt",
                        required=True,
                        usages=frozenset({"vm", "display", "migration", "management", "default_route"}),
                        status="operational",
                    ),
                ),
                mac_pool=MAC_POOL,
            ),
        )
    )
    assert facts.networks == Known(
        (LogicalNetwork(MANAGEMENT, "ovirtmgmt", DEFAULT_DATA_CENTER, vlan=None, mtu=0, for_machines=True),)
    )
    assert facts.identity.time is not None
    assert facts.identity.time.tzinfo is UTC
    assert facts.hosts == Known(())
    assert facts.storage_domains == Known(())
    assert facts.attached == {DEFAULT_DATA_CENTER: Known(())}
    assert facts.news == Known(News((), last=4, missed=False))
    assert isinstance(facts.recent, Known)
    assert [event.index for event in facts.recent.value] == [1, 2, 3, 4]
    assert facts.ssh_key == Known("ssh-rsa AAAAB3NzaC1yc2E=")


async def test_a_look_is_seven_questions_and_one_for_each_data_center_and_changes_nothing(
    engines: Engines, site: Site
) -> None:
    await engines.look(site.settings())
    assert site.engine.requests == [
        "GET ",
        "GET datacenters",
        f"GET datacenters/{DEFAULT_DATA_CENTER}/storagedomains",
        "GET clusters?follow=networks",
        "GET hosts?all_content=true",
        "GET networks",
        "GET storagedomains",
        "GET events?max=50",
    ]
    assert engines.counters["home/engine"].requests == 8


async def test_what_is_asked_besides_takes_one_request_each(engines: Engines, site: Site) -> None:
    facts = await engines.look(site.settings(), extras=frozenset({Extra.MAC_POOLS, Extra.OWN_MACHINE}))
    assert facts.mac_pools == Known(
        (
            MacPool(
                MAC_POOL,
                "Default",
                allow_duplicates=False,
                ranges=frozenset({("56:6f:1a:2c:00:00", "56:6f:1a:2c:ff:ff")}),
            ),
        )
    )
    assert facts.own_machine == Known(None)
    assert [one for one in site.engine.requests if "macpools" in one or "vms" in one] == [
        "GET macpools",
        "GET vms",
    ]
    assert engines.counters["home/engine"].requests == 10


async def test_hosts_are_seen_also_where_their_networks_cannot_be_told(engines: Engines, site: Site) -> None:
    facts = await engines.look(site.settings(), extras=frozenset({Extra.HOST_NETWORKS}))
    assert facts.hosts == Known(())
    assert site.engine.refused == ["GET hosts?all_content=true&follow=network_attachments"]
    site.engine.refused.clear()  # nobody recorded it


async def test_a_look_without_what_is_asked_besides_does_not_do(engines: Engines, site: Site) -> None:
    await engines.look(site.settings(), max_age=60)
    asked = await engines.look(site.settings(), max_age=60, extras=frozenset({Extra.OWN_MACHINE}))
    assert asked.own_machine == Known(None)
    again = await engines.look(site.settings(), max_age=60)
    assert again.own_machine == Known(None)


@pytest.mark.parametrize(
    ("machines", "found"),
    [
        ([], Known(None)),
        ([{"id": "1", "origin": "managed_hosted_engine"}], Known(OwnMachine("1", ""))),
        ([{"id": "1", "origin": "ovirt"}], Known(None)),
        (
            [{"id": "1", "origin": "ovirt"}, {"id": "2", "origin": "managed_hosted_engine", "host": {"id": "h"}}],
            Known(OwnMachine("2", "h")),
        ),
        ([{"id": "1"}], Known(None)),
    ],
)
def test_a_machine_is_the_engines_own_by_its_origin_and_not_by_its_name(
    machines: list[dict[str, Any]], found: Known[OwnMachine | None]
) -> None:
    assert read.own_machine(machines) == found


def test_of_two_machines_that_are_the_engines_own_none_is() -> None:
    told = read.own_machine([{"id": one, "origin": "managed_hosted_engine"} for one in ("1", "2")])
    assert isinstance(told, Unknown)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_look_is_shared_for_a_while(site: Site) -> None:
    clock = Clock()
    engines = Engines(monotonic=clock)
    first, *others = await asyncio.gather(*(engines.look(site.settings(), max_age=5) for _ in range(3)))
    assert all(other is first for other in others)
    clock.now += 5
    assert await engines.look(site.settings(), max_age=5) is first
    assert len(site.engine.requests) == 8
    clock.now += 1
    second = await engines.look(site.settings(), max_age=5)
    clock.now += 0.1
    third = await engines.look(site.settings())
    assert len({id(first), id(second), id(third)}) == 3
    assert len(site.engine.requests) == 24
    await engines.close()


async def test_a_look_with_other_settings_is_not_shared(engines: Engines, site: Site) -> None:
    await engines.look(site.settings(), max_age=60)
    with pytest.raises(HereticError):
        await engines.look(site.settings(password="wrong"), max_age=60)


async def test_that_a_look_failed_is_shared_too(engines: Engines, site: Site) -> None:
    async def starting(_: web.Request) -> web.Response:
        return web.Response(status=503, text="<html>", content_type="text/html")

    site.engine.fault = starting
    for _ in range(3):
        with pytest.raises(HereticError):
            await engines.look(site.settings(), max_age=60)
    assert site.engine.requests == ["GET "]
    site.engine.fault = None
    await engines.look(site.settings())


async def test_a_look_that_was_given_up_leaves_nothing_that_looks_fresh(site: Site) -> None:
    clock = Clock()
    engines = Engines(monotonic=clock)
    before = await engines.look(site.settings())

    async def hang(_: web.Request) -> None:
        await asyncio.sleep(60)

    site.engine.fault = hang
    clock.now += 90
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await engines.look(site.settings(), max_age=60)
    site.engine.fault = None
    assert await engines.look(site.settings(), max_age=60) is not before
    await engines.close()


async def test_a_look_that_was_begun_before_a_step_is_not_used_after_it(engines: Engines, site: Site) -> None:
    before = await engines.look(site.settings(), max_age=60)
    await perform(engines, site)
    after = await engines.look(site.settings(), max_age=60)
    assert isinstance(before.data_centers, Known)
    assert isinstance(after.data_centers, Known)
    assert [one.name for one in before.data_centers.value] == ["Default"]
    assert [one.name for one in after.data_centers.value] == ["Default", "site"]


async def test_only_events_since_the_look_before_are_news(engines: Engines, site: Site) -> None:
    everything = site.engine.lists["events?max=50"]
    site.engine.lists["events?max=50"] = re.sub(
        r'<event href="[^"]*" id="[34]">.*?</event>', "", everything, flags=re.S
    )
    first = await engines.look(site.settings())
    assert first.news == Known(News((), last=2, missed=False))
    site.engine.lists["events?max=50"] = everything
    facts = await engines.look(site.settings())
    assert isinstance(facts.news, Known)
    assert [event.index for event in facts.news.value.events] == [3, 4]
    assert not facts.news.value.missed


def test_what_an_event_says_holds_no_session() -> None:
    assert "using session" in exchange("top", "GET", "/events")["response"]["body"]
    told = read.recent(recorded("/events"))
    assert isinstance(told, Known)
    texts = [event.text for event in read.new_in(told.value, last=0).events]
    assert texts[-1] == "User admin@internal-authz connected from '127.0.0.1' logged out."
    assert not any("session" in text for text in texts)


def record(index: int) -> dict[str, object]:
    return {"index": index, "code": 1, "severity": "normal", "description": "x"}


@pytest.mark.parametrize(
    ("indices", "last", "fresh", "missed"),
    [
        ([], None, [], False),
        ([], 7, [], True),
        ([7], None, [], False),
        ([9, 8, 7], 7, [8, 9], False),
        (list(range(60, 10, -1)), 5, list(range(11, 61)), True),
        ([3, 2], 7, [2, 3], True),
    ],
    ids=["none ever", "restored to none", "first look", "two new ones", "more than were asked for", "restored"],
)
def test_events_since_last_time(indices: list[int], last: int | None, fresh: list[int], missed: bool) -> None:
    told = read.recent([record(index) for index in indices])
    assert isinstance(told, Known)
    news = read.new_in(told.value, last)
    assert [event.index for event in news.events] == fresh
    assert news.missed is missed
    assert news.last == max(indices, default=0)


async def test_a_list_that_cannot_be_told_is_unknown_and_the_rest_is_seen(engines: Engines, site: Site) -> None:
    async def broken(request: web.Request) -> web.Response | None:
        return web.Response(status=500, text="<html>", content_type="text/html") if "hosts" in request.path else None

    site.engine.fault = broken
    facts = await engines.look(site.settings())
    assert isinstance(facts.hosts, Unknown)
    assert "its hosts" in facts.hosts.cause
    assert isinstance(facts.networks, Known)


@pytest.mark.parametrize("missing", ["<name>Default</name>", "<name>ovirtmgmt</name>"])
async def test_one_cluster_that_is_not_understood_makes_the_list_unknown_and_not_shorter(
    engines: Engines, site: Site, missing: str
) -> None:
    listed = site.engine.lists["clusters?follow=networks"]
    site.engine.lists["clusters?follow=networks"] = listed.replace(missing, "")
    facts = await engines.look(site.settings())
    assert facts.clusters == Unknown("the engine's answer cannot be understood: something has no name")


async def test_a_word_that_the_sdk_does_not_know_makes_the_list_unknown(engines: Engines, site: Site) -> None:
    site.engine.lists["networks"] = site.engine.lists["networks"].replace("<mtu>0</mtu>", "<mtu>large</mtu>")
    facts = await engines.look(site.settings())
    assert isinstance(facts.networks, Unknown)
    assert "cannot be understood" in facts.networks.cause


async def test_an_engine_that_does_not_say_who_it_is_is_not_looked_at(engines: Engines, site: Site) -> None:
    site.engine.lists[""] = "<api/>"
    with pytest.raises(HereticError) as raised:
        await engines.look(site.settings())
    assert raised.value.failure.reason is Reason.OUTPUT_NOT_UNDERSTOOD
    assert site.engine.requests == ["GET "]


def recorded(path: str) -> list[dict[str, object]]:
    return [dict(one) for one in model.records_of(exchange("top", "GET", path)["response"]["body"].encode())]


def test_a_list_that_was_only_linked_to_is_not_an_empty_one() -> None:
    (linked,) = read.read_all(recorded("/clusters"), read.cluster).value  # type: ignore[union-attr]
    (told,) = read.read_all(recorded("/clusters?follow=networks"), read.cluster).value  # type: ignore[union-attr]
    assert linked.networks is None
    assert told.networks is not None


def test_a_network_for_no_machine_is_told_from_one_of_which_nothing_was_told() -> None:
    network = {"id": "1", "name": "gluster"}
    assert read.network(network | {"usages": []}).for_machines is False
    assert read.network(network).for_machines is None


def test_a_cluster_whose_data_center_was_removed_is_seen() -> None:
    assert read.cluster({"id": "1", "name": "left"}).data_center == ""


def test_a_hosts_part_in_the_engines_machine() -> None:
    told = {
        "id": "1",
        "name": "node1",
        "address": "node1.example.test",
        "status": "up",
        "cluster": {"id": "c"},
        "network_operation_in_progress": False,
        "hosted_engine": {"configured": True, "active": True, "score": 3400, "global_maintenance": False},
    }
    assert read.host(told) == EngineHost(
        id="1",
        name="node1",
        address="node1.example.test",
        status="up",
        detail="",
        cluster="c",
        networks_changing=False,
        hosted_engine=HostedEngineRole(
            configured=True, active=True, score=3400, global_maintenance=False, local_maintenance=None
        ),
    )


def older(name: str) -> list[dict[str, object]]:
    return [dict(one) for one in model.records_of((OLDER / f"{name}.xml").read_bytes())]


def test_hosts_of_an_older_engine_are_understood() -> None:
    hosts = read.read_all(older("hosts"), read.host)
    assert isinstance(hosts, Known)
    assert [(host.name, host.address, host.status) for host in hosts.value] == [
        ("bodh1", "bodh1.example.test", "up"),
        ("bodh2", "bodh2.example.test", "up"),
    ]
    assert hosts.value[0].hosted_engine is None


def test_storage_of_an_older_engine_is_understood() -> None:
    domains = read.read_all(older("storagedomains"), read.storage_domain)
    assert isinstance(domains, Known)
    nfs = domains.value[0]
    assert (nfs.purpose, nfs.storage, nfs.address, nfs.path, nfs.used) == (
        "data",
        "nfs",
        "nfs.example.test",
        "/vol/vol_bodnopoz/data1",
        16106127360,
    )
    assert {one.storage for one in domains.value} >= {"nfs", "iscsi"}
    attached = read.read_all(older("datacenter-storagedomains"), read.attached_domain)
    assert isinstance(attached, Known)
    assert attached.value[0] == AttachedDomain("6ddff4e6-b15f-448a-a436-18671a4b3118", "okscsi", "active", master=False)
    assert [one.name for one in attached.value if one.master] != []


@pytest.mark.parametrize(
    "broken",
    [
        {"name": "x"},
        {"id": "1"},
        {"id": "1", "name": 5},
        {"id": "1", "name": "x", "local": "perhaps"},
        {"id": "1", "name": "x", "status": True},
    ],
)
def test_what_is_not_understood_is_unknown(broken: dict[str, object]) -> None:
    assert isinstance(read.read_all([broken], read.data_center), Unknown)


def test_an_event_is_read_with_its_correlation() -> None:
    told = record(5) | {"correlation_id": "heretic-AddHost-node1-0123456789", "host": {"id": "h"}}
    assert read.event(told) == Event(
        5, 1, "normal", None, "x", "heretic-AddHost-node1-0123456789", "h", frozenset({"host"})
    )


def test_the_recorded_answer_can_be_told_again() -> None:
    assert response(exchange("top", "GET", "/clusters/not-a-uuid")["response"]).status == 404
