"""Laws that hold for every combination of what is known."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heretic.domain.conditions import ConditionType, State
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.gluster.health import may_take_out
from heretic.domain.gluster.plan import plan_volume, plan_volume_removal
from heretic.domain.gluster.report import report_volume
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.plan import Risk, steps_of
from heretic.domain.pool.facts import PoolFacts
from sim.asked import FACTS, but
from sim.site_rules import RuledSite, ruled_site

World = tuple[dict[str, HostView], Fact[PoolFacts]]

LOST = Unknown("lost")


def remove(world: World, what: tuple[str, ...]) -> World:
    """The same world with one fact less."""
    hosts, pool = world
    match what:
        case ("host", node):
            return {**hosts, node: Transient(Reason.UNREACHABLE, "no route")}, pool
        case ("fact", node, name):
            facts = hosts[node]
            return ({**hosts, node: but(facts, **{name: LOST})} if isinstance(facts, HostFacts) else hosts), pool
        case ("pool",):
            return hosts, LOST
        case (name,) if isinstance(pool, Known) and name == "volumes":
            return hosts, Known(replace(pool.value, volumes=LOST))
        case (name,) if isinstance(pool, Known):
            known = getattr(pool.value, name)
            less: dict[str, Any] = {name: dict.fromkeys(known, LOST)}
            return hosts, Known(replace(pool.value, **less))
        case ("brick", key) if isinstance(pool, Known):
            return hosts, Known(_without_brick(pool.value, key))
    return world


def _without_brick(pool: PoolFacts, key: str) -> PoolFacts:
    status = {
        name: Known(replace(s.value, bricks={k: b for k, b in s.value.bricks.items() if k != key}))
        if isinstance(s, Known)
        else s
        for name, s in pool.status.items()
    }
    heal = {
        name: Known(
            replace(
                h.value,
                pending={k: LOST if k == key else v for k, v in h.value.pending.items()},
                split_brain={k: LOST if k == key else v for k, v in h.value.split_brain.items()},
            )
        )
        if isinstance(h, Known)
        else h
        for name, h in pool.heal.items()
    }
    return replace(pool, status=status, heal=heal)


NODES = ("node1", "node2", "node3")
BRICKS = tuple(f"{n}.gluster.private:/gluster_bricks/vmstore/brick1/brick" for n in NODES)
REMOVALS = st.one_of(
    st.sampled_from([("pool",), ("volumes",), ("status",), ("heal",), ("clients",)]),
    st.tuples(st.just("host"), st.sampled_from(NODES)),
    st.tuples(st.just("fact"), st.sampled_from(NODES), st.sampled_from(FACTS)),
    st.tuples(st.just("brick"), st.sampled_from(BRICKS)),
)


def kill_bricks(site: RuledSite, *nodes: str) -> None:
    for node in nodes:
        site.gluster.kill_brick("vmstore", node)


def lose_node(site: RuledSite, node: str) -> None:
    site.gluster.power_cut(node)
    site.gluster.write("vmstore")


EVENTS: dict[str, Callable[[RuledSite], object]] = {
    "nothing": lambda s: None,
    "brick down": lambda s: kill_bricks(s, "node2"),
    "two bricks down": lambda s: kill_bricks(s, "node1", "node2"),
    "node dead": lambda s: lose_node(s, "node3"),
    "heal pending": lambda s: s.gluster.volumes["vmstore"].bricks[0].__setattr__("pending", 3),
    "split-brain": lambda s: s.gluster.volumes["vmstore"].bricks[0].__setattr__("split_brain", 1),
    "quorum lowered": lambda s: s.gluster.volumes["vmstore"].options.update({"cluster.quorum-type": "none"}),
    "volume gone": lambda s: s.gluster.volumes.clear(),
}
_laws = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes={"vmstore": {"purpose": "VirtualMachines", "size": "40Gi", "deletionPolicy": "Destroy"}})
    site.settle()
    return site, site.save()


@pytest.fixture(params=EVENTS)
def world(request: pytest.FixtureRequest, built: tuple[RuledSite, Callable[[], None]]) -> tuple[RuledSite, World]:
    site, restore = built
    restore()
    EVENTS[request.param](site)
    site.look_again()
    return site, (site.observe(), site.ask_pool())


def told(site: RuledSite, world: World) -> dict[ConditionType, State]:
    report = report_volume(site.volumes["vmstore"], site.view, *world)
    return {c.type: c.state for c in report.conditions}


def well(kind: ConditionType) -> State:
    return State.FALSE if kind is ConditionType.DEGRADED else State.TRUE


@_laws
@given(removals=st.lists(REMOVALS, min_size=1, max_size=6))
def test_removing_facts_never_makes_a_condition_healthier(
    world: tuple[RuledSite, World], removals: list[tuple[str, ...]]
) -> None:
    site, full = world
    before = told(site, full)
    poorer = full
    for removal in removals:
        poorer = remove(poorer, removal)
    after = told(site, poorer)
    assert set(after) == set(before), "every condition on every pass"
    for kind, state in after.items():
        if before[kind] is not well(kind):
            assert state is not well(kind), f"{kind} became {state} without {removals}"


@_laws
@given(removals=st.lists(REMOVALS, min_size=1, max_size=6))
def test_unknown_never_leads_to_a_destructive_step(
    world: tuple[RuledSite, World], removals: list[tuple[str, ...]]
) -> None:
    site, full = world
    poorer = full
    for removal in removals:
        poorer = remove(poorer, removal)
    plan = plan_volume(site.volumes["vmstore"], site.view, *poorer)
    assert [s for s in steps_of(plan) if s.needs_approval or s.risk is Risk.DESTRUCTIVE] == []
    matter = {"mounts", "logical_volumes", "bricks"}
    if any(r[0] in ("host", "pool", "volumes", "clients") or (r[0] == "fact" and r[2] in matter) for r in removals):
        removal_plan = plan_volume_removal(site.volumes["vmstore"], site.view, *poorer)
        stopped = [s for s in steps_of(removal_plan) if s.verb == "StopVolume"]
        assert stopped == []


@_laws
@given(removals=st.lists(REMOVALS, max_size=4))
def test_what_may_be_taken_out_with_less_known_may_be_taken_out_with_more(
    world: tuple[RuledSite, World], removals: list[tuple[str, ...]]
) -> None:
    site, full = world
    poorer = full
    for removal in removals:
        poorer = remove(poorer, removal)
    hosts, pool = poorer
    for node in NODES:
        if may_take_out(node, site.view, hosts, pool, pool) == "":
            assert may_take_out(node, site.view, full[0], full[1], full[1]) == ""


def test_a_node_may_be_taken_out_of_a_whole_site_only(built: tuple[RuledSite, Callable[[], None]]) -> None:
    site, restore = built
    verdicts: dict[str, str] = {}
    for name, happens in EVENTS.items():
        restore()
        happens(site)
        site.look_again()
        pool = site.ask_pool()
        verdicts[name] = may_take_out("node1", site.view, site.observe(), pool, pool)
    restore()
    assert verdicts.pop("nothing") == ""
    assert verdicts.pop("volume gone") == "", "no volume, nothing to lose"
    assert verdicts.pop("quorum lowered") == "", "a matter of configuration"
    assert all(verdicts.values()), verdicts


def test_healed_once_is_not_enough(built: tuple[RuledSite, Callable[[], None]]) -> None:
    site, restore = built
    restore()
    site.gluster.volumes["vmstore"].bricks[0].pending = 1
    site.look_again()
    earlier = site.ask_pool()
    site.gluster.heal()
    site.look_again()
    now, hosts = site.ask_pool(), site.observe()
    assert "healed twice" in may_take_out("node1", site.view, hosts, now, earlier)
    assert may_take_out("node1", site.view, hosts, now, now) == ""
