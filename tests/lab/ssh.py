"""SSH into nodes with the machine's own OpenSSH client, host keys pinned."""

import select
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError


@dataclass(frozen=True)
class Access:
    """How to get into one node."""

    name: str
    address: str
    key: Path
    known_hosts: Path

    def command(self, user: str = "root") -> list[str]:
        """The ssh command line, without what to run there."""
        options = {
            "IdentityFile": self.key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "60",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "6",
            "LogLevel": "ERROR",
            # The default, post-quantum exchange costs an emulated processor half a second.
            "KexAlgorithms": "curve25519-sha256",
        }
        settings = (argument for name, value in options.items() for argument in ("-o", f"{name}={value}"))
        return ["ssh", "-F", "none", *settings, f"{user}@{self.address}"]

    def run(
        self, script: str, *, user: str = "root", stdin: str = "", check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command; a LabError with what it said if it fails, unless told not to check."""
        try:
            done = subprocess.run(
                [*self.command(user), script], input=stdin, capture_output=True, text=True, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: `{script}` did not end within {timeout:.0f} s") from None
        if check and done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
            where = "cannot get in" if done.returncode == 255 else f"`{script}` failed with status {done.returncode}"
            raise LabError("\n  ".join([f"{self.name}: {where}:", *said]))
        return done

    def set_clock(self, ahead: float, *, then: str = "true", patience: float = 120) -> str:
        """Set the node's clock, that many seconds ahead of this machine's, and run a command in the same session.

        The time is sent when the node is ready to take it: logging in can take seconds, by which it would be wrong.
        """
        script = f"echo ready; read now; date -u -s @$now >/dev/null; {then}"
        process = subprocess.Popen(
            [*self.command(), script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            ready, _, _ = select.select([process.stdout], [], [], patience)
            if ready:
                process.stdout.readline()
            try:
                output, errors = process.communicate(f"{time.time() + ahead:.3f}\n", timeout=patience)
            except subprocess.TimeoutExpired:
                process.kill()
                raise LabError(f"{self.name} did not set its clock within {patience:.0f} s") from None
        if process.returncode != 0:
            raise LabError(f"{self.name}: cannot set its clock: {errors.strip()}")
        return output

    def answers(self, timeout: float = 2.0) -> bool:
        """An SSH server greets: cheaper than logging in, and enough to wait for."""
        try:
            with socket.create_connection((self.address, 22), timeout=timeout) as connection:
                connection.settimeout(timeout)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def can_login(self, patience: float = 2.0) -> bool:
        return self.answers(patience) and self.run("true", check=False).returncode == 0
