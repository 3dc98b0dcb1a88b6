import pytest

from heretic.domain.errors import Reason
from heretic.domain.host.facts import OperatingSystem
from heretic.domain.host.profiles import DEBIAN_12, EL_9, Profile, profile_of
from heretic.domain.plan import Blocked


def system(name: str, version: str) -> OperatingSystem:
    return OperatingSystem(name, version, f"{name} {version}", "6.1")


@pytest.mark.parametrize(
    ("os", "profile"),
    [
        (system("debian", "12"), DEBIAN_12),
        (system("centos", "9"), EL_9),
        (system("rocky", "9.4"), EL_9),
        (system("almalinux", "9.6"), EL_9),
        (system("rhel", "9.2"), EL_9),
    ],
    ids=str,
)
def test_supported(os: OperatingSystem, profile: Profile) -> None:
    assert profile_of(os) is profile


@pytest.mark.parametrize(
    "os",
    [
        system("debian", "13"),
        system("debian", "11"),
        system("ubuntu", "24.04"),
        system("centos", "8"),
        system("rocky", "8.10"),
        system("fedora", "42"),
        system("centos", ""),
    ],
    ids=str,
)
def test_not_supported(os: OperatingSystem) -> None:
    refused = profile_of(os)
    assert isinstance(refused, Blocked)
    assert refused.reason is Reason.UNSUPPORTED_PLATFORM
    assert "supported are EL 9" in refused.message


@pytest.mark.parametrize("os", [system("centos", "10"), system("rocky", "10.1"), system("rhel", "11")], ids=str)
def test_el10_is_refused_because_gluster_is_gone(os: OperatingSystem) -> None:
    refused = profile_of(os)
    assert isinstance(refused, Blocked)
    assert "there is no Gluster for EL" in refused.message
