"""The affinity labels of a host are those that its Node declares."""

import pytest

from sim.engine.messages import HttpRequest
from unit.members.conftest import MemberWorld


def names(site: MemberWorld) -> set[str]:
    return {site.state.affinity_labels[label].name for label, _ in site.state.host_labels}


async def test_labels_are_made_given_and_taken_as_declared(lone: MemberWorld) -> None:
    await lone.until(lone.all_members)
    lone.declare(affinityLabels=["ssd", "licensed"])
    await lone.until(lone.ready)
    assert names(lone) == {"ssd", "licensed"}
    writes = len(lone.writes)
    await lone.rounds(2)
    assert len(lone.writes) == writes
    lone.declare(affinityLabels=["ssd"])
    await lone.rounds(3)
    assert names(lone) == {"ssd"}
    assert len(lone.state.affinity_labels) == 2, "the label itself stays"
    lone.state.host_labels.clear()
    await lone.rounds(3)
    assert names(lone) == {"ssd"}, "it was taken away by hand"


async def test_labels_that_nobody_declared_are_left_alone(lone: MemberWorld) -> None:
    await lone.until(lone.all_members)
    lone.declare(affinityLabels=["ssd"])
    await lone.rounds(3)
    lone.declare(affinityLabels=None)
    before = len(lone.server.engine.requests)
    await lone.rounds(2)
    assert names(lone) == {"ssd"}
    assert not [one for one in lone.server.engine.requests[before:] if one.endswith("/affinitylabels")]


@pytest.mark.parametrize("path", ["/affinitylabels"])
async def test_a_reply_that_is_lost_makes_no_label_twice(lone: MemberWorld, path: str) -> None:
    await lone.until(lone.all_members)

    def adding(request: HttpRequest) -> bool:
        return request.method == "POST" and request.path.endswith(path)

    lone.server.faults.at, lone.server.faults.drop_after = adding, 1
    lone.declare(affinityLabels=["ssd"])
    await lone.until(lone.ready)
    assert names(lone) == {"ssd"}
    assert len(lone.state.affinity_labels) == 1
