"""The programs that the lab's machines need, installed where they are missing. Debian and Ubuntu."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError
from lab.shell import run, say, search_path, timed

# What must be there -> the Debian package that brings it. The same names on Ubuntu.
_PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "nsenter": "util-linux",
    "sysctl": "procps",
    "getfattr": "attr",
}
_FILES = {"/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring"}


def missing_packages(programs: Mapping[str, str]) -> list[str]:
    """The packages of those programs, and of the files, that are not here."""
    missing = [package for name, package in programs.items() if shutil.which(name, path=search_path()) is None]
    return missing + [package for path, package in _FILES.items() if not Path(path).exists()]


def install(programs: Mapping[str, str] = _PROGRAMS) -> None:
    """Install what is missing, as root or through sudo; says so when that is nothing."""
    packages = missing_packages(programs)
    if not packages:
        say("all needed programs are installed")
        return
    if shutil.which("apt-get") is None:
        raise LabError(f"no apt-get here: install what these Debian packages have: {' '.join(packages)}")
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with timed(f"installing {', '.join(packages)}", expect="10 to 60 s"):
        run([*sudo, "apt-get", "update", "-qq"], env=quiet)
        run([*sudo, "apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages], env=quiet)
