"""What is asked of the trusted pool, on one node and in one round trip."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from heretic.domain.commands import Output, Probe
from heretic.domain.declared.names import same_name
from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.memo import Memo
from heretic.domain.pool.command import ASKING, local, transaction
from heretic.domain.pool.facts import HealSummary, PoolFacts, VolumeInfo, VolumeState, VolumeStatus
from heretic.domain.pool.parse.clients import parse_clients
from heretic.domain.pool.parse.heal import parse_heal_summary
from heretic.domain.pool.parse.volume_info import parse_volume_info
from heretic.domain.pool.parse.volume_status import BrickSpace, parse_volume_detail, parse_volume_status, with_space

T = TypeVar("T")

_HEAL_TIMEOUT = 50
"""Seconds. A long queue takes minutes to count (rule:heal-output); then the answer is Unknown, which blocks nothing but
what needs a healed volume."""

_INFO = Probe("gluster-volume-info", local("volume", "info", "--xml"), parse_volume_info)
_STATUS = Probe("gluster-volume-status", transaction("volume", "status", "all", "--xml"), parse_volume_status, ASKING)
_DETAIL = Probe(
    "gluster-volume-detail", transaction("volume", "status", "all", "detail", "--xml"), parse_volume_detail, ASKING
)
_CLIENTS = Probe("gluster-clients", transaction("volume", "status", "all", "client-list"), parse_clients, ASKING)
_HEAL = "gluster-heal-"
_NOTE = "heal-note-"
_LOCAL = "localhost"
"""What glusterd calls the host that it is asked on."""


def pool_probes(started: Sequence[str]) -> tuple[Probe[object], ...]:
    """The questions to one node that is in the pool.

    Args:
        started: Names of the volumes that were started when last seen; only they can be asked for heal counts.
            A name that is not (or no longer) replicated just gets an answer that is not used.

    Returns:
        Probes, run side by side on the host; those that take a cluster-wide transaction queue there.
    """
    heals = tuple(
        Probe(
            f"{_HEAL}{name}",
            local("volume", "heal", name, "info", "summary", "--xml"),
            parse_heal_summary,
            _HEAL_TIMEOUT,
        )
        for name in sorted(started)
    )
    notes = (Probe(f"{_NOTE}{name}", ("@file", heal_note(name)), parse_note) for name in sorted(started))
    return (_INFO, _STATUS, _DETAIL, _CLIENTS, *heals, *notes)


def heal_note(volume: str) -> str:
    """The file that notes the last heal that was asked for on a host; a boot forgets it, and that is harmless."""
    return f"/run/heretic/heals/{volume}"


def parse_note(output: Output) -> Fact[str]:
    """What a note says, after a line with its mode; "" where it is certain that there is none."""
    if output.rc == 0:
        return Known(output.stdout.partition("\n")[2].strip())
    return (
        Known("") if output.rc == 1 else Unknown(f"the note of the last heal cannot be read: {output.stderr.strip()}")
    )


def assemble_pool(asked: str, outputs: Mapping[str, Output], memo: Memo | None = None) -> PoolFacts:
    """Puts the answers together.

    Args:
        asked: Name of the Node that was asked.
        outputs: What the probes returned, by probe name; one that is missing was not answered.
        memo: Of this pool, from look to look.

    Returns:
        The facts. Every started volume of the list has a status, a heal summary (when replicated) and a number
        of clients, be it Unknown.
    """
    memo = memo or Memo()
    volumes = _parsed(_INFO, asked, outputs, memo)
    statuses = _parsed(_STATUS, asked, outputs, memo)
    details = _parsed(_DETAIL, asked, outputs, memo)
    clients = _parsed(_CLIENTS, asked, outputs, memo)
    started = _started(volumes)
    return PoolFacts(
        asked=asked,
        volumes=volumes,
        status={name: memo.of(_status, info, asked, statuses, details, name=name) for name, info in started.items()},
        heal={
            name: memo.of(_heal, info, asked, outputs.get(f"{_HEAL}{name}"), name=name)
            for name, info in started.items()
            if info.replica_count > 1
        },
        clients={name: _member(clients, name, f"{asked} did not say who uses {name}") for name in started},
        heals={name: memo.of(parse_note, output) for name in started if (output := outputs.get(f"{_NOTE}{name}"))},
    )


def _started(volumes: Fact[Mapping[str, VolumeInfo]]) -> dict[str, VolumeInfo]:
    known = volumes.value if isinstance(volumes, Known) else {}
    return {name: info for name, info in known.items() if info.state is VolumeState.STARTED}


def _status(
    info: VolumeInfo,
    asked: str,
    statuses: Fact[Mapping[str, VolumeStatus]],
    details: Fact[Mapping[str, Mapping[str, BrickSpace]]],
) -> Fact[VolumeStatus]:
    status = _member(statuses, info.name, f"{asked} left {info.name} out of its volume status")
    if not isinstance(status, Known):
        return status
    found = status.value
    bricks = _by_brick(info, found.bricks, {key: brick.host_uuid for key, brick in found.bricks.items()})
    spaces = details.value.get(info.name, {}) if isinstance(details, Known) else {}
    spaces = _by_brick(info, spaces, {key: room.host_uuid for key, room in spaces.items()})
    called = {host: asked if same_name(host) == _LOCAL else host for host in found.self_heal}
    return Known(
        with_space(
            replace(
                found,
                bricks=bricks,
                self_heal={called[host]: up for host, up in found.self_heal.items()},
                daemons={called[host]: uuid for host, uuid in found.daemons.items()},
            ),
            spaces,
        )
    )


def _heal(info: VolumeInfo, asked: str, output: Output | None) -> Fact[HealSummary]:
    if output is None:
        return Unknown(f"{asked} was not asked what {info.name} has to heal")
    heal = parse_heal_summary(output)
    if not isinstance(heal, Known):
        return heal
    found = heal.value
    return Known(
        replace(
            found,
            pending=_by_brick(info, found.pending, found.host_uuids),
            split_brain=_by_brick(info, found.split_brain, found.host_uuids),
        )
    )


def _by_brick(info: VolumeInfo, rows: Mapping[str, T], uuids: Mapping[str, str]) -> dict[str, T]:
    """Rows of an answer under the names that the bricks have in ``volume info``.

    Other answers may name a host otherwise: in upper case, by its short name, as "localhost". A row belongs to the
    brick of the same path on the host with the same UUID; where a row has no UUID, on the host of the same name.
    """
    names = {f"{same_name(b.host)}:{b.path}": f"{b.host}:{b.path}" for b in info.bricks}
    owners = {f"{b.host_uuid.lower()}:{b.path}": f"{b.host}:{b.path}" for b in info.bricks if b.host_uuid}
    found: dict[str, T] = {}
    for key, row in rows.items():
        host, _, path = key.rpartition(":/")
        uuid = uuids.get(key, "").lower()
        name = names.get(f"{same_name(host)}:/{path}")
        found[owners.get(f"{uuid}:/{path}") or name or key] = row
    return found


def _member(facts: Fact[Mapping[str, T]], name: str, missing: str) -> Fact[T]:
    if not isinstance(facts, Known):
        return facts
    return Known(facts.value[name]) if name in facts.value else Unknown(missing)


def _parsed(probe: Probe[T], asked: str, outputs: Mapping[str, Output], memo: Memo) -> Fact[T]:
    output = outputs.get(probe.name)
    parse: Callable[[Output], Fact[T]] = probe.parse
    return Unknown(f"{asked} did not answer {probe.name}") if output is None else memo.of(parse, output)
