"""A site of three file servers under one operator: its hosts blank, its share declared."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sim.active_directory import PEOPLE, DomainSite
from sim.blank_site import blank_site, declared
from sim.file_servers import FileServerSite
from sim.folder_limits import FolderLimits
from sim.world import World

VOLUMES = {"lock": {"purpose": "Lock", "size": "1Gi"}, "winshare": {"purpose": "SMBShare", "size": "20Gi"}}
SHARE: Mapping[str, Any] = {
    "protocol": "SMB",
    "volume": "winshare",
    "network": "lan",
    "addresses": ["172.20.12.101", "172.20.12.102"],
    "hostName": "files.office.private",
    "smb": {"users": ["anna"]},
    "folders": [{"name": "groups", "group": "fileshares", "mode": "2770", "quota": "10Gi"}],
}
DOMAIN: Mapping[str, Any] = {
    "realm": "office.private",
    "organizationalUnit": "File Servers",
    "leaveOnDeletion": True,
}
IN_DOMAIN: Mapping[str, Any] = {
    **SHARE,
    "smb": {"activeDirectory": DOMAIN},
    "folders": [{"name": "groups", "owner": "OFFICE\\anna", "group": "OFFICE\\domain users", "mode": "2770"}],
}
PASSWORD = "a pass'word $(nobody) runs"


class ShareWorld:
    """Three file servers under one operator.

    Args:
        volumes: What is declared of them.
        share: What the FileShare declares.
    """

    def __init__(self, volumes: Mapping[str, Mapping[str, str]] = VOLUMES, share: Mapping[str, Any] = SHARE) -> None:
        self.share = share
        self.site = blank_site(volumes)
        for number, machine in enumerate(self.site.machines.values(), 11):
            machine.host.addresses = {**machine.host.addresses, "eth2": (f"172.20.12.{number}/24",)}
        self.servers = FileServerSite(self.site)
        self.servers.attach()
        self.limits = FolderLimits(self.servers)
        self.limits.attach()
        self.world = World(self.site)

    def declare(self) -> None:
        """What the user applies, Nodes with their role again."""
        self.world.api.secrets["heretic-shares"] = {"anna": PASSWORD.encode(), "bert": PASSWORD.encode()}
        self.world.api.apply(declared("Network", "lan", {"role": "LAN", "subnet": "172.20.12.0/24"}))
        for name in self.site.machines:
            spec = self.site.node_spec(name)
            number = spec["address"].rpartition(".")[2]
            spec["addresses"].append({"network": "lan", "address": f"172.20.12.{number}"})
            self.world.api.apply(declared("Node", name, {**spec, "roles": ["Storage", "FileServer"]}))
        self.world.api.apply(declared("FileShare", "office", self.share))

    def given(self) -> bool:
        """Whether public addresses are given: what serves comes after them."""
        return bool(self.says("AddressesAssigned").get("status") == "True")

    def says(self, condition: str) -> Any:
        """A condition of the FileShare; empty where there is none."""
        return self.world.condition("FileShare", "office", condition)

    async def told(self, reason: str) -> None:
        """Rounds until this is why nothing is served."""
        await self.world.run(until=lambda: self.says("Served").get("reason") == reason, rounds=20)

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


class DomainWorld(ShareWorld):
    """Three file servers whose users are in a domain.

    Args:
        share: What the FileShare declares.
    """

    def __init__(self, share: Mapping[str, Any] = IN_DOMAIN) -> None:
        super().__init__(VOLUMES, share)
        self.domain = DomainSite(self.servers)
        self.domain.attach()

    def declare(self) -> None:
        """What the user applies."""
        self.world.api.secrets["heretic-domain"] = {"username": b"joiner", "password": PEOPLE.encode()}
        super().declare()
