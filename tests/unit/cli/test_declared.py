"""Where the declared objects come from, and what manifests laid over a cluster amount to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from heretic.cli import declared as subject
from heretic.cli.declared import declared
from heretic.cli.options import Where
from heretic.domain.errors import HereticError, Reason, Transient
from heretic.kinds import KINDS
from heretic.reconcile.store import Key

API = "hvp.ovirt.life/v1alpha1"


def obj(kind: str, name: str, spec: Mapping[str, Any], **extra: Any) -> dict[str, Any]:
    metadata = {"name": name, **extra.pop("metadata", {})}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": dict(spec), **extra}


def stored(kind: str, name: str, spec: Mapping[str, Any], **status: Any) -> dict[str, Any]:
    meta = {"namespace": "demo", "uid": f"uid-{name}", "generation": 4, "resourceVersion": "70"}
    return obj(kind, name, spec, metadata=meta, status=status)


class FakeCluster:
    def __init__(self, *objects: dict[str, Any], down: bool = False) -> None:
        self.objects = objects
        self.down = down

    async def list(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        if self.down:
            raise HereticError(Transient(Reason.API_SERVER, "no answer from the API server: refused"))
        return [
            o
            for o in self.objects
            if plural == KINDS[o["kind"]].model.PLURAL and o["metadata"]["namespace"] == namespace
        ]

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        return {"ssh-privatekey": b"of the cluster"}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(*objects: dict[str, Any], down: bool = False) -> None:
        @asynccontextmanager
        async def connected(where: Where) -> AsyncIterator[FakeCluster]:
            yield FakeCluster(*objects, down=down)

        monkeypatch.setattr(subject, "connected", connected)
        monkeypatch.setattr(subject, "is_configured", lambda _: True)

    return use


def write(folder: Path, *objects: dict[str, Any]) -> list[str]:
    (folder / "m.yaml").write_text(yaml.safe_dump_all(objects))
    return [str(folder / "m.yaml")]


HERE = Where(namespace="demo")
SITE = obj("Site", "demo", {})


class TestWithoutManifests:
    async def test_the_objects_of_the_namespace(self, cluster: Any) -> None:
        cluster(stored("Site", "demo", {}), stored("Node", "node1", {"address": "10.0.0.1"}))
        async with declared(HERE, [], None, offline=False) as found:
            assert {k.name for k in found.store.keys("demo")} == {"demo", "node1"}
            assert await found.keys.secret("demo", "heretic-ssh") == {"ssh-privatekey": b"of the cluster"}

    async def test_an_empty_namespace_is_told(self, cluster: Any) -> None:
        cluster()
        with pytest.raises(HereticError, match="namespace demo has no objects of Heretic"):
            async with declared(HERE, [], None, offline=False):
                pass

    async def test_an_api_server_that_does_not_answer_is_told(self, cluster: Any) -> None:
        cluster(down=True)
        with pytest.raises(HereticError, match="no answer from the API server"):
            async with declared(HERE, [], None, offline=False):
                pass


class TestManifestsOverACluster:
    async def test_keep_what_is_recorded_and_count_an_edit_as_a_new_generation(
        self, cluster: Any, tmp_path: Path
    ) -> None:
        recorded = {"storage": {"nodes": ["node1"], "arbiter": ""}}
        cluster(stored("Site", "demo", {}, **recorded), stored("Node", "node1", {"address": "10.0.0.1"}))
        files = write(tmp_path, SITE, obj("Node", "node1", {"address": "10.0.0.2"}))
        async with declared(HERE, files, None, offline=False) as found:
            view = found.store.view("demo")
        assert found.notes == ()
        assert view.site is not None
        assert view.site.status.storage is not None
        assert (view.site.metadata.uid, view.site.metadata.generation) == ("uid-demo", 4)
        node = view.nodes["node1"]
        assert (node.spec.address, node.metadata.uid, node.metadata.generation) == ("10.0.0.2", "uid-node1", 5)

    async def test_a_default_that_is_not_written_is_no_edit(self, cluster: Any, tmp_path: Path) -> None:
        cluster(stored("Site", "demo", {"paused": False, "deletionPolicy": "Orphan"}))
        async with declared(HERE, write(tmp_path, SITE), None, offline=False) as found:
            held = found.store.get(Key("Site", "demo", "demo"))
        assert held is not None
        assert held.raw["metadata"]["generation"] == 4

    async def test_objects_that_only_the_cluster_has_are_there_too(self, cluster: Any, tmp_path: Path) -> None:
        cluster(stored("Node", "node1", {"address": "10.0.0.1"}))
        async with declared(HERE, write(tmp_path, SITE), None, offline=False) as found:
            assert {k.kind for k in found.store.keys("demo")} == {"Site", "Node"}

    async def test_a_cluster_that_does_not_answer_is_done_without_and_told(self, cluster: Any, tmp_path: Path) -> None:
        cluster(down=True)
        async with declared(HERE, write(tmp_path, SITE), None, offline=False) as found:
            assert {k.kind for k in found.store.keys("demo")} == {"Site"}
        assert len(found.notes) == 1
        assert "going by the files alone" in found.notes[0]

    async def test_offline_asks_nobody(self, cluster: Any, tmp_path: Path) -> None:
        cluster(stored("Node", "node1", {"address": "10.0.0.1"}), down=True)
        async with declared(HERE, write(tmp_path, SITE), None, offline=True) as found:
            assert {k.kind for k in found.store.keys("demo")} == {"Site"}
        assert found.notes == ()


class TestKeys:
    async def test_the_user_s_file_comes_first(self, cluster: Any, tmp_path: Path) -> None:
        cluster()
        (tmp_path / "id").write_text("-----BEGIN OPENSSH PRIVATE KEY-----")
        files = write(tmp_path, SITE)
        async with declared(HERE, files, str(tmp_path / "id"), offline=False) as found:
            key = await found.keys.secret("demo", "heretic-ssh")
        assert key == {"ssh-privatekey": b"-----BEGIN OPENSSH PRIVATE KEY-----"}

    async def test_then_the_manifests_then_the_cluster(self, cluster: Any, tmp_path: Path) -> None:
        cluster()
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "heretic-ssh"}, "stringData": {"a": "b"}}
        async with declared(HERE, write(tmp_path, SITE, secret), None, offline=False) as found:
            assert await found.keys.secret("demo", "heretic-ssh") == {"a": b"b"}
            assert await found.keys.secret("demo", "other") == {"ssh-privatekey": b"of the cluster"}


async def test_manifests_without_our_objects_are_told(tmp_path: Path) -> None:
    files = write(tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}})
    with pytest.raises(HereticError, match="no objects of Heretic in"):
        async with declared(HERE, files, None, offline=True):
            pass
