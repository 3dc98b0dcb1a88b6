"""What is looked at before a deployment: each finding alone, with its reason; and what the answers of the host mean."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.domain.commands import Output
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import Cpu, HostFacts, HostView
from heretic.domain.host.interfaces import Interface
from heretic.domain.hosted_engine.bridge_port import interface_of
from heretic.domain.hosted_engine.cpu import common_cpu_type
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, FirstHost
from heretic.domain.hosted_engine.hindrance import Hindrance
from heretic.domain.hosted_engine.parse import first_host as parse
from heretic.domain.hosted_engine.prechecks import DeploymentGround, hindrances
from heretic.domain.hosted_engine.stages import STAGES, failure_of, stage_of
from heretic.domain.jobs import FailedJob
from sim.declared import network, node, site
from sim.deployment import TASKS
from sim.site_rules import resource

FQDN, ADDRESS = "engine.mgmt.private", "172.20.10.5"
NEHALEM = ("popcnt", "sse4_2", "vmx")
TRUE = {"status": "True", "observedGeneration": 1, "reason": "AsDeclared"}
VOLUME = {"conditions": [{"type": "Ready"} | TRUE, {"type": "Healed"} | TRUE]}
FIRST = FirstHost(
    host="node1",
    deployed=Known(False),
    role=Known(True),
    runner=Known(True),
    addresses=Known((ADDRESS,)),
    names=Known((FQDN,)),
    room=Known(40 * 2**30),
    machines=Known(()),
    firewall=Known("active"),
    bond_modes=Known({}),
    domain=Known(()),
    appliance=Known(True),
    authority=Absent(),
)


def port(name: str = "eth0", kind: str = "ether", *addresses: str) -> Interface:
    return Interface(name, "52:54:00:00:00:01", kind, carrier=True, mtu=1500, addresses=addresses)


def facts(number: int, *ports: Interface, vendor: str = "GenuineIntel", memory: int = 32) -> HostFacts:
    own = port("eth0", "ether", f"172.20.10.{10 + number}/24")
    cpu = Cpu(vendor, "model", 8, NEHALEM)
    return HostFacts(
        f"node{number}", cpu=Known(cpu), memory_bytes=Known(memory * 2**30), interfaces=Known(ports or (own,))
    )


def packaged(vdsm: Fact[str], gluster: str) -> Callable[[], DeploymentGround]:
    """The versions of VDSM and Gluster on the first host."""
    on = replace(facts(1), packages=Known({"glusterfs-server": gluster}))
    return lambda: ground(replace(FIRST, vdsm=vdsm), hosts={"node1": on})


def ground(
    first: FirstHost = FIRST,
    *,
    hosts: dict[str, HostView] | None = None,
    volume: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    subnet: str = "172.20.10.0/24",
    address: str = "",
    **spec: Any,
) -> DeploymentGround:
    declared = {"fqdn": FQDN, "deployment": "SelfHosted", "selfHosted": spec} | (
        {"address": address} if address else {}
    )
    engine: HostedEngine = resource(HostedEngine, "engine", declared)
    purpose = {"purpose": "Engine", "size": "100Gi"} | (volume or {})
    stored: GlusterVolume = resource(GlusterVolume, "engine", purpose, VOLUME if status is None else status)
    nodes = [node(f"node{n}", 10 + n, roles=["Storage", "Hypervisor"]) for n in (1, 2, 3)]
    view = SiteView.holding([site(), *nodes, network("mgmt", "Management", subnet), stored])
    seen: dict[str, HostView] = {f"node{n}": facts(n) for n in (1, 2, 3)} | (hosts or {})
    own = seen["node1"]
    assert engine.spec.self_hosted
    assert isinstance(own, HostFacts)
    return DeploymentGround(engine, engine.spec.self_hosted, view, seen, first, own)


def test_nothing_is_in_the_way_on_good_ground() -> None:
    assert hindrances(ground()) == ()


def first(**more: Any) -> Callable[[], DeploymentGround]:
    return lambda: ground(replace(FIRST, **more))


def bonded(name: str, mode: str = "fault-tolerance (active-backup)", above: str = "") -> Callable[[], DeploymentGround]:
    bond = port(name, "bond", *(() if above else ("172.20.10.11/24",)))
    ports = (bond, port(above, "vlan", "172.20.10.11/24")) if above else (bond,)
    return lambda: ground(replace(FIRST, bond_modes=Known({name: mode})), hosts={"node1": facts(1, *ports)})


NOTHING = Unknown("no answer")


@pytest.mark.parametrize(
    ("made", "reason", "told"),
    [
        (packaged(Known("4.50.0.13"), "10.1-1.el8s"), Reason.ENGINE_TOOLS_MISSING, "cannot read volumes of Gluster 10"),
        (packaged(Known("4.40.100.2"), "11.1"), Reason.ENGINE_TOOLS_MISSING, "VDSM 4.50.1 or later"),
        (first(role=Known(False)), Reason.ENGINE_TOOLS_MISSING, "oVirt's role hosted_engine_setup"),
        (first(runner=Known(False)), Reason.ENGINE_TOOLS_MISSING, "ansible-playbook"),
        (first(deployed=Absent()), Reason.ENGINE_TOOLS_MISSING, "hosted-engine"),
        (first(deployed=NOTHING), Reason.NOT_OBSERVED, "whether an engine was deployed"),
        (
            lambda: ground(replace(FIRST, appliance=Known(False)), appliance="/root/a.ova"),
            Reason.APPLIANCE_MISSING,
            "/root/a.ova is not known to be on node1",
        ),
        (first(addresses=Absent()), Reason.NAME_NOT_RESOLVED, "node1 cannot resolve engine.mgmt.private"),
        (first(addresses=NOTHING), Reason.NOT_OBSERVED, "the address of engine.mgmt.private"),
        (first(addresses=Known(("172.20.10.12",))), Reason.ENGINE_NAME_WRONG, "which is node2's own"),
        (first(addresses=Known(("127.0.1.1",))), Reason.ENGINE_NAME_WRONG, "which is node1's own"),
        (lambda: ground(address="172.20.10.6"), Reason.ENGINE_NAME_WRONG, "and spec.address is 172.20.10.6"),
        (first(names=Absent()), Reason.ENGINE_NAME_WRONG, "leads back to no name"),
        (first(names=Known(("other.private",))), Reason.ENGINE_NAME_WRONG, "leads back to other.private and not to"),
        (first(names=NOTHING), Reason.NOT_OBSERVED, "the name of 172.20.10.5"),
        (lambda: ground(natSubnet="10.9.9.0/24", subnet="10.9.0.0/16"), Reason.NAT_SUBNET_CLASHES, "Network mgmt"),
        (lambda: ground(subnet="192.168.0.0/16"), Reason.NAT_SUBNET_CLASHES, "overlaps 192.168.0.0/16 of Network mgmt"),
        (
            lambda: ground(hosts={"node3": facts(3, port("eth9", "ether", "192.168.222.9/28"))}),
            Reason.NAT_SUBNET_CLASHES,
            "eth9 of node3",
        ),
        (first(room=Known(2**30)), Reason.DOES_NOT_FIT, "/var/tmp of node1 has"),
        (first(room=NOTHING), Reason.NOT_OBSERVED, "the free space in /var/tmp"),
        (lambda: ground(hosts={"node1": facts(1, memory=16)}), Reason.DOES_NOT_FIT, "node1 has 16Gi of memory"),
        (lambda: ground(networkInterface="eth7"), Reason.INTERFACE_UNSUITABLE, "no interface eth7"),
        (
            lambda: ground(hosts={"node1": facts(1, port("eth0"))}),
            Reason.INTERFACE_UNSUITABLE,
            "no interface with its address 172.20.10.11",
        ),
        (bonded("team1"), Reason.INTERFACE_UNSUITABLE, "not called bond and a number"),
        (bonded("bond0", "load balancing (round-robin)"), Reason.INTERFACE_UNSUITABLE, "has the mode 'load balancing"),
        (bonded("bond0", "adaptive load balancing (balance-alb)"), Reason.INTERFACE_UNSUITABLE, "balance-alb"),
        (bonded("bond0", above="mgmt10"), Reason.INTERFACE_UNSUITABLE, "VLAN mgmt10 is not called PARENT.ID"),
        (bonded("bond0", "load balancing (round-robin)", "bond0.10"), Reason.INTERFACE_UNSUITABLE, "the bond bond0"),
        (
            lambda: ground(hosts={"node1": facts(1, port("team0", "team", "172.20.10.11/24"))}),
            Reason.INTERFACE_UNSUITABLE,
            "team0 is a team",
        ),
        (first(firewall=Known("inactive")), Reason.FIREWALL_NOT_RUNNING, "firewalld of node1 is inactive"),
        (first(firewall=NOTHING), Reason.FIREWALL_NOT_RUNNING, "firewalld of node1 is not known"),
        (first(machines=Known((LOCAL_MACHINE,))), Reason.DEPLOYMENT_LEFTOVERS, LOCAL_MACHINE),
        (first(machines=Known(("HostedEngine",))), Reason.ENGINE_DEPLOYED_BEFORE, "a machine HostedEngine"),
        (first(machines=NOTHING), Reason.NOT_OBSERVED, "the list of machines"),
        (lambda: ground(hosts={"node2": facts(2, vendor="AuthenticAMD")}), Reason.CPUS_DIFFER, "node2 AuthenticAMD"),
        (
            lambda: ground(hosts={"node2": Transient(Reason.UNREACHABLE, "no route")}),
            Reason.NOT_OBSERVED,
            "the processor of node2 is not known",
        ),
        (lambda: ground(storageVolume="other"), Reason.ENGINE_VOLUME_NOT_READY, "there is no GlusterVolume other"),
        (
            lambda: ground(volume={"purpose": "VirtualMachines"}),
            Reason.ENGINE_VOLUME_NOT_READY,
            "has the purpose VirtualMachines",
        ),
        (
            lambda: ground(status={"conditions": [{"type": "Ready"} | TRUE]}),
            Reason.ENGINE_VOLUME_NOT_READY,
            "GlusterVolume engine is not Healed",
        ),
        (lambda: ground(volume={"size": "70Gi"}), Reason.DOES_NOT_FIT, "GlusterVolume engine has 70Gi"),
        (first(domain=Known(("/b/b1f4d3a2",))), Reason.ENGINE_VOLUME_NOT_EMPTY, "is not empty (/b/b1f4d3a2)"),
        (first(domain=NOTHING), Reason.NOT_OBSERVED, "what lies on GlusterVolume engine"),
    ],
)
def test_each_thing_in_the_way_is_told_with_its_reason(
    made: Callable[[], DeploymentGround], reason: Reason, told: str
) -> None:
    found = hindrances(made())
    assert [f.reason for f in found] == [reason], found
    assert told in found[0].message


@pytest.mark.parametrize(
    ("vdsm", "gluster"),
    [
        (Known("4.50.1"), "10.1"),
        (Known("4.50.7"), "11.1-1.el9s"),
        (Known("4.40.100.2"), "9.6"),
        (Known("4.40.100.2"), "20:9.6-1"),
        (Absent(), "11.1"),
        (Unknown("no rpm"), "11.1"),
    ],
)
def test_item_8_versions_of_vdsm_and_gluster_that_go_together(vdsm: Fact[str], gluster: str) -> None:
    assert hindrances(packaged(vdsm, gluster)()) == ()


def test_all_that_is_in_the_way_is_told_together() -> None:
    seen = replace(FIRST, firewall=Known("inactive"), room=Known(0), addresses=Absent())
    assert {f.reason for f in hindrances(ground(seen, storageVolume="other"))} == {
        Reason.FIREWALL_NOT_RUNNING,
        Reason.DOES_NOT_FIT,
        Reason.NAME_NOT_RESOLVED,
        Reason.ENGINE_VOLUME_NOT_READY,
    }


def test_the_bridge_of_libvirt_that_an_earlier_try_left_is_not_in_the_way() -> None:
    own = (port("eth0", "ether", "172.20.10.11/24"), port("virbr0", "bridge", "192.168.222.1/24"))
    assert hindrances(ground(hosts={"node1": facts(1, *own)})) == ()


def test_the_interface_is_the_one_with_the_address_of_the_node() -> None:
    ports = (port("eth0", "ether", "172.20.11.11/24"), port("bond0.10", "vlan", "172.20.10.11/24"))
    assert interface_of(facts(1, *ports), "172.20.10.11", "") == "bond0.10"
    assert interface_of(facts(1, *ports), "172.20.10.11", "eth0") == "eth0"


WESTMERE = ("aes", "pclmulqdq", *NEHALEM)
HASWELL = (
    "avx",
    "avx2",
    "bmi2",
    "f16c",
    "fma",
    "fsgsbase",
    "movbe",
    "rdrand",
    "tsc_deadline_timer",
    "xsave",
    *WESTMERE,
)
CASCADELAKE = ("3dnowprefetch", "adx", "avx512_vnni", "avx512f", "avx512vl", "clwb", "rdseed", *HASWELL)


@pytest.mark.parametrize(
    ("cpus", "found"),
    [
        ([("GenuineIntel", CASCADELAKE)] * 3, "Intel Cascadelake Server Family"),
        ([("GenuineIntel", CASCADELAKE), ("GenuineIntel", HASWELL)], "Intel Haswell Family"),
        ([("GenuineIntel", WESTMERE), ("GenuineIntel", HASWELL)], "Intel Westmere Family"),
        ([("GenuineIntel", ("vmx",))], ""),
        ([("AuthenticAMD", ("avx2", "clflushopt", "sha_ni", "xsavec"))], "AMD EPYC"),
        ([("AuthenticAMD", NEHALEM)], ""),
        ([("GenuineIntel", HASWELL), ("AuthenticAMD", HASWELL)], ""),
        ([("ARM", HASWELL)], ""),
        ([], ""),
    ],
)
def test_the_common_type_of_processor_is_the_newest_that_all_have(
    cpus: list[tuple[str, tuple[str, ...]]], found: str
) -> None:
    assert common_cpu_type([Cpu(vendor, "model", 8, flags) for vendor, flags in cpus]) == found


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("work", "output", "fact"),
    [
        (parse.parse_check_deployed, Output(0, "", ""), Known(True)),
        (parse.parse_check_deployed, Output(1, "", ""), Known(False)),
        (parse.parse_check_deployed, Output(127, "", ""), Absent()),
        (parse.parse_present, Output(0, "/role\n", ""), Known(True)),
        (parse.parse_present, Output(1, "", "find: no such file"), Known(False)),
        (parse.parse_present, Output(127, "", ""), Known(False)),
        (parse.parse_addresses, Output(0, "1.2.3.4 STREAM x\n1.2.3.4 DGRAM\n", ""), Known(("1.2.3.4",))),
        (parse.parse_addresses, Output(2, "", ""), Absent()),
        (parse.parse_names, Output(0, "1.2.3.4  Engine.mgmt.private. e\n", ""), Known(("engine.mgmt.private", "e"))),
        (parse.parse_room, Output(0, "4096 10\n", ""), Known(40960)),
        (parse.parse_firewall, Output(3, "inactive\n", ""), Known("inactive")),
        (parse.parse_lines, Output(0, "\nHostedEngineLocal\n\n", ""), Known(("HostedEngineLocal",))),
        (
            parse.parse_bond_modes,
            Output(0, "/proc/net/bonding/bond0:Bonding Mode: IEEE 802.3ad Dynamic link aggregation\n", ""),
            Known({"bond0": "IEEE 802.3ad Dynamic link aggregation"}),
        ),
        (parse.parse_bond_modes, Output(2, "", ""), Known({})),
        (parse.parse_authority, Output(0, PEM, ""), Known(PEM)),
        (parse.parse_authority, Output(1, "", "cat: no such file"), Absent()),
    ],
)
def test_what_the_host_answers(work: Callable[[Output], Fact[object]], output: Output, fact: Fact[object]) -> None:
    assert work(output) == fact


@pytest.mark.parametrize(
    "work",
    [
        parse.parse_check_deployed,
        parse.parse_present,
        parse.parse_addresses,
        parse.parse_names,
        parse.parse_room,
        parse.parse_lines,
        parse.parse_firewall,
        parse.parse_bond_modes,
        parse.parse_authority,
    ],
)
def test_what_does_not_answer_in_time_is_unknown(work: Callable[[Output], Fact[object]]) -> None:
    assert isinstance(work(Output(124, "", "")), Unknown)


def line(task: str) -> str:
    return f"TASK [ovirt.ovirt.hosted_engine_setup : {task}] {'*' * 30}"


def test_the_stages_follow_one_another() -> None:
    assert [stage.percent for stage in STAGES] == sorted({stage.percent for stage in STAGES})
    told = [stage_of(line(task)) for task, _ in TASKS]
    assert all(told)
    assert [s.percent for s in told if s] == sorted(s.percent for s in told if s)
    assert stage_of(line("debug")) is None
    assert stage_of("PLAY RECAP") is None


@pytest.mark.parametrize(
    ("task", "message", "reason"),
    [
        # domain failures of the deployment, as their messages have been reported
        ("Wait for the local VM", "Timeout when waiting for 192.168.222.11:22", Reason.ENGINE_BOOTSTRAP_FAILED),
        ("Check the local VM", "HostedEngineLocal is down, local VM is not running", Reason.ENGINE_BOOTSTRAP_FAILED),
        ("Fail with error description", "The host has been set in non_operational status", Reason.FIRST_HOST_NOT_UP),
        ("Notify the user about a failure", "Host is not up, please check logs", Reason.FIRST_HOST_NOT_UP),
        ("Check storage domain free space", "the target storage domain contains only", Reason.ENGINE_STORAGE_FAILED),
        ("Check engine VM health", "it failed", Reason.ENGINE_MACHINE_NOT_GOOD),
        ("Get ifaces", "You need to install \"jmespath\" prior to running", Reason.ENGINE_TOOLS_MISSING),
        ("Something", "odd", Reason.DEPLOYMENT_FAILED),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_its_task_and_its_message(task: str, message: str, reason: Reason) -> None:
    escaped = message.replace('"', '\\"')
    said = f'fatal: [localhost]: FAILED! => {{"changed": false, "msg": "{escaped}", "stdout": "hunter2"}}'
    found, text = failure_of(FailedJob("exited 2", (line(task), said, "PLAY RECAP ****")))
    assert found is reason
    assert text == f"{task}: {message}"


def test_a_failure_without_a_message_says_how_the_job_ended() -> None:
    assert failure_of(FailedJob("took longer than it may and was ended")) == (
        Reason.DEPLOYMENT_FAILED,
        "took longer than it may and was ended",
    )


def test_a_finding_is_told_in_a_sentence_for_people() -> None:
    assert all(isinstance(f, Hindrance) and f.message for f in hindrances(ground(replace(FIRST, room=Known(0)))))
