"""An engine on real machines: from three Ready nodes and a volume one manifest deploys it, and keeps the site in it.

oVirt's role and its runner are a stand-in on the machines, the engine is simulated on this one. The job, the storage,
the firewall, the network between them and all that Heretic does are real. The tests are one story, in this order.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import yaml

from e2e.test_main_job import kill_brick
from heretic.domain.hosted_engine.deploy_steps import job_name
from lab.engine import FQDN, LabEngine, install_firewall
from lab.node import Node
from lab.shell import timed
from lab.spec import DiskSpec, Ext4, NodeSpec, SiteSpec
from lab.stack import Stack, is_ready
from sim.engine.hosts import find_again, lose
from sim.engine.state import named

pytestmark = [pytest.mark.timeout(3600), pytest.mark.long]

FIRST, LOST, OUT = "node1", "node2", "node3"
STORE = "vmstore"
PASSWORD = "a password of the engine"
UNITS = "heretic-engine-deploy-*"
RESYNC = 75.0
"""Longer than the resync interval."""

PATIENCE = 900.0
"""Emulated machines take minutes, where others work beside them, for what takes seconds elsewhere."""

TWICE = 60.0
"""Between the two looks that find a site whole, before a host is taken out."""

DATA = DiskSpec(name="data1", size="300G")
TEMPORARY = DiskSpec(name="vartmp", size="40G", contents=Ext4(label="vartmp", files={}))
"""Room for the machine in which the engine is set up first: a filesystem of its own, as oVirt Node has it."""


@pytest.fixture(scope="module")
def spec() -> SiteSpec:
    """The first node has memory and processors for a deployment; the third is weaker."""
    first = NodeSpec(disks=(DATA, TEMPORARY), memory_mib=5120, cpus=2)
    return SiteSpec(nodes=(first, NodeSpec(disks=(DATA,)), NodeSpec(disks=(DiskSpec(name="data1", size="150G"),))))


@pytest.fixture(scope="module")
def engine(stack: Stack) -> Iterator[LabEngine]:
    """Three Ready nodes with their volumes, and an engine that could be deployed there; the operator runs."""
    made = LabEngine(stack.site, shares=(STORE,))
    stack.site.nodes[FIRST].ssh(
        "echo 'LABEL=vartmp /var/tmp ext4 defaults 0 2' >>/etc/fstab && systemctl daemon-reload && mount /var/tmp && "
        "chmod 1777 /var/tmp"
    )
    with made.deployable(seconds=5):
        stack.apply(site_of(stack))
        stack.start_operator()
        with timed("three nodes and two volumes become Ready"):
            settle(stack, 1800)
        yield made
        stack.kill_operator()
        assert made.server.engine.refused == []


def site_of(stack: Stack) -> str:
    """The example of three nodes, as hypervisors, without its share; the engine's volume is large enough."""

    def change(obj: dict[str, Any]) -> None:
        if obj["kind"] == "Node":
            obj["spec"]["roles"] = ["Hypervisor", "Storage"]
        elif obj["metadata"]["name"] == "engine":
            obj["spec"]["size"] = "80Gi"
        elif obj["metadata"]["name"] == STORE:
            obj["spec"]["storageDomain"] = {}

    objects = yaml.safe_load_all(stack.manifests("three-node", change))
    return yaml.safe_dump_all([obj for obj in objects if obj["metadata"]["name"] != "share"])


def apply_engine(stack: Stack) -> None:
    """The example of a self-hosted engine, with as little memory as one may have, and the Secret that it names.

    Without its backups: they are made on the engine's machine, which does not run here.
    """

    def change(obj: dict[str, Any]) -> None:
        if obj["kind"] == "HostedEngine":
            obj["spec"]["selfHosted"]["virtualMachine"]["memory"] = "4Gi"
            del obj["spec"]["backup"]

    account = {"username": "admin@internal", "password": PASSWORD}
    meta = {"name": "heretic-engine", "namespace": stack.namespace}
    kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth"}
    stack.apply(json.dumps(kind | {"metadata": meta, "stringData": account}))
    objects = yaml.safe_load_all(stack.manifests("self-hosted-engine", change))
    stack.apply(yaml.safe_dump_all([obj for obj in objects if obj["metadata"]["name"] != "backups"]))


def settle(stack: Stack, seconds: float = 1200) -> None:
    stack.wait("every object Ready", stack.ready, seconds=seconds)


def first(stack: Stack) -> Node:
    return stack.site.nodes[FIRST]


@contextmanager
def mounted(node: Node, volume: str) -> Iterator[None]:
    """A volume is mounted inside the `with`."""
    node.ssh(f"mount -t glusterfs {FIRST}.gluster.private:/{volume} /mnt", timeout=300)
    try:
        yield
    finally:
        node.ssh("umount /mnt", timeout=300)


def patch(stack: Stack, kind: str, name: str, **spec: Any) -> None:
    stack.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps({"spec": spec}))


def look_again(stack: Stack) -> None:
    """What a person does who does not want to wait for the next resync."""
    stack.kubectl("annotate", "hvp", "--all", "--overwrite", f"hvp.ovirt.life/reconcile-requested-at={time.time()}")


def done(stack: Stack, verb: str) -> list[dict[str, Any]]:
    """Effects of a kind that were not refused, not needed or lost."""
    return [e for e in stack.effects() if e["verb"] == verb and e["outcome"].split(":")[0] in ("Done", "Started")]


def at_work(stack: Stack) -> list[str]:
    """Deployments that run now."""
    listed = first(stack).ssh(f"systemctl list-units --plain --no-legend --state=active '{UNITS}'").stdout
    return [line.split()[0] for line in listed.splitlines()]


def runs(stack: Stack) -> int:
    """How often the role ran, by the logs that it left."""
    return len(first(stack).ssh("ls /var/log/ovirt-hosted-engine-setup").stdout.split())


def machines(stack: Stack) -> list[str]:
    return first(stack).ssh("virsh -r list --all --name").stdout.split()


def written(stack: Stack) -> bool:
    """Whether a storage domain lies in the engine's volume, by its brick on the first node."""
    path = next(b["path"] for b in stack.get("gvol", "engine")["status"]["bricks"] if b["node"] == FIRST)
    return bool(first(stack).ssh(f"find {path} -mindepth 1 -maxdepth 1 ! -name '.*'").stdout)


def kill_deployment(stack: Stack) -> None:
    """With all that it has started, as the kernel does that has no memory left."""
    first(stack).ssh(f"systemctl kill --signal=KILL '{UNITS}'")


def engine_is(stack: Stack, state: str, reason: str) -> bool:
    found = stack.condition("hostedengine", "engine", "EngineUp")
    return (found.get("status"), found.get("reason")) == (state, reason)


def test_what_is_in_the_way_is_told_all_at_once_and_nothing_begins(stack: Stack, engine: LabEngine) -> None:
    before = len(stack.effects())
    apply_engine(stack)
    stack.wait("the name is missed", lambda: engine_is(stack, "False", "NameNotResolved"), seconds=PATIENCE)
    said = stack.condition("hostedengine", "engine", "EngineUp")["message"]
    assert f"{FIRST} cannot resolve {FQDN}" in said
    assert f"firewalld of {FIRST} is inactive" in said
    for fine in ("/var/tmp", "memory", "GlusterVolume", "ovirtmgmt"):
        assert fine not in said
    assert stack.condition("hostedengine", "engine", "Stalled")["status"] == "True"
    time.sleep(RESYNC)
    assert [e["verb"] for e in stack.effects()[before:]] == []
    assert at_work(stack) == []


def test_a_deployment_that_dies_half_way_with_the_operator_is_cleaned_up_and_tried_once_more(
    stack: Stack, engine: LabEngine
) -> None:
    with timed("installing firewalld", expect="1 min"):
        install_firewall(first(stack))
    engine.name_it()
    engine.hold("Execute engine-setup")
    look_again(stack)
    with timed("until the temporary machine of the first try is there"):
        stack.wait("there is a temporary machine", lambda: "HostedEngineLocal" in machines(stack), seconds=PATIENCE)
    stack.kill_operator()
    assert at_work(stack) == [job_name(1, 1)], "it runs on without an operator"
    kill_deployment(stack)
    assert at_work(stack) == []
    engine.hold("Copy local VM disk")
    stack.start_operator()
    with timed("until the second try has begun"):
        stack.wait("it is tried again", lambda: at_work(stack) == [job_name(1, 2)], seconds=PATIENCE)
    stack.wait("that is written down", lambda: len(done(stack, "DeployEngine")) == 2, seconds=PATIENCE)
    assert len(done(stack, "CleanAfterFailedDeployment")) == 1


def test_nothing_is_deployed_over_what_a_deployment_has_begun_to_write(stack: Stack, engine: LabEngine) -> None:
    stack.wait("a domain lies on the volume", lambda: written(stack), seconds=PATIENCE)
    kill_deployment(stack)
    stack.wait("it is told", lambda: engine_is(stack, "False", "EngineVolumeNotEmpty"), seconds=PATIENCE)
    patch(stack, "hostedengine", "engine", selfHosted={"attempt": 2})
    before = len(stack.effects())
    time.sleep(RESYNC)
    assert engine_is(stack, "False", "EngineVolumeNotEmpty"), "not by another attempt either"
    assert [e["verb"] for e in stack.effects()[before:]] == []
    assert (runs(stack), engine.announced, written(stack)) == (2, [], True)


def test_one_manifest_brings_up_the_engine_with_hosts_storage_and_networks(stack: Stack, engine: LabEngine) -> None:
    node = first(stack)
    with mounted(node, "engine"):
        node.ssh("find /mnt -mindepth 1 -maxdepth 1 ! -name '.*' -exec rm -r {} +")
    node.ssh("ovirt-hosted-engine-cleanup -q")
    engine.hold("")
    look_again(stack)
    with timed("until the third try has begun"):
        stack.wait("it is tried", lambda: at_work(stack) == [job_name(2, 1)], seconds=PATIENCE)
    with timed("the deployment"):
        stack.wait("a stage is told", lambda: stage(stack) not in ("", "failed", "begun"), seconds=PATIENCE)
        stack.kill_operator()
        stack.wait("it ends by itself", lambda: at_work(stack) == [], seconds=PATIENCE)
    stack.start_operator()
    with timed("from a deployed engine to every object Ready"):
        stack.wait("the engine is Ready", lambda: is_ready(stack.get("hostedengine", "engine")), seconds=PATIENCE)
        settle(stack)
    assert (runs(stack), len(engine.announced), len(done(stack, "DeployEngine"))) == (3, 1, 3)
    addresses = {name: made.address for name, made in stack.site.nodes.items()}
    assert {host.name: host.address for host in engine.state.hosts.values()} == addresses
    domains = {domain.name: domain.storage.path for domain in engine.state.storage_domains.values()}
    assert domains == {"hosted_storage": "/engine", STORE: f"/{STORE}"}
    assert named(engine.state.networks, "gluster") is not None
    status = stack.get("hostedengine", "engine")["status"]
    assert status["deployment"] == {"firstNode": FIRST, "stage": "deployed", "percent": 100}
    assert status["engineId"] == engine.state.instance_id
    kept = node.ssh(f"grep -rlF '{PASSWORD}' /run /etc /var/log /var/lib/heretic /root", check=False).stdout
    assert kept == "", "nothing keeps the password"


def stage(stack: Stack) -> str:
    return str((stack.get("hostedengine", "engine")["status"].get("deployment") or {}).get("stage", ""))


def test_a_forced_resync_does_nothing_on_hosts_and_writes_nothing_to_the_engine(
    stack: Stack, engine: LabEngine
) -> None:
    effects, writes, requests = len(stack.effects()), len(engine.writes), len(engine.server.engine.requests)
    apply_engine(stack)
    look_again(stack)
    time.sleep(RESYNC)
    assert stack.ready()
    assert stack.effects()[effects:] == []
    assert engine.writes[writes:] == []
    assert len(engine.server.engine.requests) > requests, "it was looked at"


def maintenance(stack: Stack, *, on: bool) -> None:
    patch(stack, "hnode", OUT, maintenance=on)


def is_refused(stack: Stack, engine: LabEngine, why: str) -> None:
    """The host stays, for longer than the resync interval, and it is told why."""
    writes, effects = len(engine.writes), len(stack.effects())
    maintenance(stack, on=True)

    def told() -> bool:
        found = stack.condition("hnode", OUT, "Maintenance")
        known = (found.get("status"), found.get("reason")) == ("False", "MaintenanceUnsafe")
        refused = stack.condition("hnode", OUT, "Ready")["message"].startswith(f"{OUT} is not taken out of service: ")
        return known and why in found["message"] and refused

    stack.wait(f"{OUT} is not taken out: {why}", told, seconds=PATIENCE)
    time.sleep(RESYNC)
    assert told()
    assert engine.writes[writes:] == []
    assert [e["verb"] for e in stack.effects()[effects:] if OUT in e["target"]] == []
    host = named(engine.state.hosts, OUT)
    assert host is not None
    assert engine.state.lives[host.id].status(engine.state.now()).value == "up"


def goes_out(stack: Stack) -> bool:
    return stack.condition("hnode", OUT, "Maintenance").get("status") == "True"


def test_a_host_stays_while_a_heal_is_pending_and_goes_once_it_is_over(stack: Stack, engine: LabEngine) -> None:
    patch(stack, "gvol", STORE, mode="Observe")  # so that nobody starts the brick again
    with mounted(first(stack), STORE):
        kill_brick(stack.site.nodes[LOST])
        first(stack).ssh("dd if=/dev/urandom of=/mnt/missed bs=1M count=24 conv=fsync status=none")
    is_refused(stack, engine, "entries wait to be healed")
    begun, allowed = len(done(stack, "DeactivateHost")), time.time()
    patch(stack, "gvol", STORE, mode=None)
    with timed("heal, two looks, and the host is in maintenance"):
        stack.wait(f"{OUT} is in maintenance", lambda: goes_out(stack), seconds=PATIENCE)
    (deactivated,) = done(stack, "DeactivateHost")[begun:]
    assert moment(deactivated) - allowed > TWICE
    stack.site.nodes[OUT].ssh("systemctl stop glusterd; pkill glusterfsd; pkill -x glusterfs; true")  # as vdsm does
    maintenance(stack, on=False)
    with timed("back from maintenance, with bricks and heal"):
        settle(stack)
    assert not stack.get("hnode", OUT)["status"].get("outOfService")


def moment(effect: dict[str, Any]) -> float:
    return datetime.fromisoformat(effect["time"]).timestamp()


def test_a_host_stays_while_another_one_is_out_and_goes_once_that_is_back(stack: Stack, engine: LabEngine) -> None:
    stack.site.nodes[LOST].power_cut()
    lose(engine.state, LOST)
    is_refused(stack, engine, LOST)
    begun = len(done(stack, "DeactivateHost"))
    with timed("the other host is back, and the host is in maintenance"):
        stack.site.nodes[LOST].power_on()
        find_again(engine.state, LOST)
        stack.wait(f"{OUT} is in maintenance", lambda: goes_out(stack), seconds=PATIENCE)
    assert len(done(stack, "DeactivateHost")[begun:]) == 1
    maintenance(stack, on=False)
    settle(stack)
