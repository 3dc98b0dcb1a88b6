"""Folders hold at most what is declared; what nobody declared stays as it is; and what is told of limits."""

from typing import Any

import pytest

from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.kind import Assessment
from heretic.domain.plan import Blocked, Converged
from heretic.domain.shares.limit_facts import FolderSpace, parse_spaces
from heretic.domain.shares.limit_steps import LimitFolder
from unit.shares.cluster_model import VOLUME, FileServers

GIB = 2**30
HOMES = "/gluster/shares/unixshare/homes"
TOLD = "/gluster/shares/win|4096|66053021|53622079\n/gluster/shares/win/homes|4096|2560|0\n"
"""Of Gluster 11.1 in Debian 13: a volume, and a folder that holds more than its limit of 10 MiB."""


def folders(quota: str = "", **more: Any) -> list[dict[str, Any]]:
    return [{"name": "homes", **({"quota": quota} if quota else {}), **more}]


def degraded(found: Assessment) -> Condition:
    return next(c for c in found.report.conditions if c.type is ConditionType.DEGRADED)


def declare(site: FileServers, quota: str) -> None:
    spec = FileServers(folders=folders(quota)).share.spec
    site.share = site.share.model_copy(update={"spec": spec})


@pytest.fixture
def site() -> FileServers:
    """One whose folder may hold 10 GiB."""
    made = FileServers(folders=folders("10Gi"))
    made.run()
    made.steps.clear()
    return made


@pytest.mark.parametrize(
    ("output", "fact"),
    [
        (
            Output(0, TOLD, ""),
            Known(
                {
                    "/gluster/shares/win": FolderSpace(4096, 66053021, 53622079),
                    "/gluster/shares/win/homes": FolderSpace(4096, 2560, 0),
                }
            ),
        ),
        (Output(0, "", ""), Known({})),
        (Output(0, "/gluster/shares/a|b|4096|10|3\n", ""), Known({"/gluster/shares/a|b": FolderSpace(4096, 10, 3)})),
    ],
)
def test_what_folders_may_hold_and_hold(output: Output, fact: Fact[Any]) -> None:
    assert parse_spaces(output) == fact


@pytest.mark.parametrize(
    "output", [Output(124, "", ""), Output(1, TOLD, ""), Output(0, "a|0|1|1\n", ""), Output(0, "a|1|1\n", "")]
)
def test_what_was_not_read_is_no_limit_of_nothing(output: Output) -> None:
    assert isinstance(parse_spaces(output), Unknown)


def test_a_folder_gets_its_limit_after_it_is_served_and_only_once(site: FileServers) -> None:
    assert site.limits == {HOMES: 10 * GIB}
    assert isinstance(site.run().plan, Converged)
    assert site.steps == []
    (state,) = site.share.status.folders
    assert (state.name, state.quota, state.used) == ("homes", "10Gi", "0")


@pytest.mark.parametrize(
    ("held", "before", "declared", "then"),
    [
        (0, 10 * GIB, "5Gi", 5 * GIB),
        (0, 10 * GIB, "1.5G", 1_500_000_000),
        (9 * GIB, 10 * GIB, "19Gi", 19 * GIB),
        (0, 3 * GIB, "10Gi", 10 * GIB),
        (0, VOLUME, "10Gi", 10 * GIB),
    ],
    ids=["lowered", "no multiple of a block", "raised", "changed by hand", "folder made anew"],
)
def test_the_limit_of_a_live_folder_becomes_what_is_declared(
    site: FileServers, held: int, before: int, declared: str, then: int
) -> None:
    site.limits[HOMES], site.held[HOMES] = before, held
    declare(site, declared)
    site.run()
    assert site.limits == {HOMES: then}
    assert [step.verb for step in site.steps] == ["LimitFolder"]


def test_a_quota_below_what_the_folder_holds_is_told_and_the_one_before_stays(site: FileServers) -> None:
    site.held[HOMES] = 6 * GIB
    declare(site, "5Gi")
    found = site.run()
    assert isinstance(found.plan, Blocked)
    assert (found.plan.reason, degraded(found).reason) == (Reason.QUOTA_BELOW_USE, Reason.QUOTA_BELOW_USE)
    assert site.limits == {HOMES: 10 * GIB}


@pytest.mark.parametrize("quota", ["20Gi", "1Ti"])
def test_a_quota_that_limits_nothing_is_told(quota: str) -> None:
    found = FileServers(folders=folders(quota)).run()
    assert isinstance(found.plan, Blocked)
    assert found.plan.reason is Reason.INVALID_SPEC
    assert "homes" in found.plan.message


def test_a_full_folder_is_told_and_served_on(site: FileServers) -> None:
    site.held[HOMES] = 11 * GIB
    found = site.run()
    assert site.steps == []
    assert (degraded(found).state, degraded(found).reason) == (State.TRUE, Reason.FOLDER_FULL)
    served = next(c for c in found.report.conditions if c.type is ConditionType.SERVED)
    assert served.state is State.TRUE


def test_a_limit_ends_when_it_is_declared_no_more_and_one_that_people_set_stays(site: FileServers) -> None:
    declare(site, "")
    site.run()
    assert site.limits == {}
    assert site.share.status.folders == []
    site.steps.clear()
    site.limits[HOMES] = 7 * GIB
    site.run()
    assert (site.limits, site.steps) == ({HOMES: 7 * GIB}, [])


def test_limits_are_set_where_gluster_runs() -> None:
    site = FileServers(folders=folders("10Gi"))
    without = [Role.FILE_SERVER]
    site.instead = (site.node("n1", *without),)
    site.run()
    assert [step.target.name for step in site.steps if isinstance(step, LimitFolder)] == ["n2"]
    site = FileServers(folders=folders("10Gi"))
    site.instead = (site.node("n1", Role.STORAGE), site.node("n2", *without), site.node("n3", *without))
    assert degraded(site.run()).reason is Reason.NOT_SUPPORTED
