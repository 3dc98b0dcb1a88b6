"""The loop of these tests, and the API server that it is given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from heretic.api.v1alpha1.common import CommonStatus
from heretic.domain.plan import (
    Plan,
)
from heretic.domain.report import Report
from heretic.reconcile import kinds
from heretic.reconcile.kinds import Kind, Observed
from sim.world import MemoryApi
from unit.reconcile.loop_parts import DATA, Loop, Parts


@pytest.fixture
def api() -> MemoryApi:
    api = MemoryApi()
    api.apply({"kind": "Site", "metadata": {"name": "demo"}, "spec": {}})
    for number in (1, 2, 3):
        api.apply({"kind": "Node", "metadata": {"name": f"node{number}"}, "spec": {"address": f"192.0.2.{number}"}})
    spec = {"purpose": "VirtualMachines", "size": "10Gi"}
    api.apply({"kind": "GlusterVolume", "metadata": {"name": "data"}, "spec": spec})
    return api


@pytest.fixture
def loop(api: MemoryApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Loop]:
    def build(plan: Callable[[], Plan], **more: Any) -> Loop:
        parts = Parts(plan, **more)

        async def observe(*_: object) -> Observed:
            return Observed({})

        rules = Kind(
            observe,
            lambda *_: parts.plan(),
            lambda *_: parts.plan(),
            lambda *_: Report(CommonStatus(), parts.conditions, frozenset(), "fine"),
            tuple(condition.type for condition in parts.conditions),
        )
        monkeypatch.setitem(cast("dict[str, Kind]", kinds.RULES), DATA.kind, rules)
        return Loop(parts, api, tmp_path / "stop")

    return build
