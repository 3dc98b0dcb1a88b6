import configparser

import pytest

from heretic.domain.disks.units import (
    BRICK_OPTIONS,
    by_uuid,
    device_unit,
    escape,
    mount_unit,
    timeout_drop_in,
    unit_content,
)

# As `systemd-escape --path` of systemd 252 prints them.
ESCAPED = [
    ("/gluster_bricks/vmstore", "gluster_bricks-vmstore"),
    ("/gluster_bricks/vmstore-2", r"gluster_bricks-vmstore\x2d2"),
    ("/dev/vgdisk1/a.b", "dev-vgdisk1-a.b"),
    ("/x/.hid", "x-.hid"),
    ("/.hid/ü", r"\x2ehid-\xc3\xbc"),
]


@pytest.mark.parametrize(("path", "name"), ESCAPED)
def test_escaped_as_systemd_escapes(path: str, name: str) -> None:
    assert escape(path) == name


FILESYSTEM = "6d6f636b-0000-4000-8000-73696d756c61"


def test_a_mount_unit_holds_up_no_boot_and_comes_before_glusterd() -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(unit_content(FILESYSTEM, "/gluster_bricks/engine", BRICK_OPTIONS))
    assert dict(unit["Mount"]) == {
        "What": f"/dev/disk/by-uuid/{FILESYSTEM}",
        "Where": "/gluster_bricks/engine",
        "Type": "xfs",
        "Options": "inode64,noatime,nodiratime",
    }
    assert unit["Unit"]["DefaultDependencies"] == "no"
    assert unit["Unit"]["Conflicts"] == "umount.target"
    assert set(unit["Unit"]["Before"].split()) == {"glusterd.service", "umount.target"}
    assert unit["Install"]["WantedBy"] == f"multi-user.target {device_unit(by_uuid(FILESYSTEM))}"
    assert FILESYSTEM in unit["Unit"]["Description"]


def test_the_wait_for_a_disk_has_an_end() -> None:
    assert "JobRunningTimeoutSec=180\n" in timeout_drop_in()


def test_names_of_units() -> None:
    assert mount_unit("/gluster_bricks/a-b") == r"gluster_bricks-a\x2db.mount"
    assert device_unit("/dev/vg/a-b") == r"dev-vg-a\x2db.device"
