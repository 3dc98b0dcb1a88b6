"""An operator process keeps a simulated engine over HTTPS: from the first look to what a person sees of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integration.heretic_command import run_heretic
from integration.operator_process import RESYNC, RunningSite, running_site
from lab.controlplane import ControlPlane
from sim.addresses import PREFIX
from sim.blank_site import BlankSite, declared
from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.server import EngineServer
from sim.gluster_tools import GlusterPool

FQDN, ADDRESS = "engine.example.test", f"{PREFIX}5"


@dataclass
class EngineSite:
    """A site without hosts, whose Site is never Ready, and its engine."""

    running: RunningSite
    server: EngineServer

    def write_password(self, password: str) -> None:
        """Makes or replaces the Secret that opens the engine."""
        meta = {"name": "heretic-engine", "namespace": self.running.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "kubernetes.io/basic-auth"}
        data = {"username": "admin@internal", "password": password, "ca.crt": self.server.engine.authority.pem}
        self.running.kubectl("apply", "-f", "-", stdin=json.dumps(secret | {"stringData": data}))

    @property
    def password(self) -> str:
        """Of the user who may do everything."""
        return next(iter(self.server.engine.sso.passwords.values()))

    @property
    def writes(self) -> list[str]:
        """All changes that were asked of the engine."""
        return self.server.engine.writes

    def audit(self) -> list[dict[str, Any]]:
        """What the operator has written down of its effects; each once it was verified, so later than the effect."""
        return [json.loads(line) for line in (self.running.folder / "audit.jsonl").read_text().splitlines()]

    @property
    def cluster(self) -> Any:
        """The cluster of the site, as the engine has it."""
        return self.server.engine.state.clusters[DEFAULT_CLUSTER]


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSite]:
    nobody = BlankSite({}, {}, GlusterPool(), {})
    with (
        EngineServer(address=ADDRESS, names=(FQDN,)) as server,
        running_site(control_plane, tmp_path_factory.mktemp("engine"), nobody) as running,
    ):
        site = EngineSite(running, server)
        spec = {"fqdn": FQDN, "address": ADDRESS, "port": server.port, "deployment": "Existing", "mode": "Observe"}
        running.apply([declared("Site", "demo", {}), declared("HostedEngine", "engine", spec)])
        running.start_operator()
        yield site
        assert server.engine.refused == []


def test_without_its_secret_an_engine_is_not_asked_and_the_command_that_makes_it_is_told(site: EngineSite) -> None:
    site.running.wait("the Secret is missed", lambda: site.running.says("he/engine", "Stalled", "True"))
    told = site.running.condition("he/engine", "EngineUp")
    assert told["reason"] == "CredentialsMissing"
    assert f"kubectl -n {site.running.namespace} create secret generic heretic-engine" in told["message"]
    assert site.server.engine.requests == []


def test_with_it_the_engine_is_seen_and_what_differs_is_only_told(site: EngineSite) -> None:
    site.write_password(site.password)
    site.running.wait("the engine is seen", lambda: site.running.says("he/engine", "EngineUp", "True"))
    site.running.wait("it differs", lambda: site.running.says("he/engine", "Drifted", "True"))
    assert "Gluster service is off, on is declared" in site.running.condition("he/engine", "ClusterReady")["message"]
    assert site.writes == []
    screen = run_heretic(site.running.control_plane.kubeconfig, "status", "-n", site.running.namespace)
    assert "ENGINE" in screen.stdout
    assert "4.5.7.0" in screen.stdout


def test_in_mode_apply_the_cluster_becomes_as_declared_and_stays_so(site: EngineSite) -> None:
    site.running.patch("he/engine", {"mode": "Apply"})
    site.running.wait("the engine is Ready", lambda: site.running.says("he/engine", "Ready", "True"))
    assert site.cluster.gluster_service is True
    writes, requests = len(site.writes), len(site.server.engine.requests)
    site.running.wait("it was looked at again", lambda: len(site.server.engine.requests) > requests + 30, 20 * RESYNC)
    assert len(site.writes) == writes == 1
    table = site.running.kubectl("get", "he")
    assert table.split("\n")[0].split() == ["NAME", "READY", "FQDN", "VERSION", "ENGINEUP", "AGE", "STATUS"]
    assert "engine 4.5.7.0, 0/0 hosts up" in table


def test_what_somebody_changes_by_hand_is_changed_back_and_audited(site: EngineSite) -> None:
    before = len(site.audit())
    site.cluster.virt_service = False
    site.running.wait("it is changed back", lambda: bool(site.cluster.virt_service))
    site.running.wait("it is written down", lambda: len(site.audit()) > before)
    audit = site.audit()
    assert (audit[-1]["target"], audit[-1]["verb"]) == ("HostedEngine engine", "UpdateCluster")
    assert "virt service is off, on is declared" in audit[-1]["why"]


def test_a_password_that_was_changed_is_told_and_its_new_secret_is_enough(site: EngineSite) -> None:
    site.server.engine.sso.passwords["admin"] = "changed"
    site.server.engine.sso.end_sessions()
    site.running.wait("it is not let in", lambda: site.running.says("he/engine", "EngineUp", "False"))
    assert site.running.condition("he/engine", "EngineUp")["reason"] == "EngineLoginRefused"
    site.write_password("changed")
    site.running.wait("the engine is Ready", lambda: site.running.says("he/engine", "Ready", "True"))


def test_an_engine_that_is_away_is_unknown_and_back_by_itself(site: EngineSite) -> None:
    site.server.stop()
    site.running.wait("it is away", lambda: site.running.says("he/engine", "EngineUp", "Unknown", "EngineUnreachable"))
    assert not site.running.says("he/engine", "Stalled", "True")
    site.server.start()
    site.running.wait("the engine is Ready", lambda: site.running.says("he/engine", "Ready", "True"))


def test_the_object_may_go_and_the_engine_stays(site: EngineSite) -> None:
    writes = len(site.writes)
    site.running.kubectl("delete", "he", "engine", "--timeout=30s")
    assert len(site.writes) == writes
