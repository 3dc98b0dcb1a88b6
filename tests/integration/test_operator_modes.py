"""Whatever says "change nothing" is obeyed while the difference is shown, and repaired once it no longer says so."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from integration.operator_process import RESYNC, RunningSite, converged_hosts, running_site
from lab.controlplane import ControlPlane

OPTION, DECLARED, BY_HAND = "network.ping-timeout", "20", "42"
Change = Callable[[RunningSite], object]


@dataclass(frozen=True)
class Hold:
    """One way to keep the operator's hands off a volume.

    Attributes:
        on, off: Begins it and ends it.
        paused: Whether the volume says that it is paused.
    """

    on: Change
    off: Change
    paused: bool = False


HOLDS = {
    "the object is paused": Hold(
        lambda s: s.patch("gvol/vmstore", {"paused": True}),
        lambda s: s.patch("gvol/vmstore", {"paused": False}),
        paused=True,
    ),
    "the Site is paused": Hold(
        lambda s: s.patch("site/demo", {"paused": True}),
        lambda s: s.patch("site/demo", {"paused": False}),
        paused=True,
    ),
    "the kill switch is thrown": Hold(lambda s: s.kill_switch.touch(), lambda s: s.kill_switch.unlink(), paused=True),
    "the object's mode is Plan": Hold(
        lambda s: s.patch("gvol/vmstore", {"mode": "Plan"}),
        lambda s: s.patch("gvol/vmstore", {"mode": None}),
    ),
    "the object's mode is Observe": Hold(
        lambda s: s.patch("gvol/vmstore", {"mode": "Observe"}),
        lambda s: s.patch("gvol/vmstore", {"mode": None}),
    ),
    "the Site's mode is Plan": Hold(
        lambda s: s.patch("site/demo", {"mode": "Plan"}),
        lambda s: s.patch("site/demo", {"mode": "Apply"}),
    ),
}


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path_factory.mktemp("modes"), converged_hosts()) as running:
        running.apply()
        running.start_operator()
        running.wait_ready()
        assert running.hosts.effects == [], "hosts that are as declared are adopted without a touch"
        yield running


@pytest.mark.parametrize("name", HOLDS)
def test_drift_is_shown_and_left_alone_until_the_hold_ends(site: RunningSite, name: str) -> None:
    hold, options = HOLDS[name], site.hosts.pool.volumes["vmstore"].options
    site.wait_ready()
    assert options[OPTION] == DECLARED
    effects = len(site.hosts.effects)
    hold.on(site)
    try:
        if hold.paused:
            site.wait("the volume says that it is paused", lambda: site.says("gvol/vmstore", "Paused", "True"))
        else:
            site.wait("the mode was seen", lambda: site.says("site/demo", "Ready", "True"))
            site.wait("the volume's mode was seen", lambda: site.says("gvol/vmstore", "Ready", "True"))
        options[OPTION] = BY_HAND
        site.wait("the drift is shown", lambda: site.says("gvol/vmstore", "Drifted", "True"))
        time.sleep(1.5 * RESYNC)  # nothing may happen, so there is nothing to wait for
        assert len(site.hosts.effects) == effects, site.describe()
        assert options[OPTION] == BY_HAND
        plan = site.get("gvol/vmstore")["status"]["plan"]
        assert [step["verb"] for step in plan["steps"]] == ["SetVolumeOptions"]
    finally:
        hold.off(site)
    site.wait("the drift is repaired", lambda: options[OPTION] == DECLARED)
    site.wait_ready()
    site.wait("no drift is shown any more", lambda: site.says("gvol/vmstore", "Drifted", "False"))
    assert len(site.hosts.effects) == effects + 1, site.hosts.effects[effects:]


def test_a_node_in_maintenance_is_asked_for_nothing_and_no_second_one_is_let_go(site: RunningSite) -> None:
    site.wait_ready()
    pool, effects = site.hosts.pool, len(site.hosts.effects)
    out = "hnode/node1"
    site.patch(out, {"maintenance": True})
    try:
        site.wait("the host may be switched off", lambda: site.says(out, "Maintenance", "True"))
        pool.volumes["vmstore"].options[OPTION] = BY_HAND
        site.wait("the drift is repaired", lambda: pool.volumes["vmstore"].options[OPTION] == DECLARED)
        pool.kill_brick("vmstore", "node1")
        site.wait("its brick is missed", lambda: site.says("gvol/vmstore", "BricksReady", "False"))
        site.patch("hnode/node3", {"maintenance": True})
        refused = partial(site.says, "hnode/node3", "Maintenance", "False", "MaintenanceUnsafe")
        site.wait("the second one is told to stay on", refused)
        assert "node1 is in maintenance too" in site.condition("hnode/node3", "Maintenance")["message"]
        time.sleep(1.5 * RESYNC)  # nothing may happen, so there is nothing to wait for
        assert site.says(out, "Maintenance", "True"), "it stays so although its brick is down"
        assert [host for host, _ in site.hosts.effects[effects:]] == ["node2"], site.hosts.effects[effects:]
    finally:
        for node in ("node1", "node3"):
            site.patch(f"hnode/{node}", {"maintenance": False})
    site.wait("its brick is started again", lambda: all(b.running for b in pool.volumes["vmstore"].bricks))
    site.wait_ready()
