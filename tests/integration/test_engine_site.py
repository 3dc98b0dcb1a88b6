"""A whole site with its engine, kept by an operator process: hosts, storage, networks; and what is changed by hand."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from integration.operator_process import RunningSite, converged_hosts, running_site
from lab.controlplane import ControlPlane
from sim.addresses import PREFIX
from sim.blank_site import declared
from sim.engine import network_monitor
from sim.engine.domain_life import StorageLasting
from sim.engine.engine import SimEngine
from sim.engine.host_life import Lasting
from sim.engine.power import PowerDevice, agents_of
from sim.engine.server import EngineServer
from sim.engine.state import EngineState, named
from sim.engine.storage import StoragePlace

BMC, BMC_PASSWORD = "198.18.10.99", "of the device"
FQDN, ADDRESS = "engine.example.test", f"{PREFIX}5"
NODES = ("node1", "node2", "node3")
DOMAIN = "node1.gluster.private:/vmstore"
SECONDS = 240.0
"""Until three hosts are in the engine, one after the other."""


AGENT = {
    "order": 1,
    "type": "redfish",
    "address": BMC,
    "username": "heretic",
    "credentialsRef": {"name": "heretic-bmc"},
    "options": [{"name": "ssl_insecure", "value": "1"}],
}


class EngineSite:
    """A site of three hosts that are ready, and an engine that knows nothing of them."""

    def __init__(self, running: RunningSite, server: EngineServer) -> None:
        self.running = running
        self.server = server

    @property
    def state(self) -> EngineState:
        """What the engine knows."""
        return self.server.engine.state

    @property
    def writes(self) -> list[str]:
        """All changes that were asked of the engine."""
        return self.server.engine.writes

    def write_secrets(self) -> None:
        """Who logs in to the engine, and who switches hosts."""
        password = next(iter(self.server.engine.sso.passwords.values()))
        self.write_secret("heretic-engine", {"password": password, "ca.crt": self.server.engine.authority.pem})
        self.write_secret("heretic-bmc", {"password": BMC_PASSWORD})

    def write_secret(self, name: str, data: dict[str, str]) -> None:
        """Makes or replaces one."""
        meta = {"name": name, "namespace": self.running.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "stringData": data}
        self.running.kubectl("apply", "-f", "-", stdin=json.dumps(secret))

    def manifests(self) -> list[dict[str, Any]]:
        """The hosts' own objects, with what makes them part of an engine."""
        objects = self.running.hosts.objects()
        for obj in objects:
            if obj["kind"] == "Node":
                obj["spec"]["roles"] = ["Hypervisor", "Storage"]
            if obj["metadata"]["name"] == "node1":
                obj["spec"]["powerManagement"] = {"agents": [AGENT]}
            if obj["metadata"]["name"] == "vmstore":
                obj["spec"]["storageDomain"] = {}
        spec = {"fqdn": FQDN, "address": ADDRESS, "port": self.server.port, "deployment": "Existing"}
        return [*objects, declared("HostedEngine", "engine", spec)]


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSite]:
    state = EngineState(
        reachable={f"{PREFIX}{number}" for number in (11, 12, 13)},
        lasting=Lasting(install=2, reboot=2, initialize=1, prepare=1),
        storage={DOMAIN: StoragePlace()},
        devices={BMC: PowerDevice("heretic", BMC_PASSWORD)},
        storage_lasting=StorageLasting(attach=1, activate=1, deactivate=1, detach=1),
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        EngineServer(SimEngine(state), address=ADDRESS, names=(FQDN,)) as server,
        running_site(control_plane, tmp_path_factory.mktemp("engine-site"), converged_hosts()) as running,
    ):
        patch.setattr(network_monitor, "RECOVERY", timedelta(seconds=2))  # a host that is added back lacks a network
        found = EngineSite(running, server)
        found.write_secrets()
        running.apply(found.manifests())
        running.start_operator()
        yield found
        assert server.engine.refused == []
        assert running.hosts.refusals == []


@pytest.mark.timeout(400)
def test_one_set_of_manifests_makes_hosts_storage_and_networks_of_the_engine(site: EngineSite) -> None:
    site.running.wait("every object is Ready", site.running.ready, SECONDS)
    assert sorted(host.name for host in site.state.hosts.values()) == [*NODES]
    domain = named(site.state.storage_domains, "vmstore")
    assert domain is not None
    assert f"{domain.storage.address}:{domain.storage.path}" == DOMAIN
    assert named(site.state.networks, "gluster") is not None
    for node in NODES:
        assert site.running.says(f"hnode/{node}", "EngineMember", "True")


def test_the_engine_can_switch_a_host_by_the_device_that_its_node_declares(site: EngineSite) -> None:
    host = named(site.state.hosts, "node1")
    assert host is not None
    (agent,) = agents_of(site.state, host.id)
    assert (agent.type, agent.address, agent.username, agent.password) == ("redfish", BMC, "heretic", BMC_PASSWORD)
    assert host.power_management.enabled is True
    assert site.running.says("hnode/node1", "PowerManagement", "True", "AsDeclared")


def test_then_nothing_is_changed_any_more_anywhere(site: EngineSite) -> None:
    writes, effects = len(site.writes), len(site.running.hosts.effects)
    requests = len(site.server.engine.requests)
    versions = {obj["metadata"]["uid"]: obj["metadata"]["resourceVersion"] for obj in site.running.objects()}
    site.running.wait("it was looked at again", lambda: len(site.server.engine.requests) > requests + 40)
    assert len(site.writes) == writes
    assert len(site.running.hosts.effects) == effects
    after = {obj["metadata"]["uid"]: obj["metadata"]["resourceVersion"] for obj in site.running.objects()}
    assert after == versions


@pytest.mark.timeout(400)
def test_a_host_that_was_removed_by_hand_is_told_and_added_again(site: EngineSite) -> None:
    gone = named(site.state.hosts, "node3")
    assert gone is not None
    del site.state.hosts[gone.id], site.state.lives[gone.id]
    site.running.wait("it is missed", lambda: site.running.says("hnode/node3", "EngineMember", "False"))
    site.running.wait("it is back", site.running.ready, SECONDS)
    assert [h.name for h in site.state.hosts.values()].count("node3") == 1


def test_an_operator_that_is_killed_leaves_the_site_as_it_is_and_the_next_one_finds_its_way(site: EngineSite) -> None:
    writes = len(site.writes)
    site.running.kill_operator()
    site.running.end_lease()
    site.running.start_operator()
    requests = len(site.server.engine.requests)
    site.running.wait("it was looked at again", lambda: len(site.server.engine.requests) > requests + 20)
    site.running.wait("every object is Ready", site.running.ready)
    assert len(site.writes) == writes
