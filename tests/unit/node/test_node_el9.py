"""What only hosts of EL 9 need, from facts."""

from dataclasses import replace
from typing import Any

from heretic.domain.commands import Command
from heretic.domain.disks import multipath
from heretic.domain.disks.hidden import AddToDevicesFile
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.gluster.feature import GLUSTER
from heretic.domain.host import profiles
from heretic.domain.host.facts import (
    FirewallZone,
    HostFacts,
    OperatingSystem,
    PhysicalVolume,
    Service,
)
from heretic.domain.host.profiles import Family
from heretic.domain.host.steps import (
    LabelFiles,
    OpenFirewall,
    WriteFile,
)
from heretic.domain.plan import Converged, Plan, Wait, steps_of
from sim.one_host import site_resource
from unit.node.one_node import CHOSEN, one_host, plan_host, settle, text


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
