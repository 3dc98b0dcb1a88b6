"""Which disks a Node chooses and prepares, and which it leaves alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from heretic.domain.disks.steps import PrepareDisk
from heretic.domain.errors import Reason
from heretic.domain.facts import Unknown
from heretic.domain.plan import Blocked, Converged, Risk, Wait, steps_of
from sim.block_devices import GIB, SimDisk
from sim.host_tools import data_disk, storage_machine
from sim.one_host import OneHost, node_resource, site_resource, volume_resource
from unit.node.one_node import VOLUMES, one_host, pending, plan_host, settle

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
