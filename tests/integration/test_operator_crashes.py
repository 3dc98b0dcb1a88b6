"""A sample of the crash sweep with real processes: kill -9 of operators at every tenth effect, and of the API server.

tests/integration/test_crash_sweep.py has all effects, in memory.
"""

from itertools import cycle
from pathlib import Path

import pytest

from integration.operator_process import converged_hosts, running_site
from lab.controlplane import ControlPlane


@pytest.mark.timeout(400)  # each death costs the start of a process, on a machine that other tests use too
def test_blank_to_ready_while_the_operator_dies_every_tenth_effect_and_the_api_server_once(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    with running_site(control_plane, tmp_path) as site:
        site.apply()
        moments = cycle(("before 10", "after 10"))
        deaths = 0
        site.start_operator(die=next(moments))

        def ready_or_restarted() -> bool:
            nonlocal deaths
            if site.operator_runs():
                return site.ready()
            deaths += 1
            if deaths == 2:
                site.control_plane.kill_apiserver()
                site.control_plane.start_apiserver()
            site.end_lease()
            site.start_operator(die=next(moments))
            return False

        site.wait("every object is Ready", ready_or_restarted, seconds=300)
        assert deaths >= 4, f"the operator died only {deaths} times"
        assert site.hosts.destroyed_twice() == []
        assert site.hosts.refusals == []
        calm = converged_hosts()
        found, expected = site.hosts.state(), calm.state()
        different = {path for path in expected if path.startswith("pool.") and found.get(path) != expected[path]}
        assert different == set(), {path: (found.get(path), expected[path]) for path in different}
