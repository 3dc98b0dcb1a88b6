"""A site of one node, for tests of what its Node plans."""

from typing import Any

from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import (
    FileContent,
    HostFacts,
)
from heretic.domain.node.plan import plan_node
from heretic.domain.plan import Blocked, Plan, Proceed, Wait
from heretic.kinds import KINDS
from sim.one_host import OneHost, site_resource, volume_resource

CHOSEN = {"nodes": ["node1"], "dataDiskCount": 1}


VOLUMES = (volume_resource("engine", "Engine", "20Gi"), volume_resource("vmstore", "VirtualMachines", "40Gi"))


def one_host(**more: Any) -> OneHost:
    plain: dict[str, Any] = {"site": site_resource(CHOSEN), "volumes": VOLUMES}
    return OneHost(**(plain | more))


def settle(host: OneHost, passes: int = 10) -> Plan:
    for _ in range(passes):
        plan = host.run_pass()
        if not isinstance(plan, Proceed | Wait):
            return plan
    return plan


def pending(plan: Plan) -> dict[Reason, str]:
    found = plan.pending if isinstance(plan, Proceed) else (plan,)
    return {o.reason: o.message for o in found if isinstance(o, Wait | Blocked)}


def plan_host(host: OneHost, facts: HostFacts) -> Plan:
    return plan_node(host.node, host.view, facts, KINDS.features)


def text(content: str) -> Known[FileContent]:
    return Known(FileContent(content, "0" * 64, "0644"))
