import pytest

from heretic.domain.errors import Reason
from heretic.domain.host.facts import OperatingSystem
from heretic.domain.host.profiles import DEBIAN_12, DEBIAN_13, EL_9, PROFILES, Profile, profile_of
from heretic.domain.plan import Blocked
from lab.platforms import PLATFORMS
from sim.asked import ASKED


def system(name: str, version: str) -> OperatingSystem:
    return OperatingSystem(name, version, f"{name} {version}", "6.1")


@pytest.mark.parametrize(
    ("os", "profile"),
    [
        (system("debian", "13"), DEBIAN_13),
        (system("debian", "13.2"), DEBIAN_13),
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
        system("debian", "14"),
        system("debian", "11"),
        system("debian", ""),
        system("raspbian", "13"),
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
    assert "supported are Debian 13 and 12, and EL 9" in refused.message
    assert "install one of them on it" in refused.message


@pytest.mark.parametrize("os", [system("centos", "10"), system("rocky", "10.1"), system("rhel", "11")], ids=str)
def test_el10_is_refused_because_gluster_is_gone(os: OperatingSystem) -> None:
    refused = profile_of(os)
    assert isinstance(refused, Blocked)
    assert "there is no Gluster for EL" in refused.message


@pytest.mark.parametrize("version", ["24.04", "26.04"])
def test_ubuntu_is_refused_with_what_is_not_known_of_it_and_what_to_do(version: str) -> None:
    refused = profile_of(OperatingSystem("ubuntu", version, f"Ubuntu {version} LTS", "6.8", ("debian",)))
    assert isinstance(refused, Blocked)
    assert refused.reason is Reason.UNSUPPORTED_PLATFORM
    assert refused.message == (
        f"the host runs Ubuntu {version} LTS: Heretic does not know how Ubuntu manages networks, updates and "
        "multipath; install Debian 13 on it, which has Gluster 11"
    )


def test_every_platform_of_the_lab_has_the_profile_of_its_name() -> None:
    for name, platform in PLATFORMS.items():
        profile = profile_of(system("debian", platform.version))
        assert isinstance(profile, Profile)
        assert profile.name == platform.name == name


def test_profiles_have_different_names() -> None:
    assert len({profile.name for profile in PROFILES}) == len(PROFILES)


def test_what_platforms_have_in_common_is_asked_once() -> None:
    assert len(set(ASKED.paths)) == len(ASKED.paths)
    for probe in ASKED.probes:
        if probe.name in ("units", "dpkg", "rpm"):
            assert len(set(probe.argv)) == len(probe.argv), probe.argv
