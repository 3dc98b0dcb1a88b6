"""What adopt makes of an engine: which of the hosts are its, and what is left out with a reason."""

from typing import Any

import pytest

from heretic.cli.adopted_engine import FoundEngine, adopt_engine, domains_on, hosts_of_engine, with_domain
from heretic.cli.manifest import Manifest, make
from heretic.domain.engine.facts import (
    DataCenter,
    EngineCluster,
    EngineFacts,
    EngineHost,
    EngineIdentity,
    FencingFlags,
    StorageDomain,
)
from heretic.domain.facts import Fact, Known, Unknown

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
FLAGS = FencingFlags(True, False, False, False, None, 50)


def cluster(id_: str = "c1", name: str = "Default", center: str = "d1") -> EngineCluster:
    return EngineCluster(id_, name, center, "", "4.8", False, True, FLAGS, "", None)


def host(name: str, address: str, in_: str = "c1") -> EngineHost:
    return EngineHost(name, name, address, "up", "", in_, None, None)


DEFAULT = (cluster(),)
MILAN = Known((DataCenter("d1", "milan", "up", False),))


def engine(
    *hosts: EngineHost,
    clusters: tuple[EngineCluster, ...] = DEFAULT,
    centers: Fact[tuple[DataCenter, ...]] = MILAN,
    domains: tuple[StorageDomain, ...] = (),
    **how: Any,
) -> FoundEngine:
    facts = EngineFacts(
        identity=EngineIdentity("id", "4.5.7", None),
        hosts=Known(hosts),
        clusters=Known(clusters),
        data_centers=centers,
        storage_domains=Known(domains),
    )
    reached: dict[str, Any] = {"fqdn": "engine.example.test", "address": "", "port": 443, "ca": PEM} | how
    return FoundEngine(facts=facts, **reached)


ADDRESSES = {"node1": {"10.0.0.1", "10.0.1.1"}, "node2": {"node2.mgmt.private"}, "node3": {"10.0.0.3"}}


def test_hosts_are_recognized_by_any_of_their_addresses_and_by_no_name_in_the_engine() -> None:
    found = engine(host("a", "10.0.1.1"), host("node3", "10.9.9.9"), host("node2", "node2.mgmt.private"))
    assert {n: h.name for n, h in hosts_of_engine(found, ADDRESSES).items()} == {"node1": "a", "node2": "node2"}


def test_the_cluster_is_that_of_the_hosts_and_declared_as_it_is() -> None:
    found = engine(host("node1", "10.0.0.1", "c2"), clusters=(cluster(), cluster("c2", "hc")), address="10.0.0.5")
    made = adopt_engine(found, hosts_of_engine(found, ADDRESSES), "home")
    assert isinstance(made, Manifest)
    assert made.object["spec"] == {
        "deployment": "Existing",
        "fqdn": "engine.example.test",
        "address": "10.0.0.5",
        "certificateAuthority": PEM,
        "dataCenter": {"name": "milan"},
        "cluster": {
            "name": "hc",
            "fencing": {"enabled": True, "skipIfStorageLeaseActive": False, "connectivityThreshold": 50},
        },
    }
    assert "kubectl create secret generic heretic-engine --namespace home" in made.remarks[0]


def test_a_host_of_another_name_in_the_engine_is_told() -> None:
    found = engine(host("a", "10.0.0.1"))
    made = adopt_engine(found, hosts_of_engine(found, ADDRESSES), "")
    assert isinstance(made, Manifest)
    assert "a is node1. Name the Nodes as the engine does" in made.remarks[1]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (
            engine(host("a", "10.0.0.1"), host("b", "10.0.0.3", "c2"), clusters=(cluster(), cluster("c2", "other"))),
            "the hosts are in the clusters Default, other, and a site has one",
        ),
        (engine(clusters=(cluster(name="other"),)), "none that could be told"),
        (engine(host("a", "10.0.0.1"), centers=Unknown("no answer")), "a site has one"),
        (engine(host("a", "10.0.0.1"), fqdn="engine"), "must be a full DNS name"),
    ],
    ids=["two clusters", "no host and no Default", "data centers unknown", "no full name"],
)
def test_what_cannot_be_declared_is_left_out_with_the_reason(found: FoundEngine, told: str) -> None:
    made = adopt_engine(found, hosts_of_engine(found, ADDRESSES), "")
    assert isinstance(made, str)
    assert told in made


def domain(name: str, path: str, address: str = "node1.gluster.private", **how: Any) -> StorageDomain:
    told: dict[str, Any] = {"purpose": "data", "status": "", "storage": "glusterfs", "mount_options": ""}
    told |= {"units": None, "comment": "", "description": "", "warning": None} | how
    return StorageDomain(
        id=name, name=name, address=address, path=path, master=False, available=None, used=None, **told
    )


@pytest.mark.parametrize(
    ("there", "on"),
    [
        (domain("guests", "/vmstore"), ["vmstore"]),
        (domain("guests", "vmstore"), ["vmstore"]),
        (domain("guests", "/vmstore", "elsewhere.example.test"), []),
        (domain("guests", "/vmstore", storage="nfs"), []),
    ],
    ids=["with a slash", "without", "on a server of others", "of another type"],
)
def test_a_domain_is_that_of_a_volume_by_where_it_lies(there: StorageDomain, on: list[str]) -> None:
    found = engine(domains=(there,))
    assert list(domains_on(found, {"node1.gluster.private"})) == on


@pytest.mark.parametrize(
    ("purpose", "declared"),
    [("VirtualMachines", {"name": "guests", "function": "Data"}), ("Engine", None), ("SMBShare", None)],
)
def test_a_volume_says_that_it_is_a_domain_where_it_may(purpose: str, declared: dict[str, str] | None) -> None:
    plain = make("GlusterVolume", "", "vmstore", {"purpose": purpose, "size": "80Gi"})
    assert with_domain(plain, domain("guests", "/vmstore")).object["spec"].get("storageDomain") == declared
