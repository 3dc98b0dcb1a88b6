"""Where the NICs of lab machines lead, and what they are called."""

import pytest

from lab import image, platforms
from lab.identity import Identity
from lab.spec import NodeSpec, SiteSpec


@pytest.fixture
def site() -> SiteSpec:
    return SiteSpec(nodes=(NodeSpec(ports=("lan", "internal", "lan")), NodeSpec()), networks=("mgmt", "gluster"))


def test_nics_that_are_configured_come_first_and_the_others_are_ports(site: SiteSpec) -> None:
    assert list(site.cables(1).items()) == [
        ("mgmt", "mgmt"),
        ("gluster", "gluster"),
        ("port1", "lan"),
        ("port2", "internal"),
        ("port3", "lan"),
    ]
    assert list(site.cables(2)) == ["mgmt", "gluster"]


def test_there_is_a_switch_for_every_network_that_a_cable_leads_to(site: SiteSpec) -> None:
    assert site.cabled == ("mgmt", "gluster", "lan", "internal")


def test_every_nic_of_a_site_has_a_hardware_address_of_its_own(site: SiteSpec) -> None:
    macs = [Identity(site, number).mac(nic) for number in (1, 2) for nic in site.cables(number)]
    assert len(set(macs)) == len(macs) == 7


def test_only_networks_of_the_site_are_configured(site: SiteSpec) -> None:
    names = [path for path in Identity(site, 1).files() if path.startswith("etc/systemd/network/")]
    assert names == ["etc/systemd/network/50-mgmt.network", "etc/systemd/network/50-gluster.network"]


@pytest.mark.parametrize(("platform", "there"), [(platforms.DEBIAN_13, True), (platforms.DEBIAN_12, False)])
def test_a_package_of_one_platform_is_offered_there_alone(platform: platforms.Platform, there: bool) -> None:
    offered = image.packages("repository.txt", platform)
    assert ("samba-vfs-glusterfs" in offered) is there
    assert "samba-vfs-modules" in offered
