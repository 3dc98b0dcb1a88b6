"""heretic approve: only the plan that is pending, only once, only after a person saw it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from heretic.api.v1alpha1 import GlusterVolume, Node
from heretic.cli import approve
from heretic.cli.options import Exit, Where
from heretic.domain.errors import HereticError

STEP = {
    "verb": "DeleteVolume",
    "target": "node1",
    "risk": "Destructive",
    "arguments": {"volume": "vmstore"},
    "why": "the object is being deleted with deletionPolicy Destroy",
}


def volume(generation: int = 3, seen: int = 3, **plan: Any) -> dict[str, Any]:
    status: dict[str, Any] = {"observedGeneration": seen, "plan": {"hash": "abc", "steps": [STEP], **plan}}
    return {"metadata": {"name": "vmstore", "namespace": "demo", "generation": generation}, "status": status}


class FakeCluster:
    """Gives the object as it is at each read, and notes annotations."""

    def __init__(self, *reads: dict[str, Any] | None) -> None:
        self.reads = list(reads)
        self.annotations: list[tuple[str, str, str, dict[str, str | None]]] = []

    async def read(self, plural: str, namespace: str, name: str) -> dict[str, Any] | None:
        return self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]

    async def annotate(self, plural: str, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        self.annotations.append((plural, namespace, name, dict(annotations)))


def use(monkeypatch: pytest.MonkeyPatch, cluster: FakeCluster) -> FakeCluster:
    @asynccontextmanager
    async def connected(where: Where) -> AsyncIterator[FakeCluster]:
        yield cluster

    monkeypatch.setattr(approve, "connected", connected)
    return cluster


PENDING = volume(needsApproval=True)


class TestPending:
    @pytest.mark.parametrize(
        ("obj", "digest", "said"),
        [
            (volume(), "", "has no plan that waits for approval"),
            ({"metadata": {"name": "vmstore"}}, "", "has no plan that waits for approval"),
            (volume(generation=4, needsApproval=True), "", "was made for an older spec"),
            (volume(needsApproval=True), "def", "waits for the approval of plan abc, not of def"),
        ],
        ids=["none", "never seen", "older spec", "another plan"],
    )
    def test_is_refused(self, obj: dict[str, Any], digest: str, said: str) -> None:
        with pytest.raises(HereticError) as error:
            approve.pending("GlusterVolume", obj, digest)
        assert said in error.value.failure.message

    @pytest.mark.parametrize("digest", ["", "abc"])
    def test_is_found(self, digest: str) -> None:
        assert approve.pending("GlusterVolume", PENDING, digest)["hash"] == "abc"


class TestTarget:
    @pytest.mark.parametrize("kind", ["glustervolume", "GlusterVolume", "glustervolumes", "gvol"])
    def test_any_name_of_a_kind(self, kind: str) -> None:
        assert approve.parse_target(f"{kind}/vmstore") == (GlusterVolume, "vmstore")

    def test_another_kind(self) -> None:
        assert approve.parse_target("hnode/node1") == (Node, "node1")

    @pytest.mark.parametrize("target", ["vmstore", "gvol/", "/vmstore", "pod/vmstore"])
    def test_what_is_none(self, target: str) -> None:
        with pytest.raises(HereticError, match="is not KIND/NAME"):
            approve.parse_target(target)


class TestRun:
    async def run(self, digest: str = "", *, yes: bool = False) -> Exit:
        return await approve.run(Where(namespace="demo"), "gvol/vmstore", digest, yes=yes, no_color=True)

    async def test_with_hash_and_yes(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        cluster = use(monkeypatch, FakeCluster(PENDING))
        assert await self.run("abc", yes=True) is Exit.OK
        ((*place, given),) = cluster.annotations
        assert place == ["glustervolumes", "demo", "vmstore"]
        assert str(given["hvp.ovirt.life/approve"]).startswith("abc."), "a new word each time"
        shown = capsys.readouterr().out
        assert "1 step, 1 Destructive" in shown
        assert "DeleteVolume on node1 (volume=vmstore)" in shown
        assert "because the object is being deleted" in shown

    @pytest.mark.parametrize(("typed", "approved"), [("vmstore", True), ("yes", False), ("", False)])
    async def test_by_typing_the_name(self, monkeypatch: pytest.MonkeyPatch, typed: str, approved: bool) -> None:
        cluster = use(monkeypatch, FakeCluster(PENDING))
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda _: typed)
        if approved:
            await self.run()
        else:
            with pytest.raises(HereticError, match="not approved"):
                await self.run()
        assert bool(cluster.annotations) is approved

    async def test_a_plan_that_changes_under_the_reader_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cluster = use(monkeypatch, FakeCluster(PENDING, volume(needsApproval=True, hash="def")))
        with pytest.raises(HereticError, match="waits for the approval of plan def"):
            await self.run("abc", yes=True)
        assert cluster.annotations == []

    async def test_nobody_there_to_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cluster = use(monkeypatch, FakeCluster(PENDING))
        monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
        with pytest.raises(HereticError, match="give the hash of the plan and --yes"):
            await self.run()
        assert cluster.annotations == []

    async def test_yes_without_a_hash_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cluster = use(monkeypatch, FakeCluster(PENDING))
        with pytest.raises(HereticError, match="needs the hash"):
            await self.run(yes=True)
        assert cluster.annotations == []

    async def test_an_object_that_does_not_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use(monkeypatch, FakeCluster(None))
        with pytest.raises(HereticError, match="GlusterVolume vmstore does not exist in namespace demo"):
            await self.run()
