"""What happens to a running site, and what is planned and said about it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from heretic.domain.conditions import ConditionType, State
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.mount_steps import GrowBrick, MountBrick
from heretic.domain.disks.steps import ExtendThinPool
from heretic.domain.errors import Bug, Failure, NeedsUser, Reason, Transient
from heretic.domain.facts import Known, Unknown
from heretic.domain.gluster.capacity import capacity_condition
from heretic.domain.gluster.placement import Placement, place
from heretic.domain.gluster.report import report_volume
from heretic.domain.gluster.steps import RestartBricks, RestartSelfHeal, SetVolumeOptions, StartVolume
from heretic.domain.host.facts import HostFacts
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Risk, Step, Wait, steps_of
from heretic.domain.pool.meanwhile import without_nodes
from heretic.domain.site.report import report_site
from sim.block_devices import Folder, SimVolume
from sim.lvm_tools import free
from sim.site_rules import RuledSite, ruled_site

BRICK = "/gluster_bricks/vmstore/brick1/brick"
VOLUMES = {"vmstore": {"purpose": "VirtualMachines", "size": "40Gi"}, "lock": {"purpose": "Lock", "size": "1Gi"}}


@pytest.fixture(scope="module")
def built() -> tuple[RuledSite, Callable[[], None]]:
    site = ruled_site(volumes=VOLUMES)
    site.settle()
    return site, site.save()


@pytest.fixture
def site(built: tuple[RuledSite, Callable[[], None]]) -> RuledSite:
    """A running site of three nodes; the third is the arbiter of vmstore."""
    site, restore = built
    restore()
    return site


def verbs(plan: Plan) -> list[type[Step]]:
    return [type(step) for step in steps_of(plan)]


def said(site: RuledSite, kind: ConditionType, volume: str = "vmstore") -> tuple[State, Reason, str]:
    condition = next(c for c in site.report_of(volume).conditions if c.type is kind)
    return condition.state, condition.reason, condition.message


def pending(plan: Plan) -> tuple[Wait | Blocked, ...]:
    if isinstance(plan, Proceed):
        return plan.pending
    return (plan,) if isinstance(plan, Wait | Blocked) else ()


def test_a_running_volume_needs_nothing_and_is_well(site: RuledSite) -> None:
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Converged), plan
    report = site.report_of("vmstore")
    states = {c.type: c.state for c in report.conditions}
    assert states.pop(ConditionType.DEGRADED) is State.FALSE
    assert set(states.values()) == {State.TRUE}
    status = site.status_of("vmstore")
    assert (status.topology, status.bricks_up, status.heal_pending) == ("1 x (2 + 1)", "3/3", "0")
    assert [b.state for b in status.bricks] == ["Up", "Up", "Up"]


def stop(site: RuledSite) -> None:
    volume = site.gluster.volumes["vmstore"]
    volume.state = "Stopped"
    for brick in volume.bricks:
        brick.running = False


def unmount(site: RuledSite) -> None:
    site.gluster.kill_brick("vmstore", "node2")
    machine = site.machines["node2"]
    machine.storage.mounts.pop("/gluster_bricks/vmstore")
    for unit in machine.units.values():
        if unit.name == "gluster_bricks-vmstore.mount":
            unit.active = "inactive"


def change_option(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].options["network.ping-timeout"] = "42"


def lose_option(site: RuledSite) -> None:
    del site.gluster.volumes["vmstore"].options["cluster.quorum-type"]


def lower_quorum(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].options["cluster.quorum-type"] = "none"


def lose_self_heal(site: RuledSite) -> None:
    site.gluster.nodes["node3"].self_heal = False


def lose_volume_in_self_heal(site: RuledSite) -> None:
    site.gluster.nodes["node2"].self_heal_lost.add("vmstore")


@pytest.mark.parametrize(
    ("happens", "expected"),
    [
        pytest.param(stop, [StartVolume], id="volume stopped by hand"),
        pytest.param(lambda s: s.gluster.kill_brick("vmstore", "node2"), [RestartBricks], id="brick process died"),
        pytest.param(lambda s: s.gluster.kill_brick("vmstore", "node3"), [RestartBricks], id="arbiter's process died"),
        pytest.param(unmount, [MountBrick], id="brick not mounted after a reboot"),
        pytest.param(change_option, [SetVolumeOptions], id="option changed by hand"),
        pytest.param(lose_option, [SetVolumeOptions], id="option reset by hand"),
        pytest.param(lower_quorum, [SetVolumeOptions], id="quorum lowered by hand"),
        pytest.param(lose_self_heal, [RestartSelfHeal], id="self-heal daemon died"),
        pytest.param(lose_volume_in_self_heal, [RestartSelfHeal], id="self-heal daemon lost the volume at boot"),
    ],
)
def test_drift_is_repaired(site: RuledSite, happens: Callable[[RuledSite], None], expected: list[type[Step]]) -> None:
    happens(site)
    plan = site.plan_of("vmstore")
    assert verbs(plan) == expected, plan
    assert all(step.risk is Risk.SAFE for step in steps_of(plan))
    site.settle()
    assert site.failures == []
    assert isinstance(site.plan_of("vmstore"), Converged)


def test_a_missing_mount_is_mended_in_two_passes(site: RuledSite) -> None:
    unmount(site)
    site.act(site.plan_of("vmstore"))
    assert verbs(site.plan_of("vmstore")) == [RestartBricks]


def test_options_that_nobody_declared_are_reported_and_left_alone(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].options["diagnostics.count-fop-hits"] = "on"
    assert isinstance(site.plan_of("vmstore"), Converged)
    assert "diagnostics.count-fop-hits=on" in site.report_of("vmstore").notes[0]


@pytest.mark.parametrize("value", ["on", "yes", "true", "enable", "1"])
def test_gluster_has_several_words_for_yes(site: RuledSite, value: str) -> None:
    site.gluster.volumes["vmstore"].options["performance.client-io-threads"] = value
    assert isinstance(site.plan_of("vmstore"), Converged)


def test_two_bricks_down_are_never_started_by_force(site: RuledSite) -> None:
    for node in ("node1", "node2"):
        site.gluster.kill_brick("vmstore", node)
    plan = site.plan_of("vmstore")
    assert RestartBricks not in verbs(plan)
    assert RestartSelfHeal not in verbs(plan)
    lost = next(p for p in pending(plan) if p.reason is Reason.QUORUM_LOST)
    assert isinstance(lost, Blocked)
    assert "2 of 3" in lost.message
    assert said(site, ConditionType.QUORATE)[:2] == (State.FALSE, Reason.QUORUM_LOST)
    assert said(site, ConditionType.DEGRADED)[0] is State.TRUE


def test_one_brick_down_and_one_node_dead_is_two_missing(site: RuledSite) -> None:
    site.gluster.kill_brick("vmstore", "node2")
    site.gluster.power_cut("node3")
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    assert site.gluster.write("vmstore") is False


@pytest.mark.parametrize("node", ["node1", "node2", "node3"])
def test_a_dead_node_degrades_and_the_rest_goes_on(site: RuledSite, node: str) -> None:
    site.gluster.power_cut(node)
    assert site.gluster.write("vmstore", 7), "two of three copies take writes"
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    assert all(isinstance(p, Wait) for p in pending(plan))
    state, reason, message = said(site, ConditionType.DEGRADED)
    assert (state, reason) == (State.TRUE, Reason.PEER_DISCONNECTED)
    assert node in message
    assert "data is served with reduced redundancy" in message
    assert said(site, ConditionType.QUORATE)[0] is State.TRUE
    assert said(site, ConditionType.BRICKS_READY)[0] is State.FALSE
    assert said(site, ConditionType.HEALED)[0] is not State.TRUE
    bricks = site.status_of("vmstore").bricks
    assert {b.node: b.state for b in bricks} == {n: "Unknown" if n == node else "Up" for n in site.nodes}

    site.gluster.power_on(node)
    assert said(site, ConditionType.BRICKS_READY)[0] is State.TRUE
    assert said(site, ConditionType.HEALED)[:2] == (State.FALSE, Reason.HEAL_PENDING)
    waiting = site.plan_of("vmstore")
    assert isinstance(waiting, Wait)
    assert waiting.reason is Reason.WAITING_FOR_HEAL
    site.gluster.heal()
    site.settle()
    assert site.status_of("vmstore").heal_pending == "0"


def test_a_host_that_lets_nobody_in_is_not_known_to_be_out(site: RuledSite) -> None:
    """The site's glusterds still speak of its brick; whether to believe them is not known."""
    bolted = NeedsUser(Reason.HOST_KEY_MISMATCH, "node2 presents another key; many words about what to do")
    hosts = {**site.observe(), "node2": bolted}
    report = report_volume(site.volumes["vmstore"], site.view, hosts, site.ask_pool())
    told = {c.type: (c.state, c.message) for c in report.conditions}
    short = "node2 cannot be observed (HostKeyMismatch; see Node node2)"
    assert told[ConditionType.DEGRADED] == (State.UNKNOWN, short)
    assert told[ConditionType.BRICKS_READY] == (State.UNKNOWN, short)
    assert told[ConditionType.QUORATE][0] is State.TRUE


NOT_A_LOSS = [
    Bug("a mistake"),
    Transient(Reason.API_SERVER, "the Secret could not be read"),
    Transient(Reason.NAME_NOT_RESOLVED, "no DNS"),
    Transient(Reason.HOST_BUSY, "too many logins"),
    Transient(Reason.OUTPUT_NOT_UNDERSTOOD, "noise"),
    NeedsUser(Reason.NO_ROOT, "sudo refuses"),
    NeedsUser(Reason.CREDENTIALS_MISSING, "no Secret"),
]


@pytest.mark.parametrize("failure", NOT_A_LOSS, ids=lambda f: f.reason.value)
def test_who_could_not_be_asked_or_refuses_is_not_called_lost(site: RuledSite, failure: Failure) -> None:
    hosts = {**site.observe(), "node2": failure}
    report = report_volume(site.volumes["vmstore"], site.view, hosts, site.ask_pool())
    told = {c.type: (c.state, c.reason) for c in report.conditions}
    assert told[ConditionType.DEGRADED] == told[ConditionType.BRICKS_READY] == (State.UNKNOWN, Reason.NOT_OBSERVED)
    whole = report_site(site.site, site.view, hosts)
    assert next(c.state for c in whole.conditions if c.type is ConditionType.N_PLUS_ONE) is State.UNKNOWN


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.CONNECTION_LOST])
def test_who_gives_no_sign_of_life_is_lost(site: RuledSite, reason: Reason) -> None:
    hosts = {**site.observe(), "node2": Transient(reason, "no answer")}
    report = report_volume(site.volumes["vmstore"], site.view, hosts, site.ask_pool())
    told = {c.type: (c.state, c.reason) for c in report.conditions}
    assert told[ConditionType.DEGRADED] == (State.TRUE, Reason.PEER_DISCONNECTED)
    whole = report_site(site.site, site.view, hosts)
    assert next(c.state for c in whole.conditions if c.type is ConditionType.N_PLUS_ONE) is State.FALSE


@pytest.mark.parametrize(
    ("lost", "quorate"),
    [(("node2",), State.TRUE), (("node1", "node2"), State.UNKNOWN), (("node1", "node2", "node3"), State.UNKNOWN)],
)
def test_nodes_that_are_lost_before_the_pool_answers_are_told_on_what_it_said_last(
    site: RuledSite, lost: tuple[str, ...], quorate: State
) -> None:
    hosts = {**site.observe(), **{node: Transient(Reason.UNREACHABLE, "no answer") for node in lost}}
    pool = without_nodes(site.ask_pool(), lost, site.view, hosts)
    report = report_volume(site.volumes["vmstore"], site.view, hosts, pool)
    told = {c.type: c.state for c in report.conditions}
    assert told[ConditionType.QUORATE] is quorate
    assert told[ConditionType.BRICKS_READY] is State.FALSE
    assert told[ConditionType.DEGRADED] is State.TRUE
    assert told[ConditionType.HEALED] is State.UNKNOWN
    whole = report_site(site.site, site.view, hosts)
    assert next(c.state for c in whole.conditions if c.type is ConditionType.N_PLUS_ONE) is State.FALSE


def test_a_node_whose_object_cannot_be_understood_is_not_called_lost(site: RuledSite) -> None:
    nodes = {name: node for name, node in site.nodes.items() if name != "node2"}
    view = SiteView.holding([site.site, *nodes.values(), *site.volumes.values()], unread=[("Node", "node2")])
    hosts = {name: facts for name, facts in site.observe().items() if name in nodes}
    report = report_volume(site.volumes["vmstore"], view, hosts, site.ask_pool())
    assert next(c.state for c in report.conditions if c.type is ConditionType.DEGRADED) is State.UNKNOWN
    whole = report_site(site.site, view, hosts)
    assert next(c.state for c in whole.conditions if c.type is ConditionType.N_PLUS_ONE) is State.UNKNOWN


def test_before_glusterd_notices_a_dead_node_the_site_knows_it_by_ssh(site: RuledSite) -> None:
    """glusterd hangs on a peer that died without a word; the heal count's own connections tell who serves."""
    pool = site.ask_pool()
    site.gluster.power_cut("node2")
    site.look_again()
    hosts = site.observe()
    assert isinstance(pool, Known)
    stuck = replace(pool.value, status={name: Unknown("volume status did not answer in time") for name in VOLUMES})
    heal = stuck.heal["vmstore"]
    assert isinstance(heal, Known)
    lost = {k: Unknown("not connected") if "node2" in k else v for k, v in heal.value.pending.items()}
    stuck = replace(stuck, heal={**stuck.heal, "vmstore": Known(replace(heal.value, pending=lost, split_brain=lost))})
    volume = site.volumes["vmstore"]
    report = report_volume(volume, site.view, hosts, Known(stuck))
    states = {c.type: c.state for c in report.conditions}
    assert states[ConditionType.DEGRADED] is State.TRUE
    assert states[ConditionType.QUORATE] is State.TRUE
    assert states[ConditionType.BRICKS_READY] is State.FALSE


def test_split_brain_is_reported_and_never_resolved(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].bricks[0].split_brain = 2
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.SPLIT_BRAIN
    assert said(site, ConditionType.HEALED)[:2] == (State.FALSE, Reason.SPLIT_BRAIN)


def test_no_configuration_while_versions_differ(site: RuledSite) -> None:
    change_option(site)
    packages = site.machines["node2"].host.packages
    packages["glusterfs-server"] = "12.0-1"
    plan = site.plan_of("vmstore")
    assert SetVolumeOptions not in verbs(plan)
    differ = next(p for p in pending(plan) if p.reason is Reason.VERSIONS_DIFFER)
    assert "node2 12.0" in differ.message


def test_no_configuration_while_a_node_is_out(site: RuledSite) -> None:
    change_option(site)
    site.gluster.power_cut("node3")
    assert verbs(site.plan_of("vmstore")) == []


def test_sharding_is_never_switched_on_a_volume_that_may_hold_data(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].options["features.shard"] = "off"
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.IMMUTABLE_DIFFERENCE


def test_another_brick_list_is_never_changed(site: RuledSite) -> None:
    volume = site.gluster.volumes["vmstore"]
    volume.bricks[1].path = "/gluster_bricks/other/brick1/brick"
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.TOPOLOGY_DIFFERS
    assert "/gluster_bricks/other/brick1/brick on node2 is there and not declared" in plan.message


def test_a_volume_that_vanished_is_not_made_again(site: RuledSite) -> None:
    del site.gluster.volumes["vmstore"]
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.TOPOLOGY_DIFFERS
    assert "is gone" in plan.message


def test_a_namesake_is_not_taken_for_the_volume(site: RuledSite) -> None:
    site.gluster.volumes["vmstore"].id = "00000000-0000-4000-8000-000000000000"
    plan = site.plan_of("vmstore")
    assert isinstance(plan, Blocked)
    assert plan.reason is Reason.TOPOLOGY_DIFFERS
    report = site.report_of("vmstore")
    assert State.TRUE not in {c.state for c in report.conditions if c.type is not ConditionType.CAPACITY}
    assert site.status_of("vmstore").volume_id == site.volumes["vmstore"].status.volume_id, "the record stays"


def test_a_brick_that_is_lost_is_not_replaced_by_an_empty_one(site: RuledSite) -> None:
    site.gluster.kill_brick("vmstore", "node2")
    machine = site.machines["node2"]
    machine.storage.mounts.pop("/gluster_bricks/vmstore")
    del machine.storage.volumes["vgdisk1", "vmstore"]
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    assert any(p.reason is Reason.BRICK_LOST and "node2" in p.message for p in pending(plan))


def test_an_empty_brick_without_a_mark_is_lost_and_nothing_is_started_by_force(site: RuledSite) -> None:
    """A start by force would mark it, and Gluster's own check would be gone."""
    folder = site.machines["node2"].storage.folder(BRICK)
    assert folder is not None
    folder.volume_id, folder.entries = "", 0
    site.gluster.kill_brick("vmstore", "node2")
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == (), plan
    assert any(p.reason is Reason.BRICK_LOST and "node2" in p.message for p in pending(plan))
    lose_self_heal(site)
    assert steps_of(site.plan_of("vmstore")) == (), "that is a start by force too"
    assert folder.volume_id == ""


@pytest.mark.parametrize("where", ["its process runs there", "its folder holds something", "its folder is marked"])
def test_a_brick_on_the_root_filesystem_is_not_mounted_over(site: RuledSite, where: str) -> None:
    volume = site.gluster.volumes["vmstore"]
    machine = site.machines["node2"]
    machine.storage.mounts.pop("/gluster_bricks/vmstore")
    machine.units["gluster_bricks-vmstore.mount"].active = "inactive"
    mark = "" if where == "its folder holds something" else volume.id
    machine.storage.on_root[BRICK] = Folder(mark, entries=int(where != "its folder is marked"))
    if where != "its process runs there":
        site.gluster.kill_brick("vmstore", "node2")
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == (), plan
    told = next(p for p in pending(plan) if p.reason is Reason.BRICK_ON_ROOT)
    assert isinstance(told, Blocked)
    assert "node2" in told.message
    stop(site)
    machine.storage.on_root[BRICK] = Folder(volume.id, entries=1)
    assert StartVolume not in verbs(site.plan_of("vmstore")), "it would be started there"


def test_each_host_starts_its_own_missing_brick(site: RuledSite) -> None:
    site.gluster.kill_brick("vmstore", "node2")
    (step,) = steps_of(site.plan_of("vmstore"))
    assert isinstance(step, RestartBricks)
    assert step.host == "node2"


def test_maintenance_leaves_bricks_alone(site: RuledSite) -> None:
    node = site.nodes["node2"]
    site.nodes["node2"] = node.model_copy(update={"spec": node.spec.model_copy(update={"maintenance": True})})
    site.gluster.kill_brick("vmstore", "node2")
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    assert any("maintenance" in p.message for p in pending(plan))


def test_a_locked_volume_is_unknown_and_waits(site: RuledSite) -> None:
    site.gluster.locked = "vmstore"
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    assert said(site, ConditionType.STARTED)[0] is State.TRUE, "volume info needs no transaction"


def test_an_existing_volume_is_adopted_without_a_step(site: RuledSite) -> None:
    for name, volume in site.volumes.items():
        site.volumes[name] = volume.model_copy(update={"status": type(volume.status)()})
    effects = len(site.effects)
    site.settle()
    assert len(site.effects) == effects
    assert site.volumes["vmstore"].status.volume_id == site.gluster.volumes["vmstore"].id


def test_everything_unknown_is_said_and_nothing_is_planned(site: RuledSite) -> None:
    for node in site.nodes:
        site.gluster.power_cut(node)
    plan = site.plan_of("vmstore")
    assert steps_of(plan) == ()
    states = {c.type: c.state for c in site.report_of("vmstore").conditions}
    assert State.TRUE not in {s for t, s in states.items() if t is not ConditionType.DEGRADED}
    assert states[ConditionType.DEGRADED] is State.TRUE, "the hosts are known to be out"
    assert site.status_of("vmstore").volume_id, "what was recorded stays"


def test_thin_pools_that_fill_up_are_told(site: RuledSite) -> None:
    placement = place(site.view)["vmstore"]
    assert isinstance(placement, Placement)
    hosts = site.observe()
    facts = hosts["node1"]
    assert isinstance(facts, HostFacts)
    assert isinstance(facts.logical_volumes, Known)
    as_found = facts.logical_volumes.value

    def filled(data: float | None, metadata: float) -> State:
        volumes = tuple(replace(v, data_percent=data, metadata_percent=metadata) if v.is_pool else v for v in as_found)
        seen = {**hosts, "node1": replace(facts, logical_volumes=Known(volumes))}
        return capacity_condition("vmstore", placement.bricks, seen).state

    assert filled(10.0, 10.0) is State.TRUE
    assert filled(80.0, 10.0) is State.FALSE
    assert filled(10.0, 50.0) is State.FALSE
    assert filled(None, 10.0) is State.UNKNOWN


def raise_size(site: RuledSite, size: str) -> None:
    volume = site.volumes["vmstore"]
    site.volumes["vmstore"] = volume.model_copy(update={"spec": volume.spec.model_copy(update={"size": size})})


def test_a_size_that_was_raised_makes_every_brick_grow(site: RuledSite) -> None:
    raise_size(site, "60Gi")
    assert verbs(site.plan_of("vmstore")) == [ExtendThinPool, GrowBrick, ExtendThinPool, GrowBrick]
    site.settle()
    assert site.failures == []
    assert isinstance(site.plan_of("vmstore"), Converged)
    sizes = {n: m.storage.volumes["vgdisk1", "vmstore"].size for n, m in site.machines.items() if n != "node3"}
    assert sizes == {"node1": 60 * 2**30, "node2": 60 * 2**30}


def test_a_brick_without_room_to_grow_is_looked_after_all_the_same(site: RuledSite) -> None:
    """The declared volume fits the disks; somebody else took the room in the meantime."""
    storage = site.machines["node1"].storage
    storage.volumes["vgdisk1", "theirs"] = SimVolume("vgdisk1", "theirs", free(storage, storage.groups["vgdisk1"]))
    raise_size(site, "60Gi")
    site.gluster.kill_brick("vmstore", "node1")
    site.look_again()
    plan = site.plan_of("vmstore")
    assert RestartBricks in verbs(plan)
    assert Reason.DOES_NOT_FIT in [p.reason for p in pending(plan)]
