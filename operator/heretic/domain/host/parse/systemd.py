"""``systemctl show -p … UNIT…`` (rule:systemd-output)."""

from collections.abc import Mapping

from heretic.domain.commands import Output
from heretic.domain.facts import Fact
from heretic.domain.host.facts import Service
from heretic.domain.host.parse.reading import NotUnderstood, read

PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,Result,NRestarts,StateChangeTimestampMonotonic,Description"
)
_NUMBERS = ("NRestarts", "StateChangeTimestampMonotonic")


def parse_units(output: Output) -> Fact[Mapping[str, Service]]:
    """Parses ``systemctl show -p PROPERTIES UNIT…``: blocks of key=value lines, split by blank lines.

    Args:
        output: What it returned; also units that do not exist have a block (LoadState=not-found).

    Returns:
        Units by name; an alias is found under the unit's own name.
    """

    def reader(text: str) -> dict[str, Service]:
        units = [_unit(block) for block in text.split("\n\n") if block.strip()]
        return {unit.name: unit for unit in units}

    return read(output, "systemctl", reader)


def _unit(block: str) -> Service:
    values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    name, load, active = values.get("Id", ""), values.get("LoadState", ""), values.get("ActiveState", "")
    if not name or not load or not active:
        raise NotUnderstood(f"a unit has no Id, LoadState or ActiveState: {block[:80]!r}")
    restarts, changed = (int(values[key]) if values.get(key, "").isdigit() else 0 for key in _NUMBERS)
    return Service(
        name=name,
        load=load,
        active=active,
        sub=values.get("SubState", ""),
        enabled=values.get("UnitFileState", ""),
        result=values.get("Result", ""),
        restarts=restarts,
        description=values.get("Description", ""),
        since=changed / 1e6 if changed else None,
    )
