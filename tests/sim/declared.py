"""Declared sites for tables of tests."""

from collections.abc import Mapping
from typing import Any

from heretic.api.v1alpha1 import GlusterVolume, Network, Node, Site
from heretic.domain.declared.view import SiteView
from sim.site_rules import resource

GIB = 2**30
INSPECTED = {"type": "Inspected", "status": "True", "observedGeneration": 1, "reason": "AsDeclared"}
CONFIGURED = INSPECTED | {"type": "Configured"}


def disk(name: str, size: int = 200 * GIB, **more: Any) -> dict[str, Any]:
    return {"id": f"wwn-{name}", "sizeBytes": size, "sectorBytes": 512} | more


def node(
    name: str,
    number: int,
    *,
    disks: list[dict[str, Any]] | None = None,
    facts: Mapping[str, Any] | None = None,
    conditions: list[dict[str, Any]] | None = None,
    interfaces: list[dict[str, Any]] | None = None,
    **spec: Any,
) -> Node:
    status = {
        "disks": [disk(name)] if disks is None else disks,
        "facts": {"memory": "16Gi", "cpus": 8} | dict(facts or {}),
        "conditions": [INSPECTED, CONFIGURED] if conditions is None else conditions,
        "interfaces": interfaces or [],
    }
    declared = {"address": f"172.20.10.{number}", "roles": ["Storage"]} | spec
    found: Node = resource(Node, name, declared, status)
    return found


def site(storage: Mapping[str, Any] | None = None, **spec: Any) -> Site:
    found: Site = resource(Site, "site", spec, {"storage": dict(storage)} if storage else None)
    return found


def network(name: str, role: str, subnet: str, **spec: Any) -> Network:
    found: Network = resource(Network, name, {"role": role, "subnet": subnet} | spec)
    return found


def volume(name: str, status: Mapping[str, Any] | None = None, **spec: Any) -> GlusterVolume:
    found: GlusterVolume = resource(GlusterVolume, name, {"purpose": "VirtualMachines", "size": "40Gi"} | spec, status)
    return found


def view(
    nodes: list[Node],
    *,
    sites: list[Site] | None = None,
    networks: list[Network] | None = None,
    volumes: list[GlusterVolume] | None = None,
) -> SiteView:
    return SiteView.holding([*([site()] if sites is None else sites), *nodes, *(networks or []), *(volumes or [])])


def three(**spec: Any) -> list[Node]:
    return [node(f"n{i}", 10 + i, **spec) for i in (1, 2, 3)]
