"""A real Active Directory domain: a controller of Samba's in a folder and in a network namespace of this machine.

It is no lab machine, because an emulated one answers too late for what asks it. Its Debian is built once and copied for
each controller.
"""

import hashlib
import subprocess
import time
from ipaddress import IPv4Address
from pathlib import Path

from lab.cache import cached_folder
from lab.errors import LabError
from lab.image import install_debian
from lab.network import Network
from lab.platforms import DEBIAN_13
from lab.processes import Process
from lab.shell import run, timed
from lab.spec import NetworkName

REALM, WORKGROUP = "office.private", "OFFICE"
ADMINISTRATOR_PASSWORD = "an Administrator 1"
_PACKAGES = (
    "samba-ad-dc",
    "samba-ad-provision",
    "samba-dsdb-modules",
    "python3-dnspython",
    "python3-markdown",
    "iproute2",
)
_ENTER = """
mount --rbind /proc "$0/proc" && mount --rbind /dev "$0/dev"
exec chroot "$0" "$@"
"""


class DomainController:
    """The only controller of a domain, which is also its name server."""

    def __init__(self, folder: Path, network: Network) -> None:
        self._tree = folder / "domain-controller"
        self._network = network
        self._process = Process("samba", folder)

    @property
    def _namespace(self) -> str:
        return f"{self._network.namespace}-dc"

    def start(self, network: NetworkName, address: IPv4Address) -> None:
        """Makes the domain, with its controller at an address of a network of the site.

        Raises:
            LabError: It does not answer.
        """
        with timed("a domain controller", expect="20 s, two minutes the first time"):
            run(["cp", "--archive", "--reflink=auto", _built(), self._tree])
            self._join(network, address)
            (self._tree / "etc/resolv.conf").write_text(f"nameserver {address}\n")
            (self._tree / "etc/hosts").write_text(f"127.0.0.1 localhost\n{address} dc1.{REALM} dc1\n")
            (self._tree / "etc/samba/smb.conf").unlink(missing_ok=True)
            self.tool(
                "domain provision --server-role=dc --dns-backend=SAMBA_INTERNAL --host-name=dc1",
                *(f"--realm={REALM}", f"--domain={WORKGROUP}", f"--host-ip={address}"),
                f"--adminpass={ADMINISTRATOR_PASSWORD}",
                *("--option=interfaces=lo lan", "--option=bind interfaces only=yes", "--option=dns forwarder="),
            )
            self._process.start(self._inside("samba", "--foreground", "--no-process-group"), detached=False)
            self._wait(address)

    def tool(self, words: str, *further: str) -> str:
        """Runs samba-tool with words between spaces and further ones; returns what it prints."""
        return run(self._inside("samba-tool", *words.split(), *further))

    def set_plugged(self, *, plugged: bool) -> None:
        """Whether its cable is in."""
        run(["ip", "-n", self._network.namespace, "link", "set", "dc", "up" if plugged else "down"])

    def stop(self) -> None:
        """Ends it; its domain is gone with its folder."""
        self._process.kill()
        if Path("/run/netns", self._namespace).exists():
            run(["ip", "netns", "delete", self._namespace])
        run(["rm", "-rf", "--one-file-system", self._tree])

    def _join(self, network: NetworkName, address: IPv4Address) -> None:
        run(["ip", "netns", "add", self._namespace])
        cable = f"link add dc type veth peer name lan netns {self._namespace}", f"link set dc master br-{network} up"
        run(["ip", "-n", self._network.namespace, "-batch", "-"], stdin="\n".join(cable))
        lines = ["link set lo up", f"address add {address}/24 dev lan", "link set lan up"]
        run(["ip", "-n", self._namespace, "-batch", "-"], stdin="\n".join(lines))

    def _inside(self, *command: str) -> list[str]:
        enter = ["nsenter", f"--net=/run/netns/{self._namespace}", "unshare", "--mount", "--propagation", "private"]
        return [*enter, "sh", "-ec", _ENTER, str(self._tree), *command]

    def _wait(self, address: IPv4Address) -> None:
        ask = self._inside("samba-tool", "dns", "query", str(address), REALM, "@", "ALL", "-P")
        until = time.monotonic() + 60
        while subprocess.run(ask, capture_output=True).returncode != 0:
            if time.monotonic() > until:
                raise LabError(f"the domain controller does not answer:\n{self._process.log_tail(20)}")
            time.sleep(0.5)


def _built() -> Path:
    """The Debian of a controller, built if this machine has not got it yet."""
    digest = hashlib.sha256(" ".join(_PACKAGES).encode()).hexdigest()[:16]
    return cached_folder(DEBIAN_13.cached("domain-controller", digest), _build) / "tree"


def _build(folder: Path) -> None:
    install_debian(DEBIAN_13, folder / "tree", _PACKAGES, folder.parent / "domain-controller-build.log")
