import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from heretic.api.v1alpha1.common import CommonStatus
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.gluster.kind import GLUSTER_VOLUME
from heretic.domain.report import Report
from heretic.domain.site.kind import SITE
from heretic.kinds import KINDS
from heretic.reconcile import metrics
from heretic.reconcile.audit import AuditLog
from heretic.reconcile.backoff import Backoff
from heretic.reconcile.gateway import API_SERVER, Effect, Gateway
from heretic.reconcile.schedule import phase


def test_waits_double_up_to_a_limit_and_start_again() -> None:
    backoff = Backoff(lambda: 0.0)
    assert [backoff.failed() for _ in range(8)] == [2, 4, 8, 16, 32, 64, 120, 120]
    backoff.worked()
    assert backoff.failed() == 2


def test_jitter_takes_up_to_a_fifth_off() -> None:
    backoff = Backoff(lambda: 0.999999)
    assert 1.59 < backoff.failed() < 1.61


EFFECT = Effect("Node/demo/node1", 3, "node1", "WriteFile", why="missing", changed_by="kubectl at noon")


class Recorder:
    def __init__(self) -> None:
        self.seen: list[str] = []

    async def before(self, effect: Effect) -> None:
        self.seen.append(f"before {effect.verb}")

    async def after(self, effect: Effect) -> None:
        self.seen.append(f"after {effect.verb}")


def audit(path: Path) -> AuditLog:
    return AuditLog(path / "audit" / "log.jsonl", now=lambda: datetime(2026, 1, 1, tzinfo=UTC))


async def test_an_effect_is_audited_with_who_what_why_and_outcome(tmp_path: Path) -> None:
    faults = Recorder()
    gateway = Gateway(audit(tmp_path), monotonic=lambda: 1.0, faults=faults)

    async def action() -> int:
        faults.seen.append("action")
        return 7

    assert await gateway.perform(EFFECT, action, lambda n: f"Done {n}") == 7
    assert faults.seen == ["before WriteFile", "action", "after WriteFile"]
    line = json.loads((tmp_path / "audit/log.jsonl").read_text())
    assert line["outcome"] == "Done 7"
    assert line["changed_by"] == "kubectl at noon"
    assert line["why"] == "missing"
    assert (tmp_path / "audit/log.jsonl").stat().st_mode & 0o777 == 0o600


async def test_an_effect_that_is_cut_off_is_audited_as_interrupted(tmp_path: Path) -> None:
    class DiedError(BaseException):
        pass

    async def action() -> None:
        raise DiedError

    with pytest.raises(DiedError):
        await Gateway(audit(tmp_path), monotonic=lambda: 1.0).perform(EFFECT, action, lambda _: "Done")
    assert json.loads((tmp_path / "audit/log.jsonl").read_text())["outcome"] == "Interrupted"


async def test_standard_output_is_written_to_and_not_opened_again(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> int:
        raise PermissionError("in a container it is a pipe of another user")

    with monkeypatch.context() as patched:
        patched.setattr("os.open", denied)
        log = AuditLog(Path("/dev/stdout"), now=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    async def action() -> None:
        return None

    await Gateway(log, monotonic=lambda: 1.0).perform(EFFECT, action, lambda _: "Done")
    log.close()
    assert json.loads(capfd.readouterr().out)["verb"] == "WriteFile"


async def test_writes_to_the_api_server_are_counted_and_not_audited(tmp_path: Path) -> None:
    async def action() -> None:
        return None

    effect = Effect("Node/demo/node1", 3, API_SERVER, "WriteStatus")
    await Gateway(audit(tmp_path), monotonic=lambda: 1.0).perform(effect, action, lambda _: "Done")
    assert (tmp_path / "audit/log.jsonl").read_text() == ""


async def test_a_node_called_kubernetes_is_audited_as_any_other(tmp_path: Path) -> None:
    async def action() -> None:
        return None

    effect = Effect("Node/demo/kubernetes", 3, "kubernetes", "ConfigureTime")
    await Gateway(audit(tmp_path), monotonic=lambda: 1.0).perform(effect, action, lambda _: "Done")
    assert json.loads((tmp_path / "audit/log.jsonl").read_text())["target"] == "kubernetes"


def test_the_gauges_of_an_object_go_with_it() -> None:
    def shown() -> set[str]:
        samples = (sample for metric in metrics.every() for family in metric.collect() for sample in family.samples)
        return {sample.name for sample in samples if "gone" in sample.labels.values()}

    up = Condition(ConditionType.REACHABLE, State.TRUE, Reason.AS_DECLARED, "")
    metrics.show(KINDS["Node"], "demo", "gone", Report(CommonStatus(), (up,), frozenset()))
    metrics.show(GLUSTER_VOLUME, "demo", "gone", Report(GlusterVolumeStatus(heal_pending="3"), (), frozenset()))
    assert shown() == {"heretic_host_reachable", "heretic_bricks_up", "heretic_heal_pending"}
    unknown = GlusterVolumeStatus(heal_pending="unknown")
    metrics.show(GLUSTER_VOLUME, "demo", "gone", Report(unknown, (), frozenset()))
    assert shown() == {"heretic_host_reachable", "heretic_bricks_up"}
    for kind in (GLUSTER_VOLUME, KINDS["Node"], KINDS["Node"], SITE):
        metrics.forget(kind, "demo", "gone")
    assert shown() == set()


def test_sites_come_due_at_different_times_and_each_always_at_the_same() -> None:
    phases = [phase(f"site{number}") for number in range(100)]
    assert phases == [phase(f"site{number}") for number in range(100)]
    assert len({round(p, 1) for p in phases}) == 11
    assert all(0 <= p < 1 for p in phases)
