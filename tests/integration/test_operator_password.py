"""An operator process deploys an engine whose password nobody gave: it is made once, in a Secret that outlives all."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from integration.operator_process import RunningSite, converged_hosts, running_site, with_roles
from lab.controlplane import ControlPlane
from sim.blank_site import declared
from sim.deployment import ADDRESS, FQDN, Deployer, silent_engine
from sim.engine.server import EngineServer

SECRET = "secret/heretic-engine"
SECONDS = 240.0


@dataclass
class PasswordSite:
    """A site that is about to deploy its engine."""

    running: RunningSite
    server: EngineServer
    hosts: dict[str, Deployer]

    @property
    def secret(self) -> dict[str, Any] | None:
        """The Secret that opens the engine."""
        return self.running.find(SECRET)

    @property
    def password(self) -> str:
        """What stands in it."""
        secret = self.secret
        assert secret
        return b64decode(secret["data"]["password"]).decode()


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PasswordSite]:
    hosts = converged_hosts({"engine": {"purpose": "Engine", "size": "80Gi"}}, ("Hypervisor",))
    with silent_engine() as server, running_site(control_plane, tmp_path_factory.mktemp("password"), hosts) as running:
        able = {n: Deployer(m, server, {FQDN: ADDRESS}, {ADDRESS: FQDN}) for n, m in hosts.machines.items()}
        spec = {"fqdn": FQDN, "address": ADDRESS, "port": server.port, "deployment": "SelfHosted"}
        machine = {"selfHosted": {"virtualMachine": {"memory": "8Gi"}}}
        running.apply([*with_roles(hosts, ("Hypervisor",)), declared("HostedEngine", "engine", spec | machine)])
        running.start_operator()
        yield PasswordSite(running, server, able)


@pytest.mark.timeout(400)
def test_the_engine_is_deployed_with_a_password_that_was_made_for_it(site: PasswordSite) -> None:
    site.running.wait("a password is made", lambda: site.secret is not None, SECONDS)
    made = site.secret
    assert made is not None
    assert (made["type"], "ownerReferences" in made["metadata"]) == ("kubernetes.io/basic-auth", False)
    assert made["metadata"]["annotations"]["hvp.ovirt.life/made-for"] == "HostedEngine/engine"
    site.running.wait("the engine is up", lambda: site.running.says("he/engine", "EngineUp", "True"), SECONDS)
    assert site.server.engine.sso.passwords["admin"] == site.password
    assert site.secret == made
    assert [len(host.told) for host in site.hosts.values()].count(1) == 1


def test_the_password_is_nowhere_but_in_its_secret(site: PasswordSite) -> None:
    password = site.password
    said = [site.running.operator_log(), json.dumps(site.running.objects()), site.running.kubectl("get", "events")]
    said.append((site.running.folder / "audit.jsonl").read_text())
    said += [" ".join(argv) for host in site.hosts.values() for argv in host.machine.ran]
    assert "GeneratePassword" in said[3]
    assert [text for text in said if password in text] == []


def test_the_secret_stays_when_the_object_goes(site: PasswordSite) -> None:
    before = site.secret
    site.running.kubectl("delete", "he", "engine", "--timeout=60s")
    assert site.secret == before
