"""smb.conf: what each field of a share becomes in it."""

from typing import Any

import pytest

from heretic.domain.shares.samba import texts
from unit.shares.cluster_model import SMB, FileServers


def written(**spec: Any) -> str:
    site = FileServers(**{**SMB, **spec})
    site.run()
    return site.hosts["n1"].files[texts.CONFIGURATION]


def test_the_whole_file() -> None:
    groups = {"name": "groups", "mode": "2770", "smb": {"recycleBin": True}}
    accounts = {"name": "accounts", "smb": {"users": ["anna"], "groups": ["root"]}, "clients": ["172.20.12.7"]}
    assert (
        written(folders=[groups, accounts])
        == """\
# Written by Heretic; changes are undone.
[global]
	clustering = yes
	netbios name = FILES
	workgroup = WORKGROUP
	security = user
	passdb backend = tdbsam
	map to guest = never
	server min protocol = SMB2_02
	disable netbios = yes
	smb ports = 445
	load printers = no
	disable spoolss = yes
	log file = /var/log/samba/log.%m
	max log size = 1000

# FileShare files
[accounts]
	path = /accounts
	vfs objects = shadow_copy2 acl_xattr glusterfs
	glusterfs:volume = winshare
	glusterfs:volfile_server = n1.gluster.private n2.gluster.private n3.gluster.private
	glusterfs:logfile = /var/log/samba/glusterfs-winshare.log
	kernel share modes = no
	read only = no
	hosts allow = 172.20.12.7
	valid users = anna +root
	server smb encrypt = required
	shadow:snapdir = /.snaps
	shadow:basedir = /
	shadow:sort = desc
	shadow:snapprefix = ^[A-Za-z0-9]*$
	shadow:format = _GMT-%Y.%m.%d-%H.%M.%S

# FileShare files
[groups]
	path = /groups
	vfs objects = shadow_copy2 acl_xattr recycle glusterfs
	glusterfs:volume = winshare
	glusterfs:volfile_server = n1.gluster.private n2.gluster.private n3.gluster.private
	glusterfs:logfile = /var/log/samba/glusterfs-winshare.log
	kernel share modes = no
	read only = no
	hosts allow = 172.20.12.0/24
	server smb encrypt = required
	recycle:repository = .recycle/%U
	recycle:keeptree = yes
	recycle:versions = yes
	shadow:snapdir = /.snaps
	shadow:basedir = /
	shadow:sort = desc
	shadow:snapprefix = ^[A-Za-z0-9]*$
	shadow:format = _GMT-%Y.%m.%d-%H.%M.%S
"""
    )


@pytest.mark.parametrize(
    ("smb", "lines"),
    [
        ({"encryption": "Off"}, ["server smb encrypt = off"]),
        ({"encryption": "Desired"}, ["server smb encrypt = desired"]),
        ({"minimumProtocol": "SMB3"}, ["server min protocol = SMB3_00"]),
        ({"netbiosName": "FS", "workgroup": "OFFICE"}, ["netbios name = FS", "workgroup = OFFICE"]),
        (
            {"macOs": True},
            ["vfs objects = shadow_copy2 catia fruit streams_xattr acl_xattr glusterfs", "fruit:metadata = stream"],
        ),
    ],
)
def test_what_is_declared_of_the_server(smb: dict[str, Any], lines: list[str]) -> None:
    there = [line.strip() for line in written(smb={"users": ["anna"], **smb}).splitlines()]
    assert set(lines) <= set(there)


def test_who_may_encrypt_but_need_not_is_told_by_nothing() -> None:
    assert "encrypt" not in written(smb={"users": ["anna", "bert"], "encryption": "IfAsked"})


def test_a_folder_that_is_hidden_or_read_only() -> None:
    text = written(folders=[{"name": "groups", "readOnly": True, "smb": {"browseable": False}}])
    assert "\tread only = yes\n" in text
    assert "\tbrowseable = no\n" in text


def test_sections_are_found_again_as_they_were_written() -> None:
    text = written()
    sections = list(texts.owned_sections(text))
    assert [(s.share, s.folder) for s in sections] == [("files", "accounts"), ("files", "groups")]
    assert all(section.text in text for section in sections)


def test_each_host_asks_itself_for_the_volume_first() -> None:
    site = FileServers(**SMB)
    site.run()
    servers = {
        name: [line.split()[2] for line in host.files[texts.CONFIGURATION].splitlines() if "volfile_server" in line]
        for name, host in site.hosts.items()
    }
    assert servers == {name: [f"{name}.gluster.private"] * 2 for name in site.hosts}
