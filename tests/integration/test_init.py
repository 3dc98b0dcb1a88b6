"""`heretic init` as a user runs it, and its folder before a real API server."""

import json
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncssh
import pytest

from heretic.cli import wanted
from heretic.cli.init import run
from heretic.cli.wanted import Wanted
from heretic.hosts.discovery import SshServer
from heretic.hosts.errors import fingerprint_of
from integration.heretic_command import PROGRAM
from lab.controlplane import ControlPlane

# A machine of its own: a network namespace whose loopback has the addresses of three PCs and of a router.
NETWORK = textwrap.dedent(
    """
    import asyncio, subprocess, sys
    import asyncssh

    SOFTWARE = {"192.168.77.1": "dropbear", **{f"192.168.77.{n}": "OpenSSH_10.0p2" for n in (11, 12, 13)}}

    async def main() -> int:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for address, software in SOFTWARE.items():
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
            key = asyncssh.generate_private_key("ssh-ed25519")
            await asyncssh.listen(address, 22, server_host_keys=[key], server_version=software)
        program = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=asyncio.subprocess.DEVNULL)
        return await program.wait()

    sys.exit(asyncio.run(main()))
    """
)


def init(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command beside three PCs and a router."""
    unshare = shutil.which("unshare")
    assert unshare, "util-linux is part of every machine"
    command = [unshare, "--net", sys.executable, "-c", NETWORK, str(PROGRAM), "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_three_pcs_become_a_folder_that_the_api_server_takes(control_plane: ControlPlane, tmp_path: Path) -> None:
    done = init(tmp_path, "--name", "home", "--address-range", "192.168.77.0/28", "--yes")

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SHA256:") == 3
    assert "192.168.77.1 is left out: its SSH server is dropbear, not OpenSSH" in done.stderr
    control_plane.kubectl("create", "namespace", "home")
    applied = control_plane.kubectl("apply", "--server-side", "--dry-run=server", "-k", str(tmp_path / "home"))
    assert applied.stdout.splitlines() == [
        "glustervolume.hvp.ovirt.life/vmstore serverside-applied (server dry run)",
        "network.hvp.ovirt.life/mgmt serverside-applied (server dry run)",
        "node.hvp.ovirt.life/node1 serverside-applied (server dry run)",
        "node.hvp.ovirt.life/node2 serverside-applied (server dry run)",
        "node.hvp.ovirt.life/node3 serverside-applied (server dry run)",
        "site.hvp.ovirt.life/home serverside-applied (server dry run)",
    ]
    assert applied.stderr == ""
    control_plane.kubectl("delete", "namespace", "home", "--wait=false")

    again = init(tmp_path, "--name", "home", "--address-range", "192.168.77.0/28", "--yes")
    assert (again.returncode, again.stdout) == (1, "")
    assert (
        again.stderr == "heretic: home exists, and nothing is overwritten: name another folder, or move this one away\n"
    )


def test_without_a_terminal_and_options_it_says_what_it_needs(tmp_path: Path) -> None:
    done = init(tmp_path)
    assert done.returncode == 1
    assert done.stderr == "heretic: give --name and --address-range, or run this at a terminal, where it asks\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["on", "y", "123", "1e3", "0x1f", "1-2", "null"])
async def test_whatever_the_site_is_called_the_api_server_gets_a_text(
    control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def find(*_: object) -> tuple[SshServer, ...]:
        keys = [asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode() for _ in range(3)]
        lines = [" ".join(key.split()[:2]) for key in keys]
        return tuple(
            SshServer(f"192.168.77.{number}", "OpenSSH_10.0p2", line, fingerprint_of(line))
            for number, line in enumerate(lines, 11)
        )

    monkeypatch.chdir(tmp_path)
    asked = Wanted(
        name=name,
        ranges=("192.168.77.11-13",),
        user="null",
        networks=wanted.networks(["gluster=10.0.0.0/24", "lan=10.1.0.0/24"]),
        disks=wanted.disks(["node1=0x1", "node1=1e3"]),
        volumes=wanted.volumes([f"{name}=Engine:1.5Ti"]),
    )
    await run(asked, yes=True, finder=find)

    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("apply", "--server-side", "-k", str(tmp_path / name))
    stored = control_plane.kubectl("get", "hnode/node1", "-n", name, "-o", "json").stdout
    assert json.loads(stored)["spec"]["disks"]["ids"] == ["0x1", "1e3"]
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
