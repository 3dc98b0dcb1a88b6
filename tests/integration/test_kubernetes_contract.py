"""From apply to Ready and on, as kubectl, kstatus and GitOps tools see it (rule:unknown-until-seen)."""

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from heretic.cluster.lease import RENEW_EVERY
from integration.operator_process import RESYNC, RunningSite, is_ready, running_site
from kstatus import Health, kstatus
from lab.apiproxy import ApiProxy
from lab.apirequest import WRITES, ApiRequest
from lab.controlplane import ControlPlane
from sim.blank_site import API, Object, declared

OURS = frozenset({"sites", "networks", "nodes", "glustervolumes"})
CALM_RESYNCS = 4
MEMORY_MIB = 120
"""What it may have resident with a site of three hosts (docs/explanation/performance.md)."""


class Watcher:
    """Sees every version of every object of a namespace, and adds it to a list."""

    def __init__(self, control_plane: ControlPlane, namespace: str, seen: list[Object]) -> None:
        self._seen = seen
        self._processes = [
            subprocess.Popen(
                [
                    str(control_plane.binaries.kubectl),
                    f"--kubeconfig={control_plane.kubeconfig}",
                    *("get", "--raw", f"/apis/{API}/namespaces/{namespace}/{kind}?watch=1"),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for kind in sorted(OURS)
        ]
        self._threads = [threading.Thread(target=self._read, args=(p,), daemon=True) for p in self._processes]
        for thread in self._threads:
            thread.start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._seen.append(json.loads(line)["object"])

    def stop(self) -> None:
        for process, thread in zip(self._processes, self._threads, strict=True):
            process.kill()
            thread.join()
            if process.stdout is not None:
                process.stdout.close()
            process.wait()


@pytest.fixture(scope="module")
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with ApiProxy(control_plane) as running:
        yield running


@pytest.fixture(scope="module")
def seen() -> list[Object]:
    """Every version of every object until now."""
    return []


@pytest.fixture(scope="module")
def site(
    control_plane: ControlPlane, proxy: ApiProxy, seen: list[Object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """A site that was blank, and that an operator has made Ready under the eyes of a watcher."""
    with running_site(control_plane, tmp_path_factory.mktemp("contract")) as running:
        watcher = Watcher(control_plane, running.namespace, seen)
        try:
            running.apply()
            waited = running.kubectl("wait", "--for=condition=Ready", "--timeout=1s", "hvp", "--all", check=False)
            assert "timed out waiting" in waited, waited
            running.start_operator(proxy=proxy)
            running.wait_ready()
            yield running
        finally:
            watcher.stop()


def writes(proxy: ApiProxy) -> list[ApiRequest]:
    """What was written to objects of ours, and events."""
    return [r for r in proxy.requests if r.verb in WRITES and r.resource in OURS | {"events"}]


def calm(seconds: float) -> None:
    """The test is about nothing happening for a while, so there is nothing to wait for."""
    time.sleep(seconds)


def test_kubectl_wait_returns_for_a_site_that_is_ready(site: RunningSite) -> None:
    waited = site.kubectl("wait", "--for=condition=Ready", "--timeout=30s", "hvp", "--all")
    assert waited.count("condition met") == len(site.objects()) == 8
    assert site.hosts.refusals == []
    assert site.hosts.destroyed_twice() == []


def test_the_spec_that_was_observed_is_named(site: RunningSite) -> None:
    for obj in site.objects():
        generation = obj["metadata"]["generation"]
        assert obj["status"]["observedGeneration"] == generation
        assert {c["observedGeneration"] for c in obj["status"]["conditions"]} == {generation}


def test_kstatus_holds_at_every_moment(site: RunningSite, seen: list[Object]) -> None:
    healths: dict[str, list[Health]] = {}
    for obj in list(seen):
        status = obj.get("status") or {}
        conditions = {c["type"]: c for c in status.get("conditions") or []}
        name = f"{obj['kind']}/{obj['metadata']['name']}"
        shown = json.dumps(conditions, indent=1)
        health = kstatus(obj)
        healths.setdefault(name, []).append(health)
        assert not {"Reconciling", "Stalled"} <= conditions.keys(), f"{name} is both:\n{shown}"
        if health is Health.CURRENT:
            assert status["observedGeneration"] == obj["metadata"]["generation"], name
            assert conditions["Ready"]["status"] == "True", f"{name} is Current and not Ready:\n{shown}"
    assert len(healths) == 8
    for name, course in healths.items():
        assert course[0] is Health.IN_PROGRESS, f"{name} was {course[0]} before anybody had looked"
        assert Health.CURRENT in course, name
        assert Health.FAILED not in course, f"{name} was called Failed on the way: {course}"


def test_kubectl_diff_shows_nothing_after_apply(site: RunningSite) -> None:
    done = site.control_plane.kubectl(
        "diff", "--server-side", "--namespace", site.namespace, "-f", "-", input=site.manifests(), check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_second_apply_changes_nothing(site: RunningSite, proxy: ApiProxy) -> None:
    before = {o["metadata"]["uid"]: o["metadata"]["resourceVersion"] for o in site.objects()}
    effects = len(site.hosts.effects)
    site.apply()
    site.apply()
    calm(RESYNC)
    assert {o["metadata"]["uid"]: o["metadata"]["resourceVersion"] for o in site.objects()} == before
    assert len(site.hosts.effects) == effects


def test_nothing_is_written_and_done_in_a_calm_site(site: RunningSite, proxy: ApiProxy) -> None:
    scripts = sum(server.scripts for server in site.hosts.servers.values())
    effects = len(site.hosts.effects)
    proxy.reset()
    began = time.monotonic()
    calm(CALM_RESYNCS * RESYNC)
    looked = sum(server.scripts for server in site.hosts.servers.values()) - scripts
    assert looked >= CALM_RESYNCS - 1, "the operator must have looked in that time"
    written = [r for r in proxy.requests if r.verb in WRITES]
    renewals = [r for r in written if r.resource == "leases" and r.name == "heretic-operator"]
    assert [f"{r.verb} {r.path} {r.body[:2000]!r}" for r in written if r not in renewals] == []
    assert len(renewals) <= (time.monotonic() - began) / RENEW_EVERY + 1
    assert len(site.hosts.effects) == effects
    assert site.operator_runs()


def test_objects_bear_no_annotation_that_their_user_did_not_set(site: RunningSite) -> None:
    declared = {(o["kind"], o["metadata"]["name"]): o["metadata"].get("annotations") for o in site.hosts.objects()}
    borne = {(o["kind"], o["metadata"]["name"]): o["metadata"].get("annotations") for o in site.objects()}
    assert borne == declared


def test_the_operator_is_small(site: RunningSite) -> None:
    assert site.operator_memory() < MEMORY_MIB


def test_a_forced_look_has_no_effect(site: RunningSite, proxy: ApiProxy) -> None:
    effects = len(site.hosts.effects)
    proxy.reset()
    site.kubectl("annotate", "hvp", "--all", "hvp.ovirt.life/look-again=now", "--overwrite")
    calm(RESYNC)
    assert [r.path for r in writes(proxy) if r.subresource == "status"] == []
    assert len(site.hosts.effects) == effects
    assert site.ready()


def test_events_tell_transitions_and_each_once(site: RunningSite) -> None:
    events: list[dict[str, Any]] = json.loads(site.kubectl("get", "events", "-o", "json"))["items"]
    ready = {e["involvedObject"]["name"] for e in events if e["message"].startswith("Ready:") and e["type"] == "Normal"}
    assert {"demo", "node1", "node2", "node3", "engine", "vmstore"} <= ready
    told = Counter(
        (e["involvedObject"]["uid"], e["type"], e["reason"], e["message"]) for e in events if e["involvedObject"]["uid"]
    )
    assert [what for what, times in told.items() if times > 1] == [], "the same event must be one with a count"
    per_object = Counter((e["involvedObject"]["kind"], e["involvedObject"]["name"]) for e in events)
    assert max(per_object.values()) <= 20, per_object


def test_an_object_that_cannot_be_made_is_called_failed(site: RunningSite) -> None:
    effects = len(site.hosts.effects)
    site.apply([declared("GlusterVolume", "huge", {"purpose": "VirtualMachines", "size": "900Ti"})])
    site.wait("the volume is Failed", lambda: kstatus(site.get("gvol/huge")) is Health.FAILED)
    stalled = site.condition("gvol/huge", "Stalled")
    assert stalled["reason"] == "DoesNotFit"
    assert "node1" in stalled["message"]
    waited = site.kubectl("wait", "--for=condition=Stalled", "--timeout=10s", "gvol/huge")
    assert "condition met" in waited
    site.kubectl("delete", "gvol/huge", "--timeout=60s")
    site.wait_ready()
    assert len(site.hosts.effects) == effects


def test_a_changed_spec_is_never_current_before_it_was_observed(site: RunningSite, seen: list[Object]) -> None:
    site.patch("gvol/vmstore", {"options": [{"name": "network.ping-timeout", "value": "25"}]})
    site.wait("the option is set", lambda: site.hosts.pool.volumes["vmstore"].options["network.ping-timeout"] == "25")
    site.wait_ready()
    versions = [o for o in list(seen) if o["metadata"]["name"] == "vmstore" and o["metadata"]["generation"] == 2]
    assert versions
    assert kstatus(versions[0]) is Health.IN_PROGRESS
    assert all(is_ready(o) for o in versions if kstatus(o) is Health.CURRENT)
