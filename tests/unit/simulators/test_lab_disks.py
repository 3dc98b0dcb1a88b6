"""A lab disk is itself wherever it sits, and is damaged where it was damaged."""

from pathlib import Path

import pytest

from lab.disks import Disk, Part, swap
from lab.spec import MIB, DiskSpec

SPEC = DiskSpec(name="data1", size="120G")


def disk(folder: Path, node: int, spec: DiskSpec = SPEC) -> Disk:
    file = folder / f"{node}.qcow2"
    file.write_text(f"image of node{node}")
    return Disk(spec, node, file)


def test_swapped_disks_take_their_names_along(tmp_path: Path) -> None:
    first, second = disk(tmp_path, 1), disk(tmp_path, 2)
    before = [(d.serial, d.wwn, d.by_id, d.file.read_text()) for d in (first, second)]
    assert before[0] != before[1]
    swap(first, second)
    assert [(d.serial, d.wwn, d.by_id, d.file.read_text()) for d in (second, first)] == before
    swap(first, second)
    assert [(d.serial, d.wwn, d.by_id, d.file.read_text()) for d in (first, second)] == before


def test_a_shared_disk_is_one_disk_in_every_node(tmp_path: Path) -> None:
    spec = DiskSpec(name="shelf", shared=True)
    assert disk(tmp_path, 1, spec).wwn == disk(tmp_path, 2, spec).wwn
    assert disk(tmp_path, 1, spec).wwn != disk(tmp_path, 1, DiskSpec(name="shelf")).wwn


@pytest.mark.parametrize(
    ("parts", "sectors"),
    [
        ((), []),
        (("head",), [0, MIB // 512 - 1]),
        (("tail",), [(SPEC.bytes - MIB) // 512, SPEC.bytes // 512 - 1]),
        (("everywhere",), [None]),
    ],
)
def test_reads_of_a_damaged_part_fail(tmp_path: Path, parts: tuple[Part, ...], sectors: list[int | None]) -> None:
    damaged = disk(tmp_path, 1)
    damaged.become(damaged.nature.model_copy(update={"unreadable": parts}))
    *_, top = damaged.blocks()
    rules = top.get("inject-error", [])
    found = [rule.get("sector") for rule in rules]
    assert top["node-name"] == "data1"
    assert [found[0], *found[1:][-1:]] == sectors if found else sectors == []
    assert {(rule["iotype"], rule["errno"]) for rule in rules} <= {("read", 5)}
