"""A whole site, from blank hosts to a share that is served: what the operator does over real connections."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sim.blank_site import blank_site, declared
from sim.file_servers import FileServerSite
from sim.machine import File
from sim.world import World

VOLUMES = {"lock": {"purpose": "Lock", "size": "1Gi"}, "winshare": {"purpose": "SMBShare", "size": "20Gi"}}
SHARE = {
    "protocol": "SMB",
    "volume": "winshare",
    "network": "lan",
    "addresses": ["172.20.12.101", "172.20.12.102"],
    "hostName": "files.office.private",
    "smb": {"users": ["anna"]},
    "folders": [{"name": "groups", "group": "fileshares", "mode": "2770"}],
}
PASSWORD = "a pass'word $(nobody) runs"
CONFIGURATION = "/etc/samba/smb.conf"


class ShareWorld:
    """Three file servers under one operator."""

    def __init__(self) -> None:
        self.site = blank_site(VOLUMES)
        for number, machine in enumerate(self.site.machines.values(), 11):
            machine.host.addresses = {**machine.host.addresses, "eth2": (f"172.20.12.{number}/24",)}
        self.servers = FileServerSite(self.site)
        self.servers.attach()
        self.world = World(self.site)

    def declare(self) -> None:
        """What the user applies, Nodes with their role again."""
        self.world.api.secrets["heretic-shares"] = {"anna": PASSWORD.encode()}
        self.world.api.apply(declared("Network", "lan", {"role": "LAN", "subnet": "172.20.12.0/24"}))
        for name in self.site.machines:
            spec = self.site.node_spec(name)
            number = spec["address"].rpartition(".")[2]
            spec["addresses"].append({"network": "lan", "address": f"172.20.12.{number}"})
            self.world.api.apply(declared("Node", name, {**spec, "roles": ["Storage", "FileServer"]}))
        self.world.api.apply(declared("FileShare", "office", SHARE))

    async def settle(self) -> None:
        """Rounds until all is Ready, and then one that changes nothing."""
        await self.world.run(rounds=60)
        before = len(self.site.effects)
        await self.world.round()
        assert self.site.effects[before:] == []
        assert self.site.refusals == []


@asynccontextmanager
async def share_world(audit: Path | None = None) -> AsyncIterator[ShareWorld]:
    made = ShareWorld()
    async with made.world:
        made.declare()
        await made.world.start_operator(audit_log=audit)
        yield made


async def test_blank_hosts_come_to_serve_and_are_left_alone_then(tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    async with share_world(audit) as made:
        await made.settle()
        assert made.world.condition("FileShare", "office", "Served")["status"] == "True"
        assert made.servers.typed == {"anna": f"{PASSWORD}\n" * 2}
        assert made.servers.folders == {"winshare/groups": ("0", "20000", "2770")}
        told = audit.read_text() + str(made.world.api.objects) + str(made.world.api.events)
        assert PASSWORD not in told
        assert not any(PASSWORD in word for m in made.site.machines.values() for argv in m.ran for word in argv)
        for spoil in (edit_configuration, stop_samba, open_folder, forget_user, lose_address):
            spoil(made)
            await made.settle()
            assert made.world.condition("FileShare", "office", "Served")["status"] == "True", spoil


def edit_configuration(made: ShareWorld) -> None:
    made.site.machines["node2"].files[CONFIGURATION] = File("[global]\n")


def stop_samba(made: ShareWorld) -> None:
    made.site.machines["node1"].units["smbd.service"].active = "inactive"


def open_folder(made: ShareWorld) -> None:
    made.servers.folders["winshare/groups"] = ("0", "0", "0777")


def forget_user(made: ShareWorld) -> None:
    made.servers.logins.clear()


def lose_address(made: ShareWorld) -> None:
    made.site.machines["node1"].files["/etc/ctdb/public_addresses"] = File("172.20.12.101/24 eth2\n")
