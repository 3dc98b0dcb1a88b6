"""An operator process and a FileShare that no host can serve: it is told, and it goes when it is deleted."""

from collections.abc import Iterator

import pytest

from integration.operator_process import RunningSite, running_site
from lab.controlplane import ControlPlane
from sim.blank_site import declared

SHARE = declared(
    "FileShare",
    "office",
    {
        "protocol": "NFS",
        "volume": "vmstore",
        "network": "mgmt",
        "addresses": ["10.9.9.9"],
        "folders": [{"name": "all"}],
    },
)


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path_factory.mktemp("shares")) as running:
        running.apply([*running.hosts.objects(), SHARE])
        running.start_operator()
        yield running


def test_a_share_that_no_host_can_serve_is_told_so(site: RunningSite) -> None:
    site.wait("it is told", lambda: site.says("hshare/office", "Served", "False"))
    assert site.condition("hshare/office", "Ready")["status"] != "True"
    assert site.condition("hshare/office", "Served")["message"]


def test_a_share_goes_when_it_is_deleted(site: RunningSite) -> None:
    site.kubectl("delete", "hshare", "office", "--timeout=60s")
    assert not site.exists("hshare/office")
