"""An engine on real machines: three Ready nodes and a volume, on which one could be deployed.

oVirt's role and its runner are a stand-in on the machines, the engine is simulated on this one. The storage, the
network between the machines and all that Heretic does are real.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from lab.engine import FQDN, LabEngine
from lab.node import Node
from lab.shell import timed
from lab.spec import DiskSpec, Ext4, NodeSpec, SiteSpec
from lab.stack import Stack

pytestmark = [pytest.mark.timeout(3600), pytest.mark.long]

FIRST = "node1"
STORE = "vmstore"
PASSWORD = "a password of the engine"
UNITS = "heretic-engine-deploy-*"
RESYNC = 75.0
"""Longer than the resync interval."""

DATA = DiskSpec(name="data1", size="300G")
TEMPORARY = DiskSpec(name="vartmp", size="40G", contents=Ext4(label="vartmp", files={}))
"""Room for the machine in which the engine is set up first: a filesystem of its own, as oVirt Node has it."""


@pytest.fixture(scope="module")
def spec() -> SiteSpec:
    """The first node has memory for the engine's machine; the third is weaker."""
    first = NodeSpec(disks=(DATA, TEMPORARY), memory_mib=5120)
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
    """The example of a self-hosted engine, with as little memory as one may have, and the Secret that it names."""

    def change(obj: dict[str, Any]) -> None:
        if obj["kind"] == "HostedEngine":
            obj["spec"]["selfHosted"]["virtualMachine"]["memory"] = "4Gi"

    account = {"username": "admin@internal", "password": PASSWORD}
    meta = {"name": "heretic-engine", "namespace": stack.namespace}
    kind = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth"}
    stack.apply(json.dumps(kind | {"metadata": meta, "stringData": account}))
    stack.apply(stack.manifests("self-hosted-engine", change))


def settle(stack: Stack, seconds: float = 1200) -> None:
    stack.wait("every object Ready", stack.ready, seconds=seconds)


def first(stack: Stack) -> Node:
    return stack.site.nodes[FIRST]


def at_work(stack: Stack) -> list[str]:
    """Deployments that run now."""
    listed = first(stack).ssh(f"systemctl list-units --plain --no-legend --state=active '{UNITS}'").stdout
    return [line.split()[0] for line in listed.splitlines()]


def engine_is(stack: Stack, state: str, reason: str) -> bool:
    found = stack.condition("hostedengine", "engine", "EngineUp")
    return (found.get("status"), found.get("reason")) == (state, reason)


def test_what_is_in_the_way_is_told_all_at_once_and_nothing_begins(stack: Stack, engine: LabEngine) -> None:
    before = len(stack.effects())
    apply_engine(stack)
    stack.wait("the name is missed", lambda: engine_is(stack, "False", "EngineNameWrong"), seconds=300)
    said = stack.condition("hostedengine", "engine", "EngineUp")["message"]
    assert f"{FIRST} cannot resolve {FQDN}" in said
    assert f"firewalld of {FIRST} is inactive" in said
    for fine in ("/var/tmp", "memory", "GlusterVolume", "ovirtmgmt"):
        assert fine not in said
    assert stack.condition("hostedengine", "engine", "Stalled")["status"] == "True"
    time.sleep(RESYNC)
    assert [e["verb"] for e in stack.effects()[before:]] == []
    assert at_work(stack) == []
