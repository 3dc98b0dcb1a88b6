"""A whole site under the rules: blank hosts become volumes, and stay so."""

import pytest

from heretic.domain.plan import Converged
from sim.site_rules import RuledSite, ruled_site

VOLUMES = {
    "engine": {"purpose": "Engine", "size": "20Gi"},
    "vmstore": {"purpose": "VirtualMachines", "size": "40Gi"},
    "share": {"purpose": "SMBShare", "size": "30Gi"},
    "lock": {"purpose": "Lock", "size": "1Gi"},
}


def no_refusals(site: RuledSite) -> None:
    assert {m.name: m.refusals for m in site.machines.values() if m.refusals} == {}


@pytest.mark.parametrize("count", [1, 3, 4, 5])
def test_blank_hosts_become_started_volumes_and_then_nothing_is_planned(count: int) -> None:
    site = ruled_site(tuple(f"node{i}" for i in range(1, count + 1)), VOLUMES)
    site.settle()
    no_refusals(site)
    assert site.failures == []
    assert {v.name: v.state for v in site.gluster.volumes.values()} == dict.fromkeys(VOLUMES, "Started")
    before = len(site.effects)
    plans = site.round()
    assert all(isinstance(p, Converged) for p in plans.values()), plans
    assert len(site.effects) == before
    for volume in site.volumes.values():
        ready = next(c for c in volume.status.conditions if c.type == "Ready")
        assert ready.status == "True", ready
