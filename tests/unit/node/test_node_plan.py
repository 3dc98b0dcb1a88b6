"""What a Node's plan says of one world, and what repeated passes make of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.commands import Command, Output
from heretic.domain.disks import multipath
from heretic.domain.disks.hidden import AddToDevicesFile
from heretic.domain.disks.steps import PrepareDisk
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.gluster.feature import GLUSTER
from heretic.domain.host import profiles
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import (
    FileContent,
    FirewallZone,
    HostFacts,
    OperatingSystem,
    PhysicalVolume,
    Service,
    TimeSync,
)
from heretic.domain.host.profiles import Family
from heretic.domain.host.steps import (
    PACKAGE_JOB,
    EnableService,
    InstallPackages,
    LabelFiles,
    OpenFirewall,
    WriteFile,
)
from heretic.domain.jobs import FailedJob
from heretic.domain.node.plan import plan_node
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Risk, Wait, steps_of
from heretic.domain.pool import glusterd
from heretic.domain.pool.parse.peers import Peer
from heretic.kinds import KINDS
from sim.asked import ASKED, FACTS, but, fact_of
from sim.block_devices import GIB, SimDisk
from sim.host_tools import data_disk, storage_machine
from sim.machine import SimJob
from sim.one_host import KilledError, MortalMachine, OneHost, node_resource, site_resource, volume_resource

CHOSEN = {"nodes": ["node1"], "dataDiskCount": 1}
VOLUMES = (volume_resource("engine", "Engine", "20Gi"), volume_resource("vmstore", "VirtualMachines", "40Gi"))


def one_host(**more: Any) -> OneHost:
    plain: dict[str, Any] = {"site": site_resource(CHOSEN), "volumes": VOLUMES}
    return OneHost(**(plain | more))


def settle(host: OneHost, passes: int = 10) -> Plan:
    for _ in range(passes):
        plan = host.run_pass()
        if not isinstance(plan, Proceed | Wait):
            return plan
    return plan


def pending(plan: Plan) -> dict[Reason, str]:
    found = plan.pending if isinstance(plan, Proceed) else (plan,)
    return {o.reason: o.message for o in found if isinstance(o, Wait | Blocked)}


# --- the way from a blank host to a configured one ---


def test_a_blank_host_is_configured_and_then_left_alone() -> None:
    host = one_host()
    assert isinstance(settle(host), Converged)
    assert [step.verb for step, _ in host.trace] == [
        "WriteFile",
        "InstallPackages",
        "WriteFile",
        "WriteFile",
        "EnableService",
        "PrepareDisk",
    ]
    assert {verdict for _, verdict in host.trace} == {"changed", "started"}
    assert host.machine.refusals == []
    effects = len(host.machine.effects)
    assert isinstance(host.run_pass(), Converged)
    assert len(host.machine.effects) == effects
    assert "172.20.10.11 node1.gluster.private\n" in host.machine.files["/etc/hosts"].content
    assert host.machine.storage.disks["sdb"].group == "vgdisk1"


def test_every_step_does_nothing_the_second_time() -> None:
    host = one_host()
    settle(host)
    for step, _ in list(host.trace):
        assert host.perform(step) == "unchanged", step


def test_a_host_that_dies_before_any_effect_is_configured_all_the_same() -> None:
    whole = one_host(machine=mortal(0))
    settle(whole)
    assert isinstance(whole.machine, MortalMachine)
    assert whole.machine.count > 10
    for moment in range(1, whole.machine.count + 1):
        host = one_host(machine=mortal(moment))
        died = False
        for _ in range(12):
            try:
                plan = host.run_pass()
            except KilledError:
                died = True
                host.machine.reboot()
                continue
            if isinstance(plan, Converged):
                break
        assert died, moment
        assert isinstance(host.plan(), Converged), moment
        assert host.machine.refusals == []
        assert [argv[0] for argv in host.machine.effects].count("vgcreate") == 1
        for reader in ("systemd", "chrony.service"):
            assert f"/run/heretic/reload/{reader}" not in host.machine.files


def mortal(moment: int) -> MortalMachine:
    plain = storage_machine()
    machine = MortalMachine("node1", host=plain.host, dies_before=moment)
    machine.files, machine.tools, machine.on_boot = plain.files, plain.tools, plain.on_boot
    machine.files["/proc/sys/kernel/random/boot_id"].content = f"{machine.boot_id}\n"
    return machine


def test_without_a_crash_nothing_is_installed_before_its_program_is_there() -> None:
    plan = one_host().plan()
    assert [type(step) for step in steps_of(plan)] == [WriteFile, InstallPackages]


# --- packages ---


def test_a_running_installation_is_waited_for() -> None:
    host = one_host()
    host.machine.jobs_finish_at_once = False
    host.run_pass()
    plan = host.plan()
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.WORK_IN_PROGRESS
    assert "glusterfs-server" in plan.message
    host.machine.jobs["heretic-packages.service"].finish()
    assert isinstance(settle(host), Converged)


def test_a_failed_installation_says_so_and_is_tried_again_after_a_pause() -> None:
    host = one_host()
    host.machine.host.archive_down = True
    host.run_pass()
    plan = host.plan()
    assert isinstance(plan, Wait)
    assert plan.reason is Reason.PACKAGE_INSTALL_FAILED
    assert "journalctl -u heretic-packages.service" in plan.message
    assert plan.after == pytest.approx(60.0)
    facts = host.observe()
    assert isinstance(facts.jobs, Known)
    old = replace(_failed(facts), seconds=61.0)
    later = plan_host(host, replace(facts, jobs=Known({PACKAGE_JOB: old})))
    assert [type(step) for step in steps_of(later)] == [InstallPackages]
    assert Reason.PACKAGE_INSTALL_FAILED in pending(later)


def _failed(facts: HostFacts) -> FailedJob:
    assert isinstance(facts.jobs, Known)
    job = facts.jobs.value[PACKAGE_JOB]
    assert isinstance(job, FailedJob)
    return job


def test_a_failed_installation_says_what_the_package_manager_said() -> None:
    host = one_host()
    host.machine.host.archive_down = True
    host.run_pass()
    plan = host.plan()
    assert isinstance(plan, Wait)
    assert "exited 100, and said last: " in plan.message


def test_the_outcome_of_an_installation_outlives_a_boot() -> None:
    host = one_host()
    host.machine.host.archive_down = True
    host.run_pass()
    before = _failed(host.observe())
    host.machine.reboot()
    assert _failed(host.observe()) == before


def test_a_locked_package_manager_is_waited_for_by_its_own_reason() -> None:
    host = one_host()
    host.machine.host.lock = True
    plan = host.plan()
    assert [type(step) for step in steps_of(plan)] == [WriteFile]
    assert "process 812 (/var/lib/dpkg/lock-frontend)" in pending(plan)[Reason.PACKAGE_MANAGER_LOCKED]
    host.machine.host.lock = False
    assert isinstance(settle(host), Converged)


def plan_host(host: OneHost, facts: HostFacts) -> Plan:
    return plan_node(host.node, host.view, facts, KINDS.features)


# --- drift and trouble on a configured host: what is wrong → what the plan says ---


@pytest.fixture
def ready() -> OneHost:
    host = one_host()
    assert isinstance(settle(host), Converged)
    return host


def test_a_stopped_service_is_started(ready: OneHost) -> None:
    ready.machine.units["glusterd.service"].active = "inactive"
    (step,) = steps_of(ready.plan())
    assert step == EnableService(
        host="node1", why="glusterd.service is inactive and enabled", service="glusterd.service"
    )
    assert isinstance(settle(ready), Converged)


def test_a_failed_service_is_started_again_and_named(ready: OneHost) -> None:
    unit = ready.machine.units["glusterd.service"]
    unit.active, unit.result, unit.fails = "failed", "exit-code", True
    plan = ready.plan()
    assert [type(s) for s in steps_of(plan)] == [EnableService]
    assert "glusterd.service failed (exit-code" in pending(plan)[Reason.SERVICE_FAILED]
    ready.run_pass()
    assert ready.trace[-1][1].startswith("act:")
    unit.fails = False
    assert isinstance(settle(ready), Converged)


def test_a_changed_file_is_written_back_and_others_lines_stay(ready: OneHost) -> None:
    hosts = ready.machine.files["/etc/hosts"]
    hosts.content = hosts.content.replace("172.20.10.11", "9.9.9.9") + "10.9.9.9 printer\n"
    ready.run_pass()
    assert "172.20.10.11 node1.gluster.private\n" in hosts_of(ready)
    assert hosts_of(ready).endswith("10.9.9.9 printer\n")
    assert isinstance(ready.plan(), Converged)


def hosts_of(host: OneHost) -> str:
    return host.machine.files["/etc/hosts"].content


def test_a_file_that_changed_after_it_was_read_is_not_overwritten(ready: OneHost) -> None:
    ready.machine.files["/etc/hosts"].content = "127.0.0.1 localhost\n"
    (step,) = steps_of(ready.plan())
    ready.machine.files["/etc/hosts"].content = "127.0.0.1 localhost\n10.9.9.9 printer\n"
    assert ready.perform(step).startswith("stale")
    assert "printer" in hosts_of(ready)


def test_time_servers_are_written_and_chrony_told(ready: OneHost) -> None:
    ready.site = site_resource(CHOSEN, timeServers=["172.20.10.1"])
    (step,) = steps_of(ready.plan())
    assert isinstance(step, WriteFile)
    ready.run_pass()
    assert ("systemctl", "restart", "chrony.service") in ready.machine.effects
    assert ready.machine.files["/etc/chrony/sources.d/heretic.sources"].content.endswith("server 172.20.10.1 iburst\n")
    assert isinstance(ready.plan(), Converged)
    ready.site = site_resource(CHOSEN)
    ready.run_pass()
    assert "server" not in ready.machine.files["/etc/chrony/sources.d/heretic.sources"].content
    assert isinstance(ready.plan(), Converged)


def test_a_reader_that_was_not_told_is_told(ready: OneHost) -> None:
    ready.machine.put("/run/heretic/reload/systemd", "", "0600", None)
    (step,) = steps_of(ready.plan())
    assert isinstance(step, WriteFile)
    assert step.path == glusterd.DROP_IN
    assert isinstance(settle(ready), Converged)
    assert ("systemctl", "daemon-reload") in ready.machine.effects[-3:]


def test_glusterd_is_restarted_for_its_options_only_while_it_has_no_peers(ready: OneHost) -> None:
    facts = ready.observe()
    changed = {**facts.files, glusterd.DROP_IN: text("old\n")}
    peer = Peer("u", ("node2.gluster.private",), True, "Peer in Cluster")
    for peers, restarted in ((Known(()), True), (Known((peer,)), False), (Unknown("glusterd is down"), False)):
        (step,) = steps_of(plan_host(ready, but(facts, files=changed, peers=peers)))
        assert isinstance(step, WriteFile)
        assert step.tell[0] == ("systemctl", "daemon-reload")
        assert (("systemctl", "try-restart", "glusterd.service") in step.tell) is restarted, peers


def test_maintenance_changes_nothing(ready: OneHost) -> None:
    ready.node = node_resource(maintenance=True)
    ready.machine.units["glusterd.service"].active = "inactive"
    assert isinstance(ready.plan(), Converged)


def skewed(offset: float, doubt: float = 0.1) -> dict[str, Fact[Any]]:
    return {"time": Known(TimeSync(True, offset, doubt))}


def service(**change: Any) -> dict[str, Fact[Any]]:
    plain = {
        name: Service(name, "loaded", "active", "running", "enabled") for name in ("glusterd.service", "chrony.service")
    }
    plain["glusterd.service"] = replace(plain["glusterd.service"], **change)
    return {"services": Known(plain)}


TROUBLE: list[tuple[str, dict[str, Any], type[Plan], Reason, str]] = [
    ("clock 10 minutes ahead", skewed(600), Blocked, Reason.CLOCK_SKEWED, "600 s ahead of the operator's"),
    ("clock 10 minutes behind", skewed(-600), Blocked, Reason.CLOCK_SKEWED, "600 s behind the operator's"),
    ("read-only root", {"root_writable": Known(False)}, Blocked, Reason.READ_ONLY_ROOT, "mounted read-only"),
    ("full disk", {"root_free_bytes": Known(2**20)}, Blocked, Reason.DISK_FULL, "1Mi free on / or /var"),
    ("masked service", service(load="masked"), Blocked, Reason.SERVICE_FAILED, "systemctl unmask glusterd.service"),
    ("service without unit", service(load="not-found"), Wait, Reason.SERVICE_FAILED, "there is no glusterd.service"),
    (
        "service that systemd restarts again and again",
        service(active="activating", sub="auto-restart", result="exit-code", restarts=7),
        Wait,
        Reason.SERVICE_FAILED,
        "glusterd.service failed (exit-code, 7 restarts); systemd starts it again",
    ),
    ("service starting", service(active="activating"), Wait, Reason.WORK_IN_PROGRESS, "glusterd.service is starting"),
    (
        "EL 10",
        {"os": Known(OperatingSystem("rocky", "10.1", "Rocky Linux 10.1", "6.12"))},
        Blocked,
        Reason.UNSUPPORTED_PLATFORM,
        "node1: the host runs Rocky Linux 10.1: there is no Gluster for EL 10",
    ),
    ("unknown platform", {"os": Unknown("it hangs")}, Wait, Reason.NOT_OBSERVED, "operating system is not known"),
    ("unknown packages", {"packages": Unknown("dpkg hangs")}, Wait, Reason.NOT_OBSERVED, "dpkg hangs"),
    ("unknown services", {"services": Unknown("no systemd")}, Wait, Reason.NOT_OBSERVED, "no systemd"),
    ("unknown disks", {"disks": Unknown("lsblk hangs")}, Wait, Reason.NOT_OBSERVED, "lsblk hangs"),
    ("unknown mounts", {"root_writable": Unknown("findmnt hangs")}, Wait, Reason.NOT_OBSERVED, "findmnt hangs"),
    ("unknown clock", {"time": Unknown("date hangs")}, Wait, Reason.NOT_OBSERVED, "date hangs"),
    ("unknown file", {"files": {}}, Wait, Reason.NOT_OBSERVED, "/etc/hosts is not known"),
]


@pytest.mark.parametrize(("change", "kind", "reason", "text"), [c[1:] for c in TROUBLE], ids=[c[0] for c in TROUBLE])
def test_trouble(ready: OneHost, change: dict[str, Any], kind: type[Plan], reason: Reason, text: str) -> None:
    plan = plan_host(ready, replace(ready.observe(), **change))
    assert isinstance(plan, kind)
    assert text in pending(plan)[reason]
    assert "node1" in pending(plan)[reason]


@pytest.mark.parametrize("change", [skewed(59), skewed(-59), skewed(70, 15)], ids=["ahead", "behind", "slow answer"])
def test_a_clock_that_may_be_right_is_right(ready: OneHost, change: dict[str, Any]) -> None:
    assert isinstance(plan_host(ready, replace(ready.observe(), **change)), Converged)


PROOF = ("disks", "os", "packages", "services", "time", "root_writable", "root_free_bytes")


@pytest.mark.parametrize("name", PROOF)
def test_no_disk_is_prepared_while_something_that_it_rests_on_is_unknown(name: str) -> None:
    host = one_host()
    for _ in range(2):
        host.run_pass()
    facts = host.observe()
    assert any(isinstance(s, PrepareDisk) for s in steps_of(plan_host(host, facts)))
    change: dict[str, Any] = {name: Unknown("it hangs")}
    blind = plan_host(host, replace(facts, **change))
    assert not any(s.risk is Risk.DESTRUCTIVE for s in steps_of(blind))
    assert Reason.NOT_OBSERVED in pending(blind)


# --- EL9's own parts, from facts ---


def el9(**change: Any) -> HostFacts:
    """A configured EL9 host, except for what ``change`` says."""
    host = one_host()
    settle(host)
    facts = host.observe()
    packages = dict.fromkeys((*profiles.EL_9.base_packages, *GLUSTER.packages[Family.EL]), "1")
    services = {
        name: Service(name, "loaded", "active", "running", "enabled")
        for name in ("glusterd.service", "chronyd.service")
    }
    plain: dict[str, Any] = {
        "os": Known(OperatingSystem("centos", "9", "CentOS Stream 9", "5.14")),
        "packages": Known(packages),
        "services": Known(services),
        "files": dict(facts.files) | {profiles.EL_9.time_file: text("pool 2.centos.pool.ntp.org iburst\n")},
    }
    return replace(facts, **(plain | change))


def text(content: str) -> Known[FileContent]:
    return Known(FileContent(content, "0" * 64, "0644"))


def el9_plan(facts: HostFacts) -> Plan:
    """What is planned for a host whose disk was recorded before."""
    host = one_host()
    settle(host)
    assert isinstance(facts.physical_volumes, Known)
    (disk,) = (d for d in host.node.status.disks if d.use)
    volume = facts.physical_volumes.value[0]
    known = disk.model_copy(update={"pv_uuid": volume.uuid, "vg_uuid": volume.group_uuid})
    host.node = host.node.model_copy(update={"status": host.node.status.model_copy(update={"disks": [known]})})
    return plan_host(host, facts)


def test_a_configured_el9_host_needs_nothing_but_its_disk_choice() -> None:
    assert isinstance(el9_plan(el9()), Converged)


PUBLIC = FirewallZone("public", True, frozenset({"eth0"}), frozenset({"ssh"}), frozenset())
STORAGE = FirewallZone("storage", False, frozenset({"eth1"}), frozenset({"glusterfs"}), frozenset({"49152-60999/tcp"}))


def test_firewalld_is_opened_in_the_zone_of_the_storage_address() -> None:
    (step,) = steps_of(el9_plan(el9(firewall=Known((PUBLIC, STORAGE)))))
    assert isinstance(step, OpenFirewall)
    assert (step.zone, step.services, step.ports) == ("public", ("glusterfs",), ("49152-60999/tcp",))
    open_zone = replace(PUBLIC, services=frozenset({"glusterfs"}), ports=frozenset({"49152-60999/tcp"}))
    assert isinstance(el9_plan(el9(firewall=Known((open_zone,)))), Converged)
    assert isinstance(el9_plan(el9(firewall=Absent())), Converged)
    assert isinstance(el9_plan(el9(firewall=Unknown("dbus"))), Wait)


def test_selinux_gets_a_rule_for_bricks() -> None:
    contexts = profiles.EL_9.selinux_contexts
    files = el9().files
    plan = el9_plan(el9(selinux=Known("enforcing"), files=dict(files) | {contexts: Absent()}))
    (step,) = steps_of(plan)
    assert isinstance(step, LabelFiles)
    (action,) = step.script().actions
    assert isinstance(action, Command)
    assert action.argv == ("semanage", "fcontext", "--add", "--type", "glusterd_brick_t", "/gluster_bricks(/.*)?")
    there = text("/gluster_bricks(/.*)?    system_u:object_r:glusterd_brick_t:s0\n")
    assert isinstance(el9_plan(el9(selinux=Known("enforcing"), files=dict(files) | {contexts: there})), Converged)
    assert isinstance(el9_plan(el9(selinux=Known("disabled"))), Converged)


def test_a_brick_disk_missing_from_lvms_devices_file_is_added() -> None:
    facts = el9()
    assert isinstance(facts.physical_volumes, Known)
    (volume,) = facts.physical_volumes.value
    without = dict(facts.files) | {profiles.LVM_DEVICES_FILE: text("IDTYPE=sys_wwid PVID=other\n")}
    (step,) = steps_of(el9_plan(replace(facts, files=without)))
    assert isinstance(step, AddToDevicesFile)
    assert step.device.startswith("/dev/disk/by-id/")
    pvid = volume.uuid.replace("-", "")
    listed = dict(facts.files) | {profiles.LVM_DEVICES_FILE: text(f"IDTYPE=sys_wwid PVID={pvid}\n")}
    assert isinstance(el9_plan(replace(facts, files=listed)), Converged)


def test_foreign_physical_volumes_are_not_added_to_the_devices_file() -> None:
    facts = el9()
    assert isinstance(facts.physical_volumes, Known)
    (own,) = facts.physical_volumes.value
    both = Known((own, PhysicalVolume("/dev/sdq", "theirs", "x-y")))
    listed = text(f"IDTYPE=sys_wwid PVID={own.uuid.replace('-', '')}\n")
    files = dict(facts.files) | {profiles.LVM_DEVICES_FILE: listed}
    assert isinstance(el9_plan(replace(facts, files=files, physical_volumes=both)), Converged)


def test_chrony_of_el9_keeps_its_own_lines() -> None:
    host = one_host(site=site_resource(CHOSEN, timeServers=["172.20.10.1"]))
    (step,) = steps_of(plan_host(host, el9()))
    assert isinstance(step, WriteFile)
    assert step.content == (
        "pool 2.centos.pool.ntp.org iburst\n# BEGIN heretic\nserver 172.20.10.1 iburst\n# END heretic\n"
    )


# --- multipath ---


def test_multipath_is_told_to_leave_a_single_local_disk_alone() -> None:
    facts = el9()
    assert isinstance(facts.disks, Known)
    system, data = facts.disks.value
    held = replace(data, findings=("held by multipath map mpatha",), multipath=True, in_use=True, volume_group="")
    assert isinstance(facts.services, Known)
    running = dict(facts.services.value) | {
        "multipathd.service": Service("multipathd.service", "loaded", "active", "running", "enabled")
    }
    on = replace(facts, services=Known(running), disks=Known((system, held)))
    (step,) = steps_of(el9_plan(on))
    assert isinstance(step, WriteFile)
    assert step.path == multipath.EXCLUSION
    assert '\twwid "35000c500a0b0c062"\n' in step.content
    assert step.tell == (("systemctl", "reload", "multipathd.service"),)
    fabric = replace(held, transport="fc")
    assert not any(isinstance(s, WriteFile) for s in steps_of(el9_plan(replace(on, disks=Known((system, fabric))))))


# --- names of peers ---


def test_a_name_is_no_storage_address() -> None:
    host = one_host(node=node_resource(address="node1.example.org"))
    assert "give its IP address in spec.addresses" in pending(host.plan())[Reason.INVALID_SPEC]


def test_a_peer_that_is_declared_no_more_stays_resolvable_while_the_pool_knows_it(ready: OneHost) -> None:
    facts = ready.observe()
    old = "# BEGIN heretic\n172.20.10.11 node1.gluster.private\n172.20.10.19 node9.gluster.private\n# END heretic\n"
    with_old = dict(facts.files) | {"/etc/hosts": text(old)}
    peer = Peer("u", ("node9.gluster.private",), True, "Peer in Cluster")
    for peers, kept in ((Known((peer,)), True), (Known(()), False), (Unknown("glusterd is down"), True)):
        plan = plan_host(ready, but(facts, files=with_old, peers=peers))
        assert isinstance(plan, Converged) is kept


# --- disks ---


def test_until_the_site_has_chosen_configuration_goes_on_and_no_disk_is_touched() -> None:
    host = one_host(site=site_resource())
    plan = host.plan()
    assert steps_of(plan)
    assert Reason.WAITING_FOR_SITE in pending(plan)
    final = settle(host)
    assert isinstance(final, Wait)
    assert final.reason is Reason.WAITING_FOR_SITE
    assert host.machine.storage.disks["sdb"].signature == ""


def test_a_disk_that_no_volume_needs_is_chosen_and_left_blank() -> None:
    host = one_host(volumes=())
    assert isinstance(settle(host), Converged)
    assert host.node.status.disks[0].use == "Everything"
    assert not host.node.status.disks[0].prepared
    assert host.machine.storage.disks["sdb"].signature == ""


def test_preparing_a_disk_is_destructive_and_says_what_covers_it() -> None:
    host = one_host()
    for _ in range(2):
        host.run_pass()
    (step,) = steps_of(host.plan())
    assert isinstance(step, PrepareDisk)
    assert step.risk is Risk.DESTRUCTIVE
    assert not step.needs_approval
    assert "proven blank and covered by spec.disks.selection Auto" in step.declared
    assert step.device == "/dev/disk/by-id/wwn-0x5000c500a0b0c062"


def with_disks(*disks: SimDisk, **spec: Any) -> OneHost:
    return one_host(machine=storage_machine(disks=disks), node=node_resource(disks=spec))


BY_ID = {"selection": "ById", "ids": ["wwn-0x5000c500a0b0c062"]}
DISKS: list[tuple[str, Callable[[], OneHost], Reason, str]] = [
    (
        "the named disk has a filesystem",
        lambda: with_disks(data_disk(signature="ext4"), data_disk("sdc"), **BY_ID),
        Reason.FOREIGN_SIGNATURE,
        "disk wwn-0x5000c500a0b0c062 (/dev/sdb) is not blank: ext4 filesystem",
    ),
    (
        "the named disk is not there",
        lambda: with_disks(data_disk("sdc"), **BY_ID),
        Reason.DISK_NOT_FOUND,
        "there is no disk wwn-0x5000c500a0b0c062",
    ),
    (
        "two names of one disk",
        lambda: with_disks(data_disk(), selection="ById", ids=[*BY_ID["ids"], "sata-SIM-DISK_A0B0C062"]),
        Reason.DISK_AMBIGUOUS,
        "wwn-0x5000c500a0b0c062 and sata-SIM-DISK_A0B0C062 are the same disk /dev/sdb",
    ),
    (
        "the named disk is in use",
        lambda: with_disks(SimDisk("sdb", 200 * GIB, wwn="0x5000c500a0b0c062", holders=("md0",)), **BY_ID),
        Reason.DISK_IN_USE,
        "in use by md0",
    ),
    (
        "Auto finds only a dirty disk",
        lambda: with_disks(data_disk(signature="linux_raid_member")),
        Reason.NO_USABLE_DISK,
        "0 of 1 disks found for the layout; not usable: /dev/sda (mounted at /; ext4 filesystem), "
        "/dev/sdb (linux_raid_member signature)",
    ),
    (
        "Auto finds only small disks",
        lambda: with_disks(data_disk(size=50 * GIB)),
        Reason.NO_USABLE_DISK,
        "/dev/sdb (50Gi: smaller than spec.disks.minimumSize 100G)",
    ),
    (
        "Auto leaves a USB disk alone",
        lambda: with_disks(SimDisk("sdb", 200 * GIB, wwn="0x1", transport="usb")),
        Reason.NO_USABLE_DISK,
        "usb disk: selection Auto leaves it alone",
    ),
]


@pytest.mark.parametrize(("make", "reason", "message"), [c[1:] for c in DISKS], ids=[c[0] for c in DISKS])
def test_a_disk_that_may_not_be_used_is_blocked_by_name_while_the_rest_goes_on(
    make: Callable[[], OneHost], reason: Reason, message: str
) -> None:
    host = make()
    first = host.plan()
    assert steps_of(first)
    assert message in pending(first)[reason]
    before = json.dumps([repr(d) for d in host.machine.storage.disks.values()])
    final = settle(host)
    assert message in pending(final)[reason]
    assert json.dumps([repr(d) for d in host.machine.storage.disks.values()]) == before or reason in (
        Reason.DISK_AMBIGUOUS,
    )
    dirty = [d for d in host.machine.storage.disks.values() if d.signature not in ("", "LVM2_member")]
    assert all(not d.group for d in dirty)


def test_a_small_disk_may_be_named() -> None:
    host = with_disks(data_disk(size=50 * GIB), **BY_ID)
    host.volumes = (volume_resource("engine", "Engine", "20Gi"),)
    assert isinstance(settle(host), Converged)
    assert host.machine.storage.disks["sdb"].group == "vgdisk1"


def test_a_disk_that_gets_a_signature_between_look_and_step_is_not_touched() -> None:
    host = one_host()
    for _ in range(2):
        host.run_pass()
    (step,) = steps_of(host.plan())
    host.machine.storage.disks["sdb"].signature = "ext4"
    assert host.perform(step).startswith("guard:5")
    assert host.machine.storage.disks["sdb"].group == ""


def test_a_disk_that_was_chosen_and_is_no_longer_blank_is_blocked() -> None:
    host = one_host(volumes=())
    settle(host)
    host.volumes = VOLUMES
    host.machine.storage.disks["sdb"].signature = "xfs"
    plan = host.plan()
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.FOREIGN_SIGNATURE
    assert "chosen for volume group vgdisk1, is not blank any more: xfs filesystem" in plan.message


def test_a_prepared_disk_that_is_gone_is_not_replaced_by_another() -> None:
    host = one_host(machine=storage_machine(disks=[data_disk(), data_disk("sdc")]))
    assert isinstance(settle(host), Converged)
    chosen = next(d for d in host.machine.storage.disks.values() if d.group)
    other = "sdc" if chosen.name == "sdb" else "sdb"
    del host.machine.storage.disks[chosen.name]
    host.machine.storage.groups.clear()
    plan = settle(host)
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.DISK_NOT_FOUND
    assert host.machine.storage.disks[other].signature == ""


def test_kernel_names_that_changed_at_a_reboot_do_not_matter() -> None:
    host = one_host(machine=storage_machine(disks=[data_disk(), data_disk("sdc")]), volumes=())
    settle(host)
    recorded = next(d.id for d in host.node.status.disks if d.use)
    disks = host.machine.storage.disks
    disks["sdb"].name, disks["sdc"].name = "sdc", "sdb"
    host.volumes = VOLUMES
    assert isinstance(settle(host), Converged)
    prepared = next(d for d in disks.values() if d.group)
    assert f"by-id/{recorded}" in prepared.links


def test_lost_status_is_found_again_on_the_disks() -> None:
    host = one_host()
    settle(host)
    recorded = host.node.status.disks
    host.node = node_resource()
    assert isinstance(host.plan(), Converged)
    host.run_pass()
    assert host.node.status.disks == recorded


def test_a_node_without_storage_has_no_disks_to_prepare() -> None:
    host = one_host(node=node_resource(roles=["Hypervisor"]), volumes=())
    assert isinstance(settle(host), Converged)
    assert host.machine.host.packages.keys() == {"chrony"}


def test_a_job_that_a_reboot_ended_is_started_again() -> None:
    host = one_host()
    host.machine.jobs_finish_at_once = False
    host.run_pass()
    host.machine.reboot()
    host.machine.jobs_finish_at_once = True
    assert isinstance(settle(host), Converged)
    assert isinstance(host.machine.jobs["heretic-packages.service"], SimJob)


def test_an_answer_that_is_missing_is_unknown() -> None:
    facts = assemble(ASKED, "node1", {"cpu": Output(0, "{", "")}, 0.0, 0.0)
    assert all(isinstance(f, Unknown) for f in facts.files.values())
    for name in FACTS:
        assert isinstance(fact_of(facts, name), Unknown), name
