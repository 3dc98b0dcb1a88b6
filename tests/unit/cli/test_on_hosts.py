"""plan, verify and adopt against simulated hosts over real SSH: what they say, and that they change nothing."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from heretic.cli import adopt, plan, verify
from heretic.cli.options import Exit, Format
from heretic.domain.errors import HereticError
from sim.addresses import PREFIX
from sim.engine.server import EngineServer
from sim.server import client_key
from unit.cli.sim_site import NOWHERE, SimSite, sim_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[SimSite]:
    async with sim_site(tmp_path) as made:
        yield made
        assert made.refusals == []


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> str:
        return capsys.readouterr().out

    return read


async def run_plan(site: SimSite, output: Format = Format.TEXT) -> Exit:
    return await plan.run(NOWHERE, site.files, site.identity, output, offline=True, no_color=True)


async def run_verify(site: SimSite, *ignored: str, output: Format = Format.JSON) -> Exit:
    return await verify.run(NOWHERE, site.files, site.identity, ignored, output, offline=True, no_color=True)


class TestPlanOfBlankHosts:
    async def test_shows_the_next_steps_and_the_choices_and_changes_nothing(self, site: SimSite, said: Any) -> None:
        assert await run_plan(site) is Exit.TO_DO
        shown = said()
        for line in (
            "Site demo in namespace default: 3 nodes, 2 volumes",
            "arbiter, which holds names and no data: node3",
            "for vgdisk1, blank, to be prepared",
            "bricks of engine: node1 vgdisk1/engine 20Gi thick, node2 vgdisk1/engine 20Gi thick, node3 vgarbiter",
            "InstallPackages on node1",
            "because chrony, glusterfs-server",
            "Nothing was changed.",
        ):
            assert line in shown
        assert site.effects == []

    async def test_asks_each_host_once(self, site: SimSite) -> None:
        await run_plan(site)
        assert {name: server.scripts for name, server in site.servers.items()} == dict.fromkeys(site.servers, 1)

    async def test_as_data(self, site: SimSite, said: Any) -> None:
        await run_plan(site, Format.JSON)
        (data,) = json.loads(said())
        assert data["complete"] is True
        assert data["choices"]["arbiter"] == "node3"
        assert {(d["node"], d["volumeGroup"]) for d in data["choices"]["disks"]} == {
            ("node1", "vgdisk1"),
            ("node2", "vgdisk1"),
            ("node3", "vgarbiter"),
        }
        nodes = [o for o in data["objects"] if o["kind"] == "Node"]
        assert [o["plan"] for o in nodes] == ["Proceed"] * 3
        assert {s["target"] for o in nodes for s in o["steps"]} == {"node1", "node2", "node3"}
        volumes = [o for o in data["objects"] if o["kind"] == "GlusterVolume"]
        assert [o["plan"] for o in volumes] == ["Wait"] * 2

    async def test_as_yaml_says_the_same(self, site: SimSite, said: Any) -> None:
        await run_plan(site, Format.JSON)
        first = json.loads(said())
        await run_plan(site, Format.YAML)
        assert yaml.safe_load(said()) == first

    async def test_a_mode_in_which_nothing_is_done_is_told(self, site: SimSite, said: Any) -> None:
        site.spec("Site", "demo")["mode"] = "Plan"
        site.spec("Node", "node1")["paused"] = True
        site.write()
        assert await run_plan(site) is Exit.TO_DO
        shown = said()
        assert "Node node1 (mode Plan, paused: shown, not done)" in shown
        assert "Node node2 (mode Plan: shown, not done)" in shown


class TestPlanOfTrouble:
    async def test_a_dirty_disk_is_named_with_what_is_on_it(self, site: SimSite, said: Any) -> None:
        disk = next(d for d in site.machines["node2"].host.storage.disks.values() if not d.mounted)
        disk.signature = "ext4"
        assert await run_plan(site) is Exit.TO_DO
        shown = said()
        assert "needs you: " in shown
        assert "node2" in shown
        assert "ext4" in shown
        assert site.effects == []

    async def test_two_nodes_are_refused_with_the_reason(self, site: SimSite, said: Any) -> None:
        site.objects = [o for o in site.objects if o["metadata"]["name"] != "node3"]
        site.write()
        assert await run_plan(site) is Exit.TO_DO
        assert "needs you: there are 2 storage nodes (node1, node2)" in said()

    async def test_a_host_that_does_not_answer_makes_the_plan_incomplete(self, site: SimSite, said: Any) -> None:
        await site.servers["node2"].stop()
        assert await run_plan(site) is Exit.ERROR
        shown = said()
        assert shown.count("Connection refused") == 1, "the Node tells why, the others refer to it"
        assert "see Node node2" in shown
        assert "the plan is incomplete without node2" in shown
        assert "InstallPackages on node1" in shown

    async def test_a_host_whose_key_is_not_pinned_is_not_talked_to(self, site: SimSite, said: Any) -> None:
        del site.spec("Node", "node1")["hostKeys"]
        site.write()
        assert await run_plan(site) is Exit.ERROR
        assert "presents the host key SHA256:" in said()
        assert site.servers["node1"].scripts == 0

    async def test_without_a_key_it_is_told_where_one_is_looked_for(self, site: SimSite, said: Any) -> None:
        await plan.run(NOWHERE, site.files, None, Format.TEXT, offline=True, no_color=True)
        assert "no Secret heretic-ssh, and there is no cluster to ask; give --identity FILE" in said()

    async def test_a_key_in_the_manifests_is_used(self, site: SimSite) -> None:
        secret = {"ssh-privatekey": client_key().export_private_key("openssh").decode()}
        site.objects.append(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "heretic-ssh"}, "stringData": secret}
        )
        site.write()
        status = await plan.run(NOWHERE, site.files, None, Format.TEXT, offline=True, no_color=True)
        assert status is Exit.TO_DO


class TestASiteThatRuns:
    async def test_is_converged_healthy_and_adopted_as_it_is(self, site: SimSite, said: Any, tmp_path: Path) -> None:
        await site.build()
        before = len(site.effects)

        assert await run_plan(site) is Exit.OK
        assert "Everything is as declared. Nothing was changed." in said()

        assert await run_verify(site) is Exit.OK
        assert json.loads(said()) == []

        hosts = [f"{name}={server.address}:{server.port}" for name, server in site.servers.items()]
        keys = [f"{name}={server.host_key_line}" for name, server in site.servers.items()]
        request = adopt.Request.parse(hosts, keys, user="root", port=22, site="demo", namespace="")
        assert await adopt.run(request, site.identity, trust=False) is Exit.OK
        adopted = tmp_path / "adopted.yaml"
        adopted.write_text(said())
        found = {(o["kind"], o["metadata"]["name"]): o["spec"] for o in yaml.safe_load_all(adopted.read_text())}
        assert set(found) == {(o["kind"], o["metadata"]["name"]) for o in site.objects}
        assert found["Site", "demo"]["mode"] == "Observe"
        assert found["Node", "node3"]["arbiter"] == "Always"
        assert found["GlusterVolume", "engine"]["size"] == "20Gi"

        status = await plan.run(NOWHERE, [str(adopted)], site.identity, Format.TEXT, offline=True, no_color=True)
        assert status is Exit.OK, said()
        assert len(site.effects) == before

    async def test_tells_drift_and_a_lost_node_by_their_codes(self, site: SimSite, said: Any) -> None:
        await site.build()
        before = len(site.effects)

        site.pool.volumes["vmstore"].options["network.ping-timeout"] = "99"
        assert await run_plan(site) is Exit.TO_DO
        assert "SetVolumeOptions on node1" in said()
        assert await run_verify(site) is Exit.OK
        assert [(f["code"], f["object"]) for f in json.loads(said())] == [("HVP-C004", "GlusterVolume vmstore")]
        assert await run_verify(site, "HVP-C004") is Exit.OK
        assert json.loads(said()) == []

        site.pool.power_cut("node2")
        await site.servers["node2"].stop()
        assert await run_verify(site) is Exit.ERROR
        codes = {(f["code"], f["object"]) for f in json.loads(said())}
        assert ("HVP-N001", "Node node2") in codes
        assert "HVP-C006" not in {code for code, _ in codes}, "what waits for that host is told at the host"
        assert {("HVP-V008", "GlusterVolume engine"), ("HVP-V008", "GlusterVolume vmstore")} <= codes
        assert ("HVP-S003", "Site demo") in codes
        assert await run_verify(site, output=Format.TEXT) is Exit.ERROR
        assert "on 2 of 3 hosts; nothing was changed." in said()
        assert len(site.effects) == before


class TestAnEngine:
    """Beside the hosts."""

    @pytest.fixture
    def engine(self) -> Iterator[EngineServer]:
        with EngineServer(address=f"{PREFIX}5", names=("engine.example.test",)) as server:
            yield server
            assert server.engine.refused == []

    def asked(self, engine: EngineServer, tmp_path: Path, *, ca: bool = True) -> adopt.EngineLogin:
        (tmp_path / "ca.pem").write_text(engine.engine.authority.pem)
        (tmp_path / "password").write_text(next(iter(engine.engine.sso.passwords.values())) + "\n")
        place = f"engine.example.test:{engine.port}={engine.address}"
        files = (str(tmp_path / "password"), str(tmp_path / "ca.pem") if ca else None)
        return adopt.EngineLogin.parse(place, "admin@internal", *files)

    async def adopted(self, site: SimSite, asked: adopt.EngineLogin) -> None:
        hosts = [f"{name}={server.address}:{server.port}" for name, server in site.servers.items()]
        keys = [f"{name}={server.host_key_line}" for name, server in site.servers.items()]
        request = adopt.Request.parse(hosts, keys, user="root", port=22, site="demo", namespace="")
        assert await adopt.run(request, site.identity, trust=False, engine=asked) is Exit.OK

    async def test_is_adopted_as_it_is_and_a_plan_of_that_shows_what_apply_would_do(
        self, site: SimSite, said: Any, tmp_path: Path, engine: EngineServer
    ) -> None:
        await self.adopted(site, self.asked(engine, tmp_path))
        objects = list(yaml.safe_load_all(said()))
        (made,) = (o for o in objects if o["kind"] == "HostedEngine")
        assert made["spec"]["cluster"]["name"] == "Default"
        password = (tmp_path / "password").read_text().strip()
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "heretic-engine"}}
        objects += [secret | {"stringData": {"password": password}}]
        (tmp_path / "adopted.yaml").write_text(yaml.safe_dump_all(objects))
        files = [str(tmp_path / "adopted.yaml")]
        status = await plan.run(NOWHERE, files, site.identity, Format.TEXT, offline=True, no_color=True)
        assert status is Exit.TO_DO
        assert "UpdateCluster on HostedEngine engine" in said()
        assert engine.engine.writes == []

    async def test_without_its_authority_its_fingerprint_is_told_and_nothing_printed(
        self, site: SimSite, said: Any, tmp_path: Path, engine: EngineServer
    ) -> None:
        with pytest.raises(HereticError, match="compare it on the engine's console"):
            await self.adopted(site, self.asked(engine, tmp_path, ca=False))
        assert said() == ""

    def test_needs_a_password(self) -> None:
        with pytest.raises(HereticError, match="--engine-password-file FILE"):
            adopt.EngineLogin.parse("engine.example.test", "admin@internal", None, None)

    def test_needs_an_address_that_is_one(self) -> None:
        with pytest.raises(HereticError, match="'engine2' is no IP address; leave it out"):
            adopt.EngineLogin.parse("engine.example.test=engine2", "admin@internal", "password", None)


class TestAdopt:
    async def run(self, site: SimSite, *keys: str, trust: bool = False) -> Exit:
        server = site.servers["node1"]
        hosts = [f"node1={server.address}:{server.port}"]
        request = adopt.Request.parse(hosts, keys, user="root", port=22, site="demo", namespace="here")
        return await adopt.run(request, site.identity, trust=trust)

    async def test_shows_the_fingerprint_and_stops_without_a_given_key(
        self, site: SimSite, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(HereticError, match="--host-key"):
            await self.run(site)
        shown = capsys.readouterr()
        assert "presents the host key SHA256:" in shown.err
        assert shown.out == ""
        assert site.servers["node1"].scripts == 0

    async def test_refuses_another_key_than_the_given_one(
        self, site: SimSite, capsys: pytest.CaptureFixture[str]
    ) -> None:
        other = " ".join(site.servers["node2"].host_key_line.split()[:2])
        with pytest.raises(HereticError, match="could not be observed"):
            await self.run(site, f"node1={other}", trust=True)
        assert capsys.readouterr().err.count("SHA256:") == 2
        assert site.servers["node1"].scripts == 0

    async def test_pins_the_key_that_it_was_told_to_believe(
        self, site: SimSite, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert await self.run(site, trust=True) is Exit.OK
        shown = capsys.readouterr()
        documents = list(yaml.safe_load_all(shown.out))
        node = next(d for d in documents if d["kind"] == "Node")
        assert node["spec"]["hostKeys"] == [" ".join(site.servers["node1"].host_key_line.split()[:2])]
        assert {d["metadata"]["namespace"] for d in documents} == {"here"}
        assert "believed on first use" in shown.err
        assert "no volumes were told" in shown.err
        assert site.effects == []
