"""OpenSSH's server without installing it: a package that starts a service has no business on a user's machine."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.cache import cached_folder
from lab.shell import run

_PACKAGES = ("openssh-server", "libwrap0")
_FOLDER = "bench-sshd"


def sshd_folder() -> Path:
    """A folder with sshd and the libraries that this machine may lack, side by side."""
    return cached_folder(_FOLDER, _fill)


def _fill(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        work.chmod(0o777)
        subprocess.run(("apt-get", "-qq", "download", *_PACKAGES), cwd=work, check=True)
        for package in work.glob("*.deb"):
            run(("dpkg-deb", "-x", package, work / "x"))
        for path in (work / "x").rglob("*"):
            if path.name == "sshd" and path.parent.name == "sbin":
                shutil.copy2(path, folder / "sshd")
            elif path.name.startswith("libwrap.so"):
                shutil.copy2(path, folder / path.name)
