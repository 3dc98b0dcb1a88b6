"""Simulated hosts are as different from each other as real ones, and the same in every run."""

import json
from collections import Counter
from typing import Any

import pytest

from sim.blank_site import BlankSite, blank_site
from sim.host_tools import StorageMachine, storage_machine
from sim.identity import host_number
from sim.machine import Argv

LSBLK = ("lsblk", "-J", "-b", "-o", "NAME,WWN,SERIAL")


def answer(machine: StorageMachine, argv: Argv) -> Any:
    return json.loads(machine.run(argv).stdout)


def identities(site: BlankSite) -> list[str]:
    found: list[str] = []
    for machine in site.machines.values():
        disks = answer(machine, LSBLK)["blockdevices"]
        links = [link for disk in machine.storage.disks.values() for link in disk.links if link.startswith("by-id/")]
        found += [*(d["wwn"] for d in disks if d["wwn"]), *(d["serial"] for d in disks), *links]
        found += [link["address"] for link in answer(machine, ("ip", "-d", "-j", "addr"))]
    return [*found, *(glusterd.uuid for glusterd in site.pool.nodes.values())]


def test_no_two_hosts_share_a_disk_an_interface_or_a_peer() -> None:
    found = Counter(identities(blank_site(nodes=9)))
    assert len(found) > 9 * 7
    assert [name for name, count in found.items() if count > 1] == []


def test_a_host_has_the_same_identities_in_every_run() -> None:
    assert identities(blank_site()) == identities(blank_site())


@pytest.mark.parametrize("name", ["node1", "n1", "host0001", "1"])
def test_hosts_are_numbered_by_their_names(name: str) -> None:
    assert host_number(name) == 0


def test_hosts_without_a_number_differ_too() -> None:
    names = ["alpha", "beta", "gamma", "node0", "node12345", "node10000"]
    assert len({host_number(name) for name in names}) == len(names)
    (first, second) = (storage_machine(name).storage.disks["sdb"].wwn for name in names[:2])
    assert first != second
