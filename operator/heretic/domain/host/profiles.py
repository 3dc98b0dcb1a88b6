"""What differs between distribution families, in one place: nothing else in Heretic asks which one it is.

Only what is tested is supported; docs/reference/platforms.md says what was tested where, and how the platforms differ.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from heretic.domain.errors import Reason
from heretic.domain.host.facts import OperatingSystem
from heretic.domain.plan import Blocked

HOSTS = "/etc/hosts"
LVM_DEVICES_FILE = "/etc/lvm/devices/system.devices"


class Family(StrEnum):
    """Distributions whose packages have the same names."""

    DEBIAN = "Debian"
    EL = "EL"


@dataclass(frozen=True, slots=True)
class Profile:
    """One distribution, or several that are alike.

    Attributes:
        name: As shown in ``Node.status.facts.platform``.
        family: Whose package names it uses.
        base_packages: For every node; what a role needs more, its feature says.
        repair: Commands that finish what an interrupted package manager left; run before each installation.
        install: Command that installs the packages that are appended to it.
        query: Command that shows the state of the package that is appended to it, and what it prints for an
            installed one.
        install_hint: What a person does when the packages cannot be had.
        time_service: The unit of chrony.
        time_file: Where the Site's time servers are written.
        time_file_shared: Whether others write that file too, so that Heretic keeps to a marked block of it.
        selinux_contexts: The file with local SELinux rules, "" where Heretic leaves SELinux alone.
        samba_fuse: Whether Samba reaches a volume where it is mounted, because its module for Gluster is not packaged.
        samba_syncs_keytabs: Whether Samba writes keytabs as ``sync machine password to keytab`` says, since 4.21.
    """

    name: str
    family: Family
    base_packages: tuple[str, ...]
    repair: tuple[tuple[str, ...], ...]
    install: tuple[str, ...]
    query: tuple[tuple[str, ...], str]
    install_hint: str
    time_service: str
    time_file: str
    time_file_shared: bool
    selinux_contexts: str = ""
    samba_fuse: bool = False
    samba_syncs_keytabs: bool = True


_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--option", "DPkg::Lock::Timeout=300")

DEBIAN_13 = Profile(
    name="debian13",
    family=Family.DEBIAN,
    base_packages=("chrony",),
    repair=(
        ("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", "--configure", "--pending"),
        (*_APT, "update"),
    ),
    install=(*_APT, "--no-install-recommends", "--option", "Dpkg::Options::=--force-confold", "install"),
    query=(("dpkg-query", "-W", "-f", "${db:Status-Status}"), "installed"),
    install_hint="check the host's APT sources and its way to them",
    time_service="chrony.service",
    time_file="/etc/chrony/sources.d/heretic.sources",
    time_file_shared=False,
)

DEBIAN_12 = replace(DEBIAN_13, name="debian12", samba_syncs_keytabs=False)

EL_9 = Profile(
    name="el9",
    family=Family.EL,
    base_packages=("chrony", "policycoreutils-python-utils"),
    repair=(),
    install=("dnf", "--assumeyes", "--setopt=install_weak_deps=False", "install"),
    query=(("rpm", "-q", "--queryformat", "installed"), "installed"),
    install_hint="enable the CentOS Storage SIG repository (package centos-release-gluster11) on the host",
    time_service="chronyd.service",
    time_file="/etc/chrony.conf",
    time_file_shared=True,
    selinux_contexts="/etc/selinux/targeted/contexts/files/file_contexts.local",
    samba_fuse=True,
)

PROFILES = (EL_9, DEBIAN_13, DEBIAN_12)

_EL_IDS = frozenset({"centos", "rhel", "almalinux", "rocky", "ol"})
"""oVirt Node NG calls itself after the distribution that it is made of."""
_SUPPORTED = "supported are Debian 13 and 12, and EL 9 (CentOS Stream, its rebuilds, oVirt Node)"
_UBUNTU = (
    "Heretic does not know how Ubuntu manages networks, updates and multipath; "
    "install Debian 13 on it, which has Gluster 11"
)


def profile_of(os: OperatingSystem) -> Profile | Blocked:
    """The profile of a host's distribution.

    Returns:
        The profile, or why there is none and what to do (rule:supported-platforms).
    """
    major = os.version.partition(".")[0]
    match os.id, major:
        case "debian", "13":
            return DEBIAN_13
        case "debian", "12":
            return DEBIAN_12
        case "ubuntu", _:
            return Blocked(Reason.UNSUPPORTED_PLATFORM, f"the host runs {os.name}: {_UBUNTU}")
    if os.id in _EL_IDS and major == "9":
        return EL_9
    if os.id in _EL_IDS and major.isdigit() and int(major) >= 10:
        return Blocked(
            Reason.UNSUPPORTED_PLATFORM,
            f"the host runs {os.name}: there is no Gluster for EL {major}, and oVirt dropped it there; "
            "install EL 9 on it",
        )
    return Blocked(Reason.UNSUPPORTED_PLATFORM, f"the host runs {os.name}; {_SUPPORTED}: install one of them on it")
