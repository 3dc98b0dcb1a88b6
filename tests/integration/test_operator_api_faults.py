"""What the API server and the network before it do wrong: the operator converges afterwards, and repeats nothing."""

from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from integration.operator_process import RunningSite, converged_hosts, is_ready, running_site
from lab.apiproxy import ApiProxy
from lab.apirequest import to
from lab.controlplane import ControlPlane

OPTION = "network.ping-timeout"
STATUS_WRITES = to("glustervolumes", verb="update", subresource="status")
Change = Callable[[], None]
Disturb = Callable[[RunningSite, ApiProxy, Change], object]
"""Makes the change while something is wrong."""


def outage(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    """So long that the operator cannot renew its lease."""
    noticed = site.operator_log().count("could not be renewed")
    with proxy.outage():
        change()
        site.wait("the operator noticed", lambda: site.operator_log().count("could not be renewed") > noticed)


def cut(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    change()
    proxy.cut()


def lost_reply(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    lost = proxy.lose_reply(where=STATUS_WRITES, times=2)
    change()
    lost.wait(timeout=60)


def conflicts(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    answered = proxy.answer(409, where=STATUS_WRITES, times=2)
    change()
    answered.wait(2, timeout=60)


def refusals(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    answered = proxy.answer(500, where=STATUS_WRITES, times=2)
    change()
    answered.wait(2, timeout=60)


def expired(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    change()
    assert proxy.expire_watches(where=to("glustervolumes")) > 0


def dropped(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    """The watch says nothing of the change, and later breaks off, as every watch does."""
    lost = proxy.drop_events(lambda event: event["type"] == "MODIFIED", where=to("glustervolumes"))
    change()
    lost.wait(timeout=60)
    lost.stop()
    proxy.cut()


def delayed(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    late = proxy.delay_events(2.0, lambda event: True, where=to("glustervolumes"), times=2)
    change()
    late.wait(timeout=60)


def killed(site: RunningSite, proxy: ApiProxy, change: Change) -> None:
    change()
    site.control_plane.kill_apiserver()
    site.control_plane.start_apiserver()


DISTURBANCES: dict[str, Disturb] = {
    "all connections break": cut,
    "nothing gets through for a while": outage,
    "the replies to status writes get lost": lost_reply,
    "status writes conflict": conflicts,
    "status writes are answered with 500": refusals,
    "the watch expires with 410": expired,
    "the watch drops events and breaks": dropped,
    "the watch is late": delayed,
    "the API server is killed": killed,
}
VALUES = cycle(("21", "22"))


@pytest.fixture(scope="module")
def site(
    control_plane: ControlPlane, proxy: ApiProxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path_factory.mktemp("api-faults"), converged_hosts()) as running:
        running.apply()
        running.start_operator(proxy=proxy)
        running.wait_ready()
        yield running


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_change_is_carried_out_once_whatever_is_wrong(site: RunningSite, proxy: ApiProxy, name: str) -> None:
    site.wait_ready()
    proxy.reset()
    value, effects = next(VALUES), len(site.hosts.effects)

    def change() -> None:
        site.patch("gvol/vmstore", {"options": [{"name": OPTION, "value": value}]})

    DISTURBANCES[name](site, proxy, change)
    options = site.hosts.pool.volumes["vmstore"].options
    site.wait("the option is set", lambda: options[OPTION] == value)
    site.wait("the volume is Ready for its new spec", lambda: is_ready(site.get("gvol/vmstore")))
    site.wait_ready()
    assert len(site.hosts.effects) == effects + 1, site.hosts.effects[effects:]
    assert site.operator_runs()
