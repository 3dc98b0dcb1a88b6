"""A disk with something on it that a Node names: told with the plan's hash, and erased by exactly that approval."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from integration.operator_process import RunningSite, running_site
from integration.test_cli import Command
from lab.controlplane import ControlPlane
from sim.blank_site import BlankSite, blank_site
from sim.block_devices import GIB, SimDisk

NODES = ("node1", "node2")
"""Of both the only data disk carries something that no tool knows."""


def recycled_site() -> BlankSite:
    """Three hosts, two of them with a recycled disk that their Node names."""
    site = blank_site({"engine": {"purpose": "Engine", "size": "20Gi"}})
    for name in NODES:
        disk = disk_of(site, name)
        disk.content = (5 * GIB,)
        site.named[name] = [disk.links[0].removeprefix("by-id/")]
    return site


def disk_of(site: BlankSite, node: str) -> SimDisk:
    return site.machines[node].storage.disks["sdb"]


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path_factory.mktemp("erasing"), recycled_site()) as running:
        running.apply()
        running.start_operator()
        yield running


@pytest.fixture
def heretic(site: RunningSite) -> Command:
    return Command(site.control_plane.kubeconfig, site.namespace)


def plan(site: RunningSite, node: str) -> dict[str, Any]:
    """What a Node waits for."""
    found: dict[str, Any] = (site.get(f"hnode/{node}").get("status") or {}).get("plan") or {}
    return found if found.get("needsApproval") else {}


def offered(site: RunningSite, node: str, other_than: str = "") -> bool:
    found = plan(site, node)
    return bool(found) and found["hash"] != other_than and [s["verb"] for s in found["steps"]] == ["EraseDisk"]


def written(site: RunningSite) -> list[tuple[str, str]]:
    """Every host with a program that has written to its disks."""
    writers = ("@erase", "vgcreate", "mkfs.xfs")
    return [(host, argv[0]) for host, argv in site.hosts.effects if argv[0] in writers]


def test_what_was_found_is_told_with_the_hash_of_the_plan_that_would_erase_it(site: RunningSite) -> None:
    for node in NODES:
        site.wait(f"{node} offers to erase its disk", partial(offered, site, node))
        site.wait(f"{node} is Stalled", partial(site.says, f"hnode/{node}", "Stalled", "True", "ContentFound"))
        said = site.condition(f"hnode/{node}", "Stalled")["message"]
        assert "content without a known signature at 5.0 GiB" in said
        assert f"heretic approve node/{node} --namespace {site.namespace} {plan(site, node)['hash']}" in said
    assert [host for host, program in written(site) if host in NODES] == []


def test_the_approval_of_one_disk_is_none_of_another(site: RunningSite, heretic: Command) -> None:
    first, second = (plan(site, node)["hash"] for node in NODES)
    assert first != second
    assert f"waits for the approval of plan {second}" in heretic("approve", "node/node2", first, "--yes", status=1)
    site.kubectl("annotate", "hnode/node2", f"hvp.ovirt.life/approve={first}", "--overwrite")
    looked_again(site, "node2")
    assert [host for host, program in written(site) if host in NODES] == []


def looked_again(site: RunningSite, node: str) -> None:
    """Waits until the operator has looked at a host twice more."""
    machine = site.hosts.machines[node]
    before = len(machine.ran)
    site.wait(f"{node} was looked at again", lambda: len(machine.ran) > before + 60)


def test_an_approval_does_not_hold_once_the_disk_carries_something_else(site: RunningSite, heretic: Command) -> None:
    old = plan(site, "node1")["hash"]
    site.stop_operator()
    site.end_lease()
    disk_of(site.hosts, "node1").signature = "ext4"
    assert "EraseDisk on node1" in heretic("approve", "node/node1", old, "--yes")
    site.start_operator()
    site.wait("node1 asks anew", partial(offered, site, "node1", old))
    looked_again(site, "node1")
    assert [host for host, program in written(site) if host in NODES] == []
    assert site.says("hnode/node1", "Stalled", "True", "ForeignSignature")
    assert disk_of(site.hosts, "node1").signature == "ext4"


def test_an_approved_disk_is_erased_and_used(site: RunningSite, heretic: Command) -> None:
    for node in NODES:
        shown = heretic("approve", f"node/{node}", plan(site, node)["hash"], "--yes")
        assert "Destructive EraseDisk on" in " ".join(shown.split())
        assert disk_of(site.hosts, node).serial in shown
    site.wait_ready()
    for node in NODES:
        assert [program for host, program in written(site) if host == node] == ["@erase", "vgcreate", "mkfs.xfs"]
    assert site.hosts.refusals == []
    (used,) = site.get("hnode/node1")["status"]["approvals"]
    assert "EraseDisk on node1" in used["what"]
