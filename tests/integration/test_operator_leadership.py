"""Two operators: one acts, and the other takes over when it dies."""

import json
import time
from pathlib import Path

from integration.operator_process import RESYNC, SYSTEM, RunningSite, converged_hosts, running_site
from lab.controlplane import ControlPlane

OPTION, DECLARED = "network.ping-timeout", "20"


def holder(site: RunningSite) -> str:
    lease = site.control_plane.kubectl("get", "lease", "heretic-operator", "-n", SYSTEM, "-o", "json").stdout
    return str(json.loads(lease)["spec"]["holderIdentity"])


def repaired_once(site: RunningSite, value: str) -> None:
    """Somebody changes an option by hand: exactly one effect takes it back."""
    effects = len(site.hosts.effects)
    options = site.hosts.pool.volumes["vmstore"].options
    options[OPTION] = value
    site.wait("the drift is repaired", lambda: options[OPTION] == DECLARED)
    site.wait_ready()
    time.sleep(RESYNC)  # a second repair would come now
    assert len(site.hosts.effects) == effects + 1, site.hosts.effects[effects:]


def test_the_second_operator_acts_only_after_the_first_has_died(control_plane: ControlPlane, tmp_path: Path) -> None:
    with running_site(control_plane, tmp_path, converged_hosts()) as site:
        site.apply()
        site.start_operator(name="first")
        site.wait_ready()
        leader = holder(site)
        site.start_operator(name="second")
        site.wait("the second one runs", lambda: "second" in site.describe() and site.operator_runs("second"))
        repaired_once(site, "41")
        repaired_once(site, "42")
        assert holder(site) == leader
        assert "has the lease" not in site.operator_log("second")
        tokens = {name: machine.token for name, machine in site.hosts.machines.items()}

        site.kill_operator("first")
        site.wait("the second one has the lease", lambda: "has the lease" in site.operator_log("second"))
        assert holder(site) != leader
        repaired_once(site, "43")
        acted = [name for name, machine in site.hosts.machines.items() if machine.token > tokens[name]]
        assert acted, "the new leader must show the hosts a greater fencing token"

        site.start_operator(name="first")
        site.stop_operator("second")
        site.wait("a lease that was given back is taken at once", lambda: holder(site) not in ("", leader), seconds=30)
        repaired_once(site, "44")
