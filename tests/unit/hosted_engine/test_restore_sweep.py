"""A restore is disturbed in every way, one after the other: each is done once, and by a person's word alone."""

from itertools import count

from heretic.domain.hosted_engine.deploy_steps import job_name
from heretic.reconcile.gateway import Effect
from sim.oracles import approve
from sim.struck import Disturbance, Replies, disturb, strikes
from sim.world import Recorder
from unit.hosted_engine.deploying import KEY, Deployment, spec
from unit.hosted_engine.test_restore import APPROVE, FILE, ONE, dies, lived, server, site
from unit.hosted_engine.test_restore import approve as approve_first

__all__ = ["server", "site"]


@strikes("RestoreEngine")
async def test_an_engine_that_died_is_restored_once_each_time(site: Deployment) -> None:
    await site.run()
    assert site.says("Ready")["status"] == "True"
    numbers = count(1)

    async def go() -> None:
        approve(site.world, KEY, next(numbers))
        await site.run(1)

    def replies(effect: Effect) -> Replies:
        return site.world.site.servers[effect.target].faults

    made: list[str] = []
    for number, how in enumerate(Disturbance, 1):
        restore = f"flood{number}"
        dies(site)
        site.world.api.apply(spec(site.server, restore={"id": restore, "file": FILE}))
        await disturb(site.world, "RestoreEngine", how, go=go, replies=replies)
        for _ in range(6):
            await go()
        made.append(job_name(1, 1, restore))
        assert (site.starts[1:], site.first.cleaned) == (made, number), (how, site.world.describe())
        assert site.status["deployment"]["restored"] == restore, how
        assert site.says("Ready")["status"] == "True", (how, site.world.describe())


class Withdraws(Recorder):
    """Takes the approval back in the last moment, once, which the watch does not tell."""

    def __init__(self, site: Deployment) -> None:
        super().__init__()
        self._site = site

    async def before(self, effect: Effect) -> None:
        first = "RestoreEngine" not in [one.verb for one in self.effects]
        await super().before(effect)
        if effect.verb == "RestoreEngine" and first:
            self._site.world.late = True
            self._site.world.api.patch(KEY, annotations={APPROVE: None})


async def test_an_approval_that_is_withdrawn_in_the_last_moment_restores_nothing(site: Deployment) -> None:
    await lived(site)
    await approve_first(site)
    await site.world.kill_operator()
    withdraws = Withdraws(site)
    await site.world.start_operator(withdraws)
    await site.run(3)
    assert "RestoreEngine" in [effect.verb for effect in withdraws.effects]
    site.world.late = False
    await site.run(2)
    assert (site.starts[1:], site.first.cleaned) == ([], 0)
    assert site.says("Stalled")["reason"] == "WaitingForApproval"
    approve(site.world, KEY, 1)
    await site.run()
    assert (site.starts[1:], site.first.cleaned) == ([ONE], 1)
    assert site.says("Ready")["status"] == "True", site.world.describe()


async def test_a_restore_that_is_no_longer_declared_is_not_tried_again(site: Deployment) -> None:
    await lived(site)
    site.first.backup_fails = True
    await approve_first(site)
    await site.run(1)
    assert site.starts[1:] == [ONE]
    site.world.api.patch(KEY, annotations={APPROVE: None})
    site.world.api.apply(spec(site.server))
    await site.run(4)
    assert (site.starts[1:], site.first.cleaned) == ([ONE], 1)
