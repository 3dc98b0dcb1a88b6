"""The loop of these tests, and the API server that it is given."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume
from heretic.api.v1alpha1.common import CommonStatus
from heretic.domain.gluster.kind import GLUSTER_VOLUME
from heretic.domain.kind import AnyKind, Assessment, Kind
from heretic.domain.plan import Plan
from heretic.domain.report import Report
from sim.world import MemoryApi
from unit.reconcile.loop_parts import Loop, Parts


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
def loop(api: MemoryApi, tmp_path: Path) -> Callable[..., Loop]:
    def build(plan: Callable[[], Plan], **more: Any) -> Loop:
        parts = Parts(plan, **more)

        def assess(*_: object) -> Assessment:
            return Assessment(parts.plan(), Report(CommonStatus(), parts.conditions, frozenset(), "fine"))

        kind: AnyKind = Kind(
            model=GlusterVolume,
            conditions=tuple(condition.type for condition in parts.conditions),
            assess=assess,
            remove=lambda *_: parts.plan(),
            refers_to=GLUSTER_VOLUME.refers_to,
            references=GLUSTER_VOLUME.references,
        )
        return Loop(parts, api, kind, tmp_path / "stop")

    return build
