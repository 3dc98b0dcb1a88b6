"""Three hosts deploy an engine, once: through the real loop, with hosts and an engine that are simulated."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from heretic.domain.hosted_engine.agent import CONFIGURATION
from heretic.domain.hosted_engine.deploy_steps import job_name
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE
from heretic.domain.hosted_engine.variables import PASSWORD
from sim.addresses import PREFIX
from sim.deployment import FQDN, KNOWN, LOCAL, WRITTEN, silent_engine
from sim.engine.server import EngineServer
from sim.world import Recorder
from unit.hosted_engine.deploying import FIRST, KEY, SECOND, Deployment, spec, undeployed


@pytest.fixture
def server() -> Iterator[EngineServer]:
    with silent_engine() as server:
        yield server


@pytest.fixture
async def site(server: EngineServer) -> AsyncIterator[Deployment]:
    async with undeployed(server) as found:
        yield found


async def test_three_hosts_deploy_an_engine_and_it_becomes_ready(site: Deployment) -> None:
    await site.world.round()
    assert site.starts == [FIRST]
    assert site.status["deployment"]["firstNode"] == "node1"
    site.first.machine.outcomes[FIRST] = ("running", 0, 0, ("TASK [ovirt.ovirt.hosted_engine_setup : Add host] **",))
    await site.world.round()
    assert (site.status["deployment"]["stage"], site.status["deployment"]["percent"]) == ("adding the first host", 50)
    assert site.says("EngineUp")["reason"] == "WorkInProgress"
    await site.run()
    assert site.says("Ready")["status"] == "True", site.world.describe()
    assert site.status["engineId"] == site.server.engine.state.instance_id
    assert site.status["certificateAuthority"] == site.server.engine.authority.pem
    assert site.status["deployment"] == {"firstNode": "node1", "stage": "deployed", "percent": 100}
    assert site.starts == [FIRST]
    assert {host.name: host.address for host in site.server.engine.state.hosts.values()} == {
        "node1": f"{PREFIX}11",
        "node2": f"{PREFIX}12",
        "node3": f"{PREFIX}13",
    }, "the first host is the one that the role added, and the others were added"
    for node in site.hosts:
        assert site.world.condition("Node", node, "EngineMember")["status"] == "True"
    writes = site.world.api.status_writes
    await site.run(1)
    assert (site.starts, site.world.api.status_writes) == ([FIRST], writes)
    (told,) = site.first.told
    assert told == {
        "he_bridge_if": "eth0",
        "he_cluster": "Default",
        "he_data_center": "Default",
        "he_disk_size_GB": 61,
        "he_domain_type": "glusterfs",
        "he_enable_hc_gluster_service": True,
        "he_fqdn": FQDN,
        "he_host_address": f"{PREFIX}11",
        "he_host_name": "node1",
        "he_ipv4_subnet_prefix": "192.168.222",
        "he_mem_size_MB": 8192,
        "he_mount_options": "backup-volfile-servers=node2.gluster.private:node3.gluster.private",
        "he_network_test": "dns",
        "he_pause_after_failed_add_host": False,
        "he_pause_after_failed_restore": False,
        "he_storage_domain_addr": "node1.gluster.private",
        "he_storage_domain_path": "/engine",
        "he_vcpus": 4,
    }
    password = site.world.api.secrets["heretic-engine"]["password"].decode()
    assert PASSWORD not in site.first.machine.files
    assert [path for path, file in site.first.machine.files.items() if password in file.content] == []
    assert password not in json.dumps(site.world.api.objects[KEY])


@pytest.mark.parametrize(
    ("task", "reason", "starts", "cleaned"),
    [
        (LOCAL, "EngineBootstrapFailed", [FIRST, SECOND], 1),
        (WRITTEN, "EngineVolumeNotEmpty", [FIRST], 0),
        (KNOWN, "EngineMachineNotGood", [FIRST], 0),
    ],
)
async def test_a_deployment_that_fails_is_tried_again_once_and_only_where_nothing_was_deployed(
    site: Deployment, task: int, reason: str, starts: list[str], cleaned: int
) -> None:
    site.first.fails = task
    await site.run(6)
    assert (site.starts, site.says("EngineUp")["reason"]) == (starts, reason)
    assert site.says("Stalled")["status"] == "True"
    assert site.status["deployment"]["failure"]
    assert "hunter2" not in json.dumps(site.status), "of a result only the message is told"
    assert site.first.cleaned == cleaned
    if task == LOCAL:
        site.first.fails = None
        site.world.api.apply(spec(site.server, attempt=2))
        await site.run(5)
        assert site.starts == [FIRST, SECOND, job_name(2, 1)], "a person has it tried again"
        assert site.says("Ready")["status"] == "True"


async def test_a_second_try_that_has_begun_to_write_is_told_so_before_a_person_has_it_tried_again(
    site: Deployment,
) -> None:
    site.first.fails = LOCAL
    await site.run(1)
    site.first.fails = WRITTEN
    await site.run(6)
    told = site.says("EngineUp")
    assert (site.starts, told["reason"]) == ([FIRST, SECOND], "EngineVolumeNotEmpty")
    assert told["message"].endswith("; then raise spec.selfHosted.attempt")
    site.first.fails = None
    site.world.api.apply(spec(site.server, attempt=2))
    await site.run(3)
    assert (site.starts, site.says("EngineUp")["reason"]) == ([FIRST, SECOND], "EngineVolumeNotEmpty")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", [1])
async def test_an_operator_that_is_killed_at_an_effect_deploys_no_second_engine(
    site: Deployment, number: int, moment: str
) -> None:
    await site.world.kill_operator()
    await site.world.start_operator(Recorder(number, moment))
    assert await site.world.run_mortal(lambda: site.run(2))
    await site.world.start_operator()
    await site.run()
    assert site.starts == [FIRST]
    assert len(site.first.told) == 1
    assert site.says("Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("there", "starts", "reason"),
    [
        ("nothing", [FIRST, SECOND], ""),
        ("a domain", [FIRST], "EngineVolumeNotEmpty"),
        ("a configuration", [FIRST], "EngineUnreachable"),
    ],
)
async def test_a_host_that_is_booted_in_the_middle_deploys_no_second_engine(
    site: Deployment, there: str, starts: list[str], reason: str
) -> None:
    await site.world.round()
    machine = site.first.machine
    machine.outcomes[FIRST] = ("running", 0, 0, ())
    machine.reboot()
    if there == "a domain":
        site.first.domain.append("b1f4d3a2-6f0e-4f6b-9f0e-3a8d7c5b2e11")
    elif there == "a configuration":
        machine.put(CONFIGURATION, "host_id=1\n", "0644", None)
    await site.run(4)
    assert site.starts == starts
    if reason:
        assert site.says("EngineUp")["reason"] == reason


async def test_an_engine_that_was_recorded_is_never_deployed_again(site: Deployment) -> None:
    await site.run()
    assert site.says("Ready")["status"] == "True"
    site.server.stop()
    machine = site.first.machine
    machine.files.pop(CONFIGURATION)
    machine.outcomes.clear()
    site.first.libvirt.clear()
    site.first.domain.clear()
    await site.run(2)
    assert site.starts == [FIRST]
    assert site.says("Ready")["status"] != "True"


async def test_something_that_answers_at_the_name_of_the_engine_is_not_deployed_over(site: Deployment) -> None:
    site.server.start()
    await site.run(3)
    assert site.starts == []
    assert site.says("EngineUp")["reason"] == "EngineDeployedBefore"
    assert "deployment Existing" in site.says("EngineUp")["message"]


async def test_nothing_is_begun_in_mode_plan_and_while_anything_is_in_the_way(site: Deployment) -> None:
    site.world.api.patch(KEY, {"mode": "Plan"})
    await site.run(1)
    assert "DeployEngine" in json.dumps(site.status["plan"])
    site.world.api.patch(KEY, {"mode": "Apply"})
    site.first.firewall, site.first.room = "inactive", 2**30
    site.first.reverse.clear()
    site.first.libvirt.append(LOCAL_MACHINE)
    await site.run(1)
    said = site.says("EngineUp")["message"]
    for part in ("firewalld of node1 is inactive", "/var/tmp of node1 has", "leads back to no name", LOCAL_MACHINE):
        assert part in said
    assert site.says("Stalled")["status"] == "True"
    assert (site.starts, site.first.cleaned) == ([], 0), "the machine is of somebody else's deployment"
