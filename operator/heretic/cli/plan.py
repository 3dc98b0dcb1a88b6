"""``heretic plan``: what would be done next, with risk and reason; changes nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from heretic.api.quantity import format_bytes
from heretic.api.v1alpha1 import GlusterVolume, Mode, Site
from heretic.api.v1alpha1.node import NodeDisk
from heretic.cli import render
from heretic.cli.declared import declared
from heretic.cli.observe import SiteSight, see
from heretic.cli.options import Exit, Format, Where
from heretic.cli.rehearse import Rehearsed
from heretic.domain import approval
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BrickSpec
from heretic.domain.gluster.placement import Placement, place
from heretic.domain.plan import Blocked, Converged, Plan, Proceed, Risk, Step, Wait, steps_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLE_OF_RISK = {Risk.SAFE: render.GOOD, Risk.DISRUPTIVE: render.PENDING, Risk.DESTRUCTIVE: render.BAD}


async def run(
    where: Where, files: Sequence[str], identity: str | None, output: Format, *, offline: bool, no_color: bool
) -> Exit:
    """Observes, plans and prints.

    Args:
        where: Which cluster and namespace.
        files: Manifests; empty = the objects of the namespace.
        identity: Private key file for all hosts.
        output: Text, or data.
        offline: Whether to leave the cluster alone.
        no_color: Whether the user wants no colours.

    Returns:
        OK when every object is as declared, TO_DO when there is something to do or to wait for, ERROR when a host
        could not be observed, so that the plan is incomplete.
    """
    async with declared(where, files, identity, offline=offline) as source:
        for said in source.notes:
            render.note(said)
        sights = await see(source)
    if output is Format.TEXT:
        console = render.console(no_color=no_color)
        for sight in sights:
            show(console, sight)
    else:
        render.write_data([as_data(sight) for sight in sights], output)
    return exit_status(sights)


def exit_status(sights: Sequence[SiteSight]) -> Exit:
    """Whether there is something to do."""
    if any(sight.unseen for sight in sights):
        return Exit.ERROR
    calm = all(isinstance(entry.outcome.plan, Converged) for sight in sights for entry in sight.objects)
    return Exit.OK if calm else Exit.TO_DO


def obstacles(entry: Rehearsed) -> tuple[Wait | Blocked, ...]:
    """Everything that keeps the object from being as declared; what needs a person comes first."""
    plan = entry.outcome.plan
    found: list[Wait | Blocked] = [plan] if isinstance(plan, Wait | Blocked) else []
    found += plan.pending if isinstance(plan, Proceed) else ()
    found += [entry.outcome.held] if entry.outcome.held else []
    return tuple(sorted(found, key=lambda o: isinstance(o, Wait)))


def show(console: "Console", sight: SiteSight) -> None:
    """Prints one site's plan."""
    nodes = render.count(len(sight.view.nodes), "node")
    volumes = render.count(len(sight.view.of(GlusterVolume)), "volume")
    name = ", ".join(sight.view.of(Site)) or "(none)"
    console.print(render.styled((f"Site {name}", render.HEAD), f" in namespace {sight.namespace}: {nodes}, {volumes}"))
    _show_choices(console, sight)
    number = 1
    for entry in sight.objects:
        console.print()
        number = _show_object(console, entry, number)
    console.print()
    console.print(summary(sight))


def summary(sight: SiteSight) -> str:
    """The plan in one or two sentences."""
    steps = [step for entry in sight.objects for step in steps_of(entry.outcome.plan)]
    waiting = sum(1 for e in sight.objects if any(isinstance(o, Wait) for o in obstacles(e)))
    blocked = sum(1 for e in sight.objects if any(isinstance(o, Blocked) for o in obstacles(e)))
    said = []
    if steps:
        risks = Counter(step.risk for step in steps)
        shares = ", ".join(f"{risks[risk]} {risk.value}" for risk in Risk if risks[risk])
        hosts = render.count(len({step.target for step in steps}), "host")
        said.append(f"{render.count(len(steps), 'step')} can be done now on {hosts} ({shares})")
    if waiting:
        said.append(f"{render.count(waiting, 'object')} {'waits' if waiting == 1 else 'wait'}")
    if blocked:
        said.append(f"{render.count(blocked, 'object')} {'needs' if blocked == 1 else 'need'} a person")
    text = "; ".join(said) or "everything is as declared"
    if sight.unseen:
        text += f"; the plan is incomplete without {', '.join(sight.unseen)}"
    return f"{text[0].upper()}{text[1:]}. Nothing was changed."


def _show_choices(console: "Console", sight: SiteSight) -> None:
    lines = list(_choices(sight))
    if not lines:
        return
    console.print()
    console.print(render.styled(("Choices for this site", render.HEAD)))
    for line in lines:
        _print(console, line, 2)


def _choices(sight: SiteSight) -> Iterator[str]:
    """What was chosen automatically: now for a new site, before for one that has it in its status."""
    storage = sight.view.site.status.storage if sight.view.site else None
    if storage is not None:
        yield f"storage nodes, in order: {', '.join(storage.nodes)}"
        if storage.arbiter:
            yield f"arbiter, which holds names and no data: {storage.arbiter}"
    for node, disk in chosen_disks(sight.view):
        state = "prepared" if disk.prepared else "blank, to be prepared"
        yield f"disk of {node}: {disk.id} ({format_bytes(disk.size_bytes)}) for {disk.volume_group}, {state}"
    for name, placed in placements(sight.view):
        yield f"bricks of {name}: {', '.join(_brick(b) for b in placed.bricks)}"


def chosen_disks(view: SiteView) -> list[tuple[str, NodeDisk]]:
    """The disks that are chosen for bricks, each with its node."""
    return [(name, disk) for name, node in sorted(view.nodes.items()) for disk in node.status.disks if disk.use]


def placements(view: SiteView) -> list[tuple[str, Placement]]:
    """The volumes whose bricks have a known place, by name of the object."""
    return [(name, p) for name, p in sorted(place(view).items()) if isinstance(p, Placement)]


def _brick(brick: BrickSpec) -> str:
    kind = "arbiter" if brick.arbiter else "thin" if brick.thin else "thick"
    return f"{brick.host} {brick.group}/{brick.name} {format_bytes(brick.size)} {kind}"


def _show_object(console: "Console", entry: Rehearsed, number: int) -> int:
    """Prints one object; returns the number of the next step."""
    outcome = entry.outcome
    console.print(render.styled((f"{entry.key.kind} {entry.key.name}", render.HEAD), _mode(entry)))
    if isinstance(outcome.plan, Converged):
        _print(console, render.styled(("nothing to do: ", render.GOOD), outcome.plan.why), 2)
    for step in steps_of(outcome.plan):
        _show_step(console, entry, step, number)
        number += 1
    for obstacle in obstacles(entry):
        head = _head(outcome.plan, obstacle)
        style = render.BAD if isinstance(obstacle, Blocked) else render.PENDING
        _print(console, render.styled((f"{head}: ", style), obstacle.message), 2)
    return number


def _head(plan: Plan, obstacle: Wait | Blocked) -> str:
    if isinstance(obstacle, Blocked):
        return "needs you"
    return "then waits" if isinstance(plan, Proceed) else "waits"


def _mode(entry: Rehearsed) -> str:
    said = [f"mode {entry.outcome.mode.value}"] if entry.outcome.mode is not Mode.APPLY else []
    said += ["paused"] if entry.outcome.paused else []
    said += ["being deleted"] if entry.outcome.removing else []
    if entry.outcome.removing or not said:
        return f" ({', '.join(said)})" if said else ""
    return f" ({', '.join(said)}: shown, not done)"


def _show_step(console: "Console", entry: Rehearsed, step: Step, number: int) -> None:
    risk = (f"{step.risk.value:<12}", STYLE_OF_RISK[step.risk])
    _print(console, render.styled(f"{number:>2}. ", risk, str(step)), 2)
    detail = [f"because {step.why}"]
    if step.declared:
        detail.append(f"covered by the spec: {step.declared}")
    if step in approval.covered(entry.outcome.plan):
        detail.append("needs approval" + _how_to_approve(entry))
    for line in detail:
        _print(console, render.styled((line, render.DIM)), 18)


def _print(console: "Console", content: "Text | str", indent: int) -> None:
    console.print(*render.paragraph(console, content, indent), sep="\n")


def _how_to_approve(entry: Rehearsed) -> str:
    digest = hash_of(entry)
    return f": heretic approve {entry.key.kind.lower()}/{entry.key.name} {digest}" if digest else ""


def hash_of(entry: Rehearsed) -> str:
    """The hash of the object's plan; empty without steps, or before the API server knows the object."""
    meta = entry.resource.metadata if entry.resource else None
    return approval.hash_of(meta.uid, meta.generation, entry.outcome.plan) if meta and meta.uid else ""


def as_data(sight: SiteSight) -> dict[str, object]:
    """The same for programs."""
    storage = sight.view.site.status.storage if sight.view.site else None
    return {
        "namespace": sight.namespace,
        "complete": not sight.unseen,
        "unobserved": [{"node": host, "message": message} for host, message in sight.unseen.items()],
        "choices": {
            "storageNodes": storage.nodes if storage else [],
            "arbiter": storage.arbiter if storage else "",
            "disks": [
                {"node": n, "id": d.id, "use": d.use, "volumeGroup": d.volume_group, "prepared": d.prepared}
                for n, d in chosen_disks(sight.view)
            ],
            "bricks": [
                {
                    "volume": name,
                    "node": b.host,
                    "path": b.path,
                    "volumeGroup": b.group,
                    "sizeBytes": b.size,
                    "thin": b.thin,
                    "arbiter": b.arbiter,
                }
                for name, placed in placements(sight.view)
                for b in placed.bricks
            ],
        },
        "objects": [_object_data(entry) for entry in sight.objects],
    }


def _object_data(entry: Rehearsed) -> dict[str, object]:
    plan = entry.outcome.plan
    return {
        "kind": entry.key.kind,
        "name": entry.key.name,
        "mode": entry.outcome.mode.value,
        "paused": entry.outcome.paused,
        "plan": type(plan).__name__,
        "why": plan.why if isinstance(plan, Converged) else "",
        "hash": hash_of(entry),
        "steps": [
            {
                "verb": step.verb,
                "target": str(step.target),
                "risk": step.risk.value,
                "arguments": step.arguments(),
                "why": step.why,
                "declared": step.declared,
                "needsApproval": step in approval.covered(plan),
            }
            for step in steps_of(plan)
        ],
        "obstacles": [
            {"kind": type(o).__name__, "reason": o.reason.value, "message": o.message} for o in obstacles(entry)
        ],
    }
