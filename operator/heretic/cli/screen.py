"""The site on one screen, as plain data, from stored statuses alone. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from heretic.cli.render import age
from heretic.cli.screen_links import LinkLine, NetworkLine, link_lines, network_lines
from heretic.cli.stored import Object, condition, spec_of, state, status_of, summary_of
from heretic.domain.approval import names
from heretic.domain.conditions import BAD_WHEN_TRUE
from heretic.domain.reasons import Stage
from heretic.reasons import stage_of
from heretic.reconcile.gates import APPROVE


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One Node of the table."""

    name: str
    ready: str
    reachable: str
    role: str
    disks: str
    summary: str


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """One GlusterVolume of the table; "bricks" and the rest are as its status has them."""

    name: str
    ready: str
    topology: str
    bricks: str
    heal: str
    used: str
    summary: str


@dataclass(frozen=True, slots=True)
class EngineLine:
    """The HostedEngine of the table.

    Attributes:
        hosts: Those that are up, of all in its cluster.
        backup: How old the newest proved one is; "none" where they are declared and there is none, "-" where not.
    """

    name: str
    ready: str
    up: str
    version: str
    hosts: str
    backup: str
    maintenance: str
    summary: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one object.

    Attributes:
        object: Kind and name.
        reason: From the closed list.
        message: What is so and what to do.
        since: How long, for a person; empty when that is not known.
    """

    object: str
    reason: str
    message: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything that ``heretic status`` shows.

    Attributes:
        site: Name of the Site, empty when there is not exactly one.
        ready: Of the Site, as a condition's status or Pending; likewise ``available`` and ``n_plus_one``.
        slot_holder: Object for which a disruptive step runs; empty for nobody.
        versions: What runs on the nodes, each different one once.
        now: What is being done.
        wrong: What is wrong.
        notes: What is good to know and not wrong, each with its object.
        next: What a person should do.
    """

    namespace: str
    site: str
    ready: str
    available: str
    n_plus_one: str
    slot_holder: str
    paused: bool
    versions: tuple[str, ...]
    nodes: tuple[NodeLine, ...]
    networks: tuple[NetworkLine, ...]
    links: tuple[LinkLine, ...]
    volumes: tuple[VolumeLine, ...]
    engines: tuple[EngineLine, ...]
    now: tuple[Remark, ...]
    wrong: tuple[Remark, ...]
    notes: tuple[str, ...]
    next: tuple[str, ...]

    def as_data(self) -> dict[str, object]:
        """For JSON and YAML."""
        return {_camel(key): value for key, value in _plain(asdict(self)).items()}


def compose(
    namespace: str, objects: Sequence[tuple[str, Object]], now: datetime, operator: Object | None = None
) -> Screen:
    """Puts the screen together.

    Args:
        namespace: Of the site.
        objects: Every object with its kind.
        now: Wall clock.
        operator: The operator's Lease, None when it could not be read.
    """
    of = {
        kind: [o for k, o in objects if k == kind]
        for kind in ("Site", "Node", "Network", "GlusterVolume", "HostedEngine")
    }
    site = of["Site"][0] if len(of["Site"]) == 1 else None
    storage = status_of(site).get("storage") or {} if site else {}
    wrong = [r for kind, o in objects for r in _wrong(kind, o, now)]
    return Screen(
        namespace=namespace,
        site=site["metadata"]["name"] if site else "",
        ready=state(site, "Ready"),
        available=state(site, "Available"),
        n_plus_one=state(site, "NPlusOne"),
        slot_holder=str(status_of(site).get("slotHolder") or ""),
        paused=bool(site and spec_of(site).get("paused")),
        versions=_versions(of["Node"]),
        nodes=tuple(_node(n, storage) for n in of["Node"]),
        networks=network_lines(of["Network"]),
        links=link_lines(of["Node"], of["Network"]),
        volumes=tuple(_volume(v) for v in of["GlusterVolume"]),
        engines=tuple(_engine(e, now) for e in of["HostedEngine"]),
        now=tuple(r for kind, o in objects for r in _in_progress(kind, o, now)),
        wrong=tuple(wrong),
        notes=tuple(
            f"{kind} {o['metadata']['name']}: {note}" for kind, o in objects for note in status_of(o).get("notes") or []
        ),
        next=tuple(_next(namespace, of["Site"], objects, wrong, operator, now)),
    )


def _versions(nodes: Iterable[Object]) -> tuple[str, ...]:
    facts = [status_of(n).get("facts") or {} for n in nodes]
    found = {f"Gluster {f['gluster']}" for f in facts if f.get("gluster")} | {f["os"] for f in facts if f.get("os")}
    return tuple(sorted(found))


def _node(node: Object, storage: Mapping[str, Any]) -> NodeLine:
    name = node["metadata"]["name"]
    disks = [d for d in status_of(node).get("disks") or [] if d.get("use")]
    prepared = sum(1 for d in disks if d.get("prepared"))
    if name == storage.get("arbiter"):
        role = "arbiter"
    elif name in (storage.get("nodes") or []):
        role = "data"
    else:
        role = "-"
    return NodeLine(
        name=name,
        ready=state(node, "Ready"),
        reachable=state(node, "Reachable"),
        role=role,
        disks=f"{prepared}/{len(disks)} prepared" if disks else "-",
        summary=summary_of(node),
    )


def _volume(volume: Object) -> VolumeLine:
    status = status_of(volume)
    used, capacity = status.get("used"), status.get("capacity")
    return VolumeLine(
        name=volume["metadata"]["name"],
        ready=state(volume, "Ready"),
        topology=str(status.get("topology") or "-"),
        bricks=str(status.get("bricksUp") or "-"),
        heal=str(status.get("healPending") or "-"),
        used=f"{used} of {capacity}" if used and capacity else str(capacity or "-"),
        summary=summary_of(volume),
    )


def _engine(engine: Object, now: datetime) -> EngineLine:
    status = status_of(engine)
    hosts = status.get("hosts") or []
    up = sum(1 for host in hosts if host.get("state") == "Up")
    maintenance = status.get("globalMaintenance")
    return EngineLine(
        name=engine["metadata"]["name"],
        ready=state(engine, "Ready"),
        up=state(engine, "EngineUp"),
        version=str(status.get("version") or "-"),
        hosts=f"{up}/{len(hosts)} up" if hosts else "-",
        backup=_backup(engine, now),
        maintenance="-" if maintenance is None else "global" if maintenance else "none",
        summary=summary_of(engine),
    )


def _backup(engine: Object, now: datetime) -> str:
    old = age(str((status_of(engine).get("backup") or {}).get("taken") or ""), now)
    return f"{old} old" if old else "none" if spec_of(engine).get("backup") else "-"


def _wrong(kind: str, obj: Object, now: datetime) -> list[Remark]:
    """What is wrong with one object. Work that goes on is not wrong."""
    found = [c for t in BAD_WHEN_TRUE if (c := condition(obj, t)) and c["status"] == "True"]
    ready = condition(obj, "Ready")
    if not found and ready and ready["status"] != "True" and stage_of(str(ready.get("reason"))) is Stage.TROUBLE:
        found = [ready]
    said: dict[str, Remark] = {}
    for c in found:
        said.setdefault(str(c.get("message")), _remark(kind, obj, c, now))
    return list(said.values())


def _in_progress(kind: str, obj: Object, now: datetime) -> list[Remark]:
    moving = condition(obj, "Reconciling")
    if (
        moving is None
        or moving["status"] != "True"
        or any(r.message == moving["message"] for r in _wrong(kind, obj, now))
    ):
        return []
    return [_remark(kind, obj, moving, now)]


def _remark(kind: str, obj: Object, c: Mapping[str, Any], now: datetime) -> Remark:
    since = age(str(c.get("lastTransitionTime") or ""), now)
    return Remark(f"{kind} {obj['metadata']['name']}", str(c.get("reason")), str(c.get("message")), since)


def _next(
    namespace: str,
    sites: Sequence[Object],
    objects: Sequence[tuple[str, Object]],
    wrong: Sequence[Remark],
    operator: Object | None,
    now: datetime,
) -> Iterable[str]:
    """What a person should do, most urgent first."""
    silent = operator_silent_for(operator, now)
    if silent:
        yield f"The operator has not renewed its lease for {silent}: check whether it runs. This screen shows old data."
    if len(sites) != 1:
        have = ", ".join(s["metadata"]["name"] for s in sites) or "none"
        yield f"Namespace {namespace} needs exactly one Site, and has {len(sites)} ({have})."
    paused = [f"{kind} {o['metadata']['name']}" for kind, o in objects if spec_of(o).get("paused")]
    if paused:
        yield f"Paused, so nothing is changed: {', '.join(paused)}. To go on, set spec.paused to false."
    for kind, obj in objects:
        if waits_for_approval(obj):
            target = f"{kind.lower()}/{obj['metadata']['name']}"
            yield f"Look at the plan of {target} and approve it: heretic approve {target} -n {namespace}"
    if wrong:
        yield f"Act on what is wrong; heretic verify -n {namespace} checks the hosts themselves."


def waits_for_approval(obj: Object) -> bool:
    """Whether an object's plan needs an approval that nobody has given, or that was used up."""
    status = status_of(obj)
    plan = status.get("plan") or {}
    word = str((obj["metadata"].get("annotations") or {}).get(APPROVE) or "")
    used = {a.get("word") for a in status.get("approvals") or []} | {status.get("lastApprovedPlan")}
    given = names(word, str(plan.get("hash"))) and word not in used
    return bool(plan.get("needsApproval")) and not given


def operator_silent_for(lease: Object | None, now: datetime) -> str:
    """How long the operator has not renewed its lease, when that is longer than the lease lasts; else empty."""
    spec = (lease or {}).get("spec") or {}
    stamp = str(spec.get("renewTime") or "")
    try:
        renewed = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    lasts = timedelta(seconds=2 * int(spec.get("leaseDurationSeconds") or 15))
    return age(stamp, now) if now - renewed > lasts else ""


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Tuples become lists, as JSON and YAML want."""
    return {k: [*v] if isinstance(v, tuple) else v for k, v in value.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
