"""``heretic approve``: a person lets one plan that can destroy data or cut something off through, after seeing it."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from heretic.api.v1alpha1 import Resource
from heretic.cli import render
from heretic.cli.declared import connected
from heretic.cli.errors import fail
from heretic.cli.kubeconfig import namespace_of
from heretic.cli.options import Exit, Where
from heretic.domain.approval import names
from heretic.kinds import KINDS
from heretic.reconcile.gates import APPROVE
from heretic.reconcile.publish import MAX_STEPS

if TYPE_CHECKING:
    from rich.console import Console

Object = Mapping[str, Any]


async def run(where: Where, target: str, digest: str, *, yes: bool, no_color: bool) -> Exit:
    """Shows the pending plan, asks, and approves it.

    Args:
        where: Which cluster and namespace.
        target: KIND/NAME.
        digest: Hash of the plan that is meant; empty = the one that is shown.
        yes: Whether not to ask.
        no_color: Whether the user wants no colours.

    Raises:
        HereticError: No approval is waited for, another plan is pending, or the answer was no.
    """
    kind, name = parse_target(target)
    if yes and not digest:
        raise fail(
            "--yes approves without looking, so it needs the hash of the plan: heretic approve KIND/NAME HASH -y"
        )
    namespace = where.namespace or namespace_of(where.kubeconfig, where.context)
    async with connected(where) as cluster:
        obj = await cluster.read(kind.PLURAL, namespace, name)
        if obj is None:
            raise fail(f"{kind.KIND} {name} does not exist in namespace {namespace}")
        plan = pending(kind.KIND, obj, digest)
        console = render.console(no_color=no_color, width=render.SCREEN)
        show(console, kind.KIND, obj, plan)
        if not yes:
            _ask(name, plan)
        fresh = await cluster.read(kind.PLURAL, namespace, name)
        pending(kind.KIND, fresh or {}, str(plan["hash"]))
        word = f"{plan['hash']}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        await cluster.annotate(kind.PLURAL, namespace, name, {APPROVE: word})
    print(f"Approved plan {plan['hash']} of {kind.KIND} {name}; it is carried out once, by the next pass.")
    return Exit.OK


def parse_target(target: str) -> tuple[type[Resource], str]:
    """Reads KIND/NAME, where the kind may be its plural or a short name, in any case.

    Raises:
        HereticError: It is not of that form, or there is no such kind.
    """
    kind, slash, name = target.partition("/")
    known = {n.lower(): k for k in KINDS.models for n in (k.KIND, k.PLURAL, *k.SHORT_NAMES)}
    if not slash or not name or kind.lower() not in known:
        raise fail(f"{target!r} is not KIND/NAME with a kind out of {', '.join(KINDS)}")
    return known[kind.lower()], name


def pending(kind: str, obj: Object, digest: str) -> Object:
    """The plan of an object that waits for approval.

    Args:
        kind: Of the object.
        obj: As stored.
        digest: Hash of the plan that is meant; empty = whichever is pending.

    Raises:
        HereticError: No approval is waited for, the plan is of an older spec, or it is another one.
    """
    status: Object = obj.get("status") or {}
    meta: Object = obj.get("metadata") or {}
    title = f"{kind} {meta.get('name', '')}".strip()
    plan: Object = status.get("plan") or {}
    if not plan.get("needsApproval"):
        raise fail(f"{title} has no plan that waits for approval")
    if int(status.get("observedGeneration", -1)) != int(meta.get("generation") or 0):
        raise fail(f"the plan of {title} was made for an older spec; wait until the operator has seen the new one")
    if digest and digest != plan.get("hash"):
        raise fail(f"{title} waits for the approval of plan {plan.get('hash')}, not of {digest}: look at it again")
    return plan


def show(console: "Console", kind: str, obj: Object, plan: Object) -> None:
    """Prints what an approval lets through; what needs none is left out."""
    stored: Sequence[Object] = plan.get("steps") or []
    steps = [s for s in stored if s.get("needsApproval")] or stored
    destructive = [s for s in steps if s.get("risk") == "Destructive"]
    name = obj["metadata"]["name"]
    for used in (obj.get("status") or {}).get("approvals") or []:
        if names(str(used.get("word")), str(plan["hash"])):
            console.print(f"It was approved before, at {used.get('at')}, and that approval was used up.")
    head = f"Plan {plan['hash']} of {kind} {name}: {render.count(len(steps), 'step')}, {len(destructive)} Destructive"
    console.print(render.styled((head, render.HEAD)))
    if len(stored) >= MAX_STEPS:
        console.print(f"Only the first {MAX_STEPS} steps are stored and shown; heretic plan shows all of them.")
    for number, step in enumerate(steps, 1):
        style = render.BAD if step in destructive else ""
        arguments = ", ".join(f"{k}={v}" for k, v in (step.get("arguments") or {}).items() if v)
        text = f"{step.get('verb')} on {step.get('target')}" + (f" ({arguments})" if arguments else "")
        line = render.styled(f"{number:>2}. ", (f"{step.get('risk', ''):<12}", style), text)
        console.print(*render.paragraph(console, line, 2), sep="\n")
        if step.get("why"):
            because = render.styled((f"because {step['why']}", render.DIM))
            console.print(*render.paragraph(console, because, 18), sep="\n")


def _ask(name: str, plan: Object) -> None:
    """Lets a person type the object's name."""
    destroys = any(s.get("risk") == "Destructive" for s in plan.get("steps") or [])
    if not sys.stdin.isatty():
        raise fail("nobody is there to answer: give the hash of the plan and --yes")
    print("\nThis can destroy data and cannot be undone." if destroys else "\nThis interrupts a service.")
    if input(f"Type {name} to approve: ").strip() != name:
        raise fail("not approved")
