"""Who a node is: its SSH host key, the key that opens it, its addresses. Handed to it at its first boot."""

import io
import shutil
import tarfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from lab.cache import cache_dir, locked
from lab.shell import run
from lab.spec import MAX_NODES, NETWORKS, SiteSpec


@dataclass(frozen=True)
class Identity:
    """What is particular to node `number` of a site."""

    site: SiteSpec
    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def machine_id(self) -> str:
        return uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}.{self.site.prefix}").hex

    def mac(self, nic: str) -> str:
        """Of a NIC that has its network's name, or is port1, port2 …"""
        third = NETWORKS[nic] if nic in NETWORKS else 0x80 + int(nic.removeprefix("port"))
        return f"52:54:00:4c:{third:02x}:{self.number:02x}"

    def files(self) -> dict[str, tuple[int, bytes]]:
        """What the node gets: path -> mode and content."""
        authorized = (keys_folder() / "id_ed25519.pub").read_bytes()
        host_key = keys_folder() / f"{self.name}_host_key"
        files = {
            "etc/hostname": (0o644, f"{self.name}\n".encode()),
            "etc/hosts": (0o644, self._hosts().encode()),
            "etc/ssh/ssh_host_ed25519_key": (0o600, host_key.read_bytes()),
            "etc/ssh/ssh_host_ed25519_key.pub": (0o644, host_key.with_suffix(".pub").read_bytes()),
            "root/.ssh/authorized_keys": (0o600, authorized),
            "home/heretic/.ssh/authorized_keys": (0o600, authorized),
        }
        for network in self.site.networks:
            address = self.site.address(network, self.number)
            content = (
                f"[Match]\nMACAddress={self.mac(network)}\n\n"
                f"[Network]\nAddress={address}/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
            )
            files[f"etc/systemd/network/50-{network}.network"] = (0o644, content.encode())
        return files

    def archive(self) -> bytes:
        """The files as the tar archive that the node unpacks over its root."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for folder in ("root/.ssh", "home/heretic/.ssh"):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o700
                tar.addfile(entry)
            for path, (mode, content) in self.files().items():
                entry = tarfile.TarInfo(path)
                entry.mode, entry.size = mode, len(content)
                tar.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()

    def _hosts(self) -> str:
        """All nodes that a site can have, so that a node is the same whatever the size of its site."""
        lines = ["127.0.0.1 localhost", f"{self.site.gateway} support"]
        for number in range(1, MAX_NODES + 1):
            lines.append(f"{self.site.address('mgmt', number)} node{number}.mgmt.lab node{number}")
            lines.append(f"{self.site.address('gluster', number)} node{number}.gluster.lab")
        return "\n".join(lines) + "\n"


def keys_folder() -> Path:
    """The lab's keys, made on first use. They are the machine's, not a site's, as booted nodes are cached with them."""
    folder = cache_dir() / "lab-keys"
    with locked(cache_dir() / ".lab-keys.lock"):
        if not folder.is_dir():
            part = folder.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(mode=0o700)
            names = ["id_ed25519", *(f"node{number}_host_key" for number in range(1, MAX_NODES + 1))]
            for name in names:
                comment = "heretic-lab" if name == "id_ed25519" else name.removesuffix("_host_key")
                run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", part / name])
            part.rename(folder)
    return folder
