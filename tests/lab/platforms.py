"""The distributions that lab machines and simulated hosts can have: one value each, chosen once for a run.

Everything in the lab that depends on the distribution is here. What Heretic itself knows of it is in
``heretic.domain.host.profiles``, under the same names; docs/reference/platforms.md compares them for people.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from lab.errors import LabError

VARIABLE = "HERETIC_LAB_PLATFORM"


@dataclass(frozen=True)
class Platform:
    """One distribution.

    Attributes:
        name: As Heretic's profile of it, and in the names of cached images, booted nodes and captured answers.
        suite: Name of its package archive.
        version: As os-release tells it.
        kernel: Release of its kernel.
        packages: Versions that its archive has of what Heretic installs.
        operating_version: Of a new Gluster pool.
        lvm_log: Whether LVM's reports in JSON have a log.
    """

    name: str
    suite: str
    version: str
    kernel: str
    packages: Mapping[str, str]
    operating_version: int
    lvm_log: bool

    @property
    def pretty_name(self) -> str:
        """As os-release tells it."""
        return f"Debian GNU/Linux {self.version} ({self.suite})"

    def cached(self, what: str, key: str) -> str:
        """Name in the cache of something made for this platform; no other platform has one like it."""
        return f"node-{what}-{self.name}-{key}"


DEBIAN_12 = Platform(
    name="debian12",
    suite="bookworm",
    version="12",
    kernel="6.1.0-50-amd64",
    packages={
        "chrony": "4.3-2+deb12u3",
        "glusterfs-server": "10.3-5",
        "lvm2": "2.03.16-2",
        "thin-provisioning-tools": "0.9.0-2",
        "xfsprogs": "6.1.0-1",
        "attr": "1:2.5.1-4",
        "ctdb": "2:4.17.12+dfsg-0+deb12u4",
        "glusterfs-client": "10.3-5",
        "nfs-ganesha": "4.3-2",
        "nfs-ganesha-gluster": "4.3-2",
        "samba": "2:4.17.12+dfsg-0+deb12u4",
        "samba-vfs-modules": "2:4.17.12+dfsg-0+deb12u4",
        "smbclient": "2:4.17.12+dfsg-0+deb12u4",
        "tdb-tools": "1.4.8-2",
    },
    operating_version=100000,
    lvm_log=False,
)

DEBIAN_13 = Platform(
    name="debian13",
    suite="trixie",
    version="13",
    kernel="6.12.117+deb13-amd64",
    packages={
        "chrony": "4.6.1-3+deb13u2",
        "glusterfs-server": "11.1-6",
        "lvm2": "2.03.31-2",
        "thin-provisioning-tools": "1.1.0-4+b1",
        "xfsprogs": "6.13.0-2+deb13u1",
        "attr": "1:2.5.2-3",
        "ctdb": "2:4.22.11+dfsg-0+deb13u1",
        "glusterfs-client": "11.1-6",
        "nfs-ganesha": "6.5-5",
        "nfs-ganesha-gluster": "6.5-5",
        "samba": "2:4.22.11+dfsg-0+deb13u1",
        "samba-vfs-glusterfs": "2:4.22.11+dfsg-0+deb13u1",
        "samba-vfs-modules": "2:4.22.11+dfsg-0+deb13u1",
        "smbclient": "2:4.22.11+dfsg-0+deb13u1",
        "tdb-tools": "2:1.4.13+samba4.22.11+dfsg-0+deb13u1",
    },
    operating_version=110000,
    lvm_log=True,
)

PLATFORMS = {platform.name: platform for platform in (DEBIAN_13, DEBIAN_12)}
DEFAULT = DEBIAN_13


def chosen() -> Platform:
    """The platform of this run: $HERETIC_LAB_PLATFORM, or the default."""
    return named(os.environ.get(VARIABLE) or DEFAULT.name)


def named(name: str) -> Platform:
    """The platform of that name.

    Raises:
        LabError: There is none.
    """
    if name not in PLATFORMS:
        raise LabError(f"{VARIABLE} is {name!r}; it can be {' or '.join(PLATFORMS)}")
    return PLATFORMS[name]
