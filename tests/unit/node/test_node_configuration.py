"""How a Node configures its host: what its plan says of one world, and what repeated passes make of it."""

from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.commands import Output
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.assemble import assemble
from heretic.domain.host.facts import (
    HostFacts,
    OperatingSystem,
    Service,
    TimeSync,
)
from heretic.domain.host.profiles import LVM_DEVICES_FILE
from heretic.domain.host.steps import (
    PACKAGE_JOB,
    EnableService,
    InstallPackages,
    WriteFile,
)
from heretic.domain.jobs import FailedJob
from heretic.domain.plan import Blocked, Converged, Plan, Wait, steps_of
from heretic.domain.pool import glusterd
from heretic.domain.pool.parse.peers import Peer
from sim.asked import ASKED, FACTS, but, fact_of
from sim.host_tools import storage_machine
from sim.machine import SimJob
from sim.one_host import KilledError, MortalMachine, OneHost, node_resource, site_resource
from unit.node.one_node import CHOSEN, one_host, pending, plan_host, settle, text


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
    ("unknown file", {"files": {LVM_DEVICES_FILE: Absent()}}, Wait, Reason.NOT_OBSERVED, "/etc/hosts is not known"),
    ("unknown devices file", {"files": {}}, Wait, Reason.NOT_OBSERVED, f"{LVM_DEVICES_FILE} is not known"),
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
