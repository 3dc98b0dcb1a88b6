"""The simulated engine, as a client with the oVirt SDK sees it."""

import json
import re
from base64 import b64encode
from contextlib import nullcontext
from dataclasses import dataclass
from inspect import getsource
from pathlib import Path
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import readers, services, types

from sim.engine.api import OPERATIONS
from sim.engine.engine import DEFAULT_CLUSTER, DEFAULT_DATA_CENTER
from sim.engine.faults import EngineFaults, changes
from sim.engine.messages import HttpRequest, NotToldError
from sim.engine.model import elements
from sim.engine.routes import actions
from sim.engine.search import matches
from sim.engine.server import EngineServer
from sim.engine.shapes import SHAPES
from sim.engine.tls import authority
from unit.simulators.engine_site import Clock, EngineSite


def test_a_client_makes_a_data_center_a_cluster_and_a_network_for_gluster(told: EngineSite) -> None:
    system = told.connect()
    data_center = system.data_centers_service().add(types.DataCenter(name="site", local=False))
    cluster = system.clusters_service().add(types.Cluster(name="hc", data_center=data_center, gluster_service=True))
    network = system.networks_service().add(
        types.Network(name="gluster", data_center=data_center, mtu=9000, usages=[], vlan=types.Vlan(id=11))
    )
    attached = system.clusters_service().cluster_service(cluster.id).networks_service()
    usages = [types.NetworkUsage.GLUSTER, types.NetworkUsage.MIGRATION]
    attached.add(types.Network(id=network.id, required=True, usages=usages))

    found = {network.name: network for network in attached.list()}
    assert set(found) == {"ovirtmgmt", "gluster"}
    assert types.NetworkUsage.MIGRATION in found["gluster"].usages
    assert types.NetworkUsage.MIGRATION not in found["ovirtmgmt"].usages
    assert found["gluster"].vlan.id == 11
    assert system.clusters_service().cluster_service(cluster.id).get().gluster_service is True

    other = system.networks_service().add(types.Network(name="storage", data_center=data_center))
    attached.add(types.Network(id=other.id, usages=[types.NetworkUsage.GLUSTER]))
    assert types.NetworkUsage.GLUSTER not in attached.network_service(network.id).get().usages

    attached.network_service(network.id).remove()
    attached.network_service(other.id).remove()
    assert types.NetworkUsage.MIGRATION in attached.list()[0].usages


def test_the_place_that_a_change_shows_can_be_asked_as_well(told: EngineSite) -> None:
    system = told.connect()
    data_center = system.data_centers_service().list()[0]
    made = system.clusters_service().add(types.Cluster(name="hc", data_center=data_center))
    assert made.href.startswith(f"{data_center.href}/clusters/")
    cluster = system.service(made.href.removeprefix("/ovirt-engine/api/"))
    assert cluster.get().id == made.id
    assert [network.name for network in cluster.networks_service().list()] == ["ovirtmgmt"]
    pointed = system.service(made.management_network.href.removeprefix("/ovirt-engine/api/"))
    assert pointed.get().name == "ovirtmgmt"


def test_a_name_that_is_taken_is_a_fault_that_the_client_understands(told: EngineSite) -> None:
    data_centers = told.connect().data_centers_service()
    with pytest.raises(ovirtsdk4.Error, match="name is already in use") as refused:
        data_centers.add(types.DataCenter(name="Default", local=False))
    assert refused.value.code == 409
    assert refused.value.fault.reason == "Operation Failed"


def test_a_change_of_one_fencing_flag_resets_the_others(told: EngineSite) -> None:
    cluster = told.connect().clusters_service().cluster_service(DEFAULT_CLUSTER)
    cluster.update(types.Cluster(fencing_policy=types.FencingPolicy(skip_if_gluster_bricks_up=True)))
    cluster.update(types.Cluster(fencing_policy=types.FencingPolicy(skip_if_gluster_quorum_not_met=True)))
    assert cluster.get().fencing_policy.skip_if_gluster_bricks_up is False


def test_a_body_in_json_is_read_as_one_in_xml(told: EngineSite) -> None:
    engine = told.server.engine
    login = {"authorization": "Basic " + b64encode(b"admin@internal:secret").decode()}
    given = {
        "name": "lan",
        "data_center": {"id": DEFAULT_DATA_CENTER},
        "mtu": 9000,
        "usages": {"usage": ["vm"]},
        "vlan": {"id": 7},
    }
    answer = engine.answer(
        HttpRequest(
            "POST",
            "/ovirt-engine/api/networks",
            headers={**login, "content-type": "application/json", "accept": "application/json"},
            body=json.dumps(given).encode(),
        )
    )
    assert answer.status == 201
    told_again = json.loads(answer.body)
    assert (told_again["mtu"], told_again["vlan"], told_again["usages"]) == ("9000", {"id": "7"}, {"usage": ["vm"]})
    (network,) = [value for value in engine.state.networks.values() if value.name == "lan"]
    assert (network.mtu, network.vlan.id, network.usages) == (9000, 7, [types.NetworkUsage.VM])


def test_events_since_the_last_one_are_told(told: EngineSite) -> None:
    system = told.connect()
    last = system.events_service().list(max=1)[0].index
    data_center = system.data_centers_service().list()[0]
    system.networks_service().add(types.Network(name="lan", data_center=data_center), query={"correlation_id": "ours"})
    events = system.events_service().list(from_=last)
    assert [(event.code, event.correlation_id) for event in events] == [(942, "ours")]


def test_a_session_that_was_idle_for_half_an_hour_is_over_and_the_client_logs_in_again(told: EngineSite) -> None:
    system = told.connect()
    system.get()
    told.clock.go(minutes=29)
    system.get()
    assert told.server.engine.sso.logins == 1
    told.clock.go(minutes=31)
    system.get()
    assert told.server.engine.sso.logins == 2


def test_a_restarted_engine_knows_everything_but_its_sessions(told: EngineSite) -> None:
    system = told.connect()
    system.data_centers_service().add(types.DataCenter(name="site", local=False))
    told.server.restart()
    assert [found.name for found in told.connect().data_centers_service().list()] == ["Default", "site"]
    assert told.server.engine.sso.logins == 2


def test_a_wrong_password_is_an_error_of_login(told: EngineSite) -> None:
    with pytest.raises(ovirtsdk4.AuthError, match="Cannot authenticate user 'admin@internal'"):
        told.connect(password="wrong").get()


@pytest.mark.parametrize("url", ["https://localhost:{}/ovirt-engine/api", "https://127.0.0.1:{}/ovirt-engine/api"])
def test_a_client_that_trusts_another_authority_does_not_connect(told: EngineSite, url: str) -> None:
    other = told.folder / "other.pem"
    other.write_text(authority().pem)
    told.connect(url=url.format(told.server.port)).get()
    with pytest.raises(ovirtsdk4.Error, match="certificate"):
        told.connect(url=url.format(told.server.port), ca_file=str(other)).get()


def test_a_client_that_expects_another_name_does_not_connect(tmp_path: Path) -> None:
    with EngineServer(names=("engine.example.test",)) as server:
        site = EngineSite(server, Clock(), tmp_path)
        with pytest.raises(ovirtsdk4.Error, match=r"match.*localhost"):
            site.connect(url=f"https://localhost:{server.port}/ovirt-engine/api").get()
        site.connections[0].close(logout=False)


@dataclass(frozen=True)
class Trouble:
    """A fault while a data center is made.

    Attributes:
        error: What the client sees; None: nothing of it.
        made: There is a data center afterwards.
        sent: So often the engine was asked to make one.
        faults: What is wrong.
    """

    error: str | None
    made: bool
    sent: int
    faults: dict[str, int]


TAKEN, NO_XML = "name is already in use", "text/html"


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Trouble(TAKEN, True, 2, {"drop_after": 1}), id="reply lost"),
        pytest.param(Trouble(None, True, 1, {"drop_before": 1}), id="request lost"),
        pytest.param(Trouble(NO_XML, False, 0, {"unavailable": 1}), id="503"),
        pytest.param(Trouble(None, True, 1, {"unauthorized": 1}), id="401 in flight"),
        pytest.param(Trouble(NO_XML, False, 0, {"unauthorized": 2}), id="401 twice"),
        pytest.param(Trouble(None, True, 1, {"drop_after": 2}), id="the next but one"),
    ],
)
def test_trouble_on_demand(told: EngineSite, trouble: Trouble) -> None:
    """libcurl sends a request again when a connection that it kept breaks before the answer: also one that changes."""
    data_centers = told.connect().data_centers_service()
    data_centers.list()
    told.server.faults = EngineFaults(at=changes, **trouble.faults)
    expected = pytest.raises(ovirtsdk4.Error, match=trouble.error) if trouble.error else nullcontext()
    with expected:
        data_centers.add(types.DataCenter(name="site", local=False))
    assert ("site" in told.names("data_centers")) == trouble.made
    assert told.server.engine.requests.count("POST /ovirt-engine/api/datacenters") == trouble.sent


def test_a_slow_engine_runs_into_the_limit_of_the_client(told: EngineSite) -> None:
    system = told.connect(timeout=1)
    system.get()
    told.server.faults.delay = 3
    with pytest.raises(ovirtsdk4.Error, match="timed out"):
        system.get()


def test_what_was_not_told_is_refused_and_noted(site: EngineSite) -> None:
    system = site.connect()
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        system.disks_service().list()
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        system.clusters_service().cluster_service(DEFAULT_CLUSTER).update(
            types.Cluster(serial_number=types.SerialNumber())
        )
    with pytest.raises(ovirtsdk4.Error, match="text/plain"):
        system.clusters_service().cluster_service(DEFAULT_CLUSTER).upgrade()
    assert [said.split(": ", 1)[1] for said in site.server.engine.refused] == [
        "list of DisksService",
        "serial_number of cluster",
        "upgrade of ClusterService",
    ]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("name=web1", True),
        ("name=web*", True),
        ('name="web1"', True),
        ("NAME=web1", True),
        ("name=web", False),
        ("name=WEB1", False),
        ("name!=web1", False),
        ("name!=db", True),
        ("web1", True),
        ("first", False),
        ('description="the first"', True),
        ("name=web* and description=the*", True),
        ("name=web* and description=other", False),
        ("nosuchfield=web1", False),
        ("(", False),
        ("name=", False),
        ("name=[w]eb1", False),
    ],
)
def test_search(search: str, found: bool) -> None:
    assert matches(search, types.Cluster(name="web1", description="the first")) is found


@pytest.mark.parametrize("search", ["name=a or name=b", "name=a sortby name", "name=a page 2", "status=up", "x.name=a"])
def test_a_search_that_was_not_told_is_refused(search: str) -> None:
    with pytest.raises(NotToldError):
        matches(search, types.Cluster(name="web1"))


def test_every_operation_and_every_link_is_one_of_the_api() -> None:
    for service, operation in OPERATIONS:
        assert callable(getattr(service, operation)), f"{service.__name__}.{operation}"
    system = services.SystemService(None, "")
    for kind, shape in SHAPES.items():
        if shape.collection:
            entity = system.service(f"{shape.collection}/1")
            of_entity: Any = type(entity)
            assert set(shape.actions) <= set(actions(of_entity)), kind
            for link in shape.links:
                assert entity.service(link), f"{kind.__name__} {link}"


def test_every_element_that_the_readers_know_is_known_here() -> None:
    """But for links, which every structure may have."""
    for name in dir(readers):
        if name.endswith("Reader") and name != "Reader":
            source = getsource(getattr(readers, name).read_one)
            assert set(re.findall(r"if tag == '(\w+)'", source)) - {"link"} == set(elements(name)), name
