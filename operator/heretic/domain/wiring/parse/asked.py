"""The file that the program which asks ports leaves behind (hosts/ask_ports.py)."""

import json
from collections.abc import Mapping

from heretic.domain.facts import Fact, Known, Unknown
from heretic.domain.host.parse.reading import NotUnderstood, Row, as_row, flag, integer, load, rows, short, text_of
from heretic.domain.wiring.facts import Asked, AskedPort, PortAnswer

ASKED_FILE = "/run/heretic/ports"
"""In memory: a boot forgets it, and may change names of ports and where they lead."""


def parse_asked(text: Fact[str]) -> Fact[Asked]:
    """Parses the file: the key of the questions, a space, and one JSON object."""
    if not isinstance(text, Known):
        return text
    key, _, told = text.value.partition(" ")
    try:
        document = load(told)
        if error := text_of(document, "error"):
            return Known(Asked(key, error=error))
        ports = as_row(document.get("ports"), "ports")
        return Known(Asked(key, {name: _port(as_row(row, name)) for name, row in ports.items()}))
    except (ValueError, RecursionError) as error:
        return Unknown(f"what ports have told was not understood: {short(str(error))}")


def _port(row: Row) -> AskedPort:
    if error := text_of(row, "error"):
        return AskedPort(error=error)
    return AskedPort(
        mac=text_of(row, "mac"),
        changes=integer(row, "changes"),
        answers=tuple(_answer(answer) for answer in rows(row, "answers")),
        taken=_texts(as_row(row.get("taken"), "taken")),
        hears=frozenset(_heard(row.get("hears"))),
        switch=_switch(as_row(row.get("lldp"), "lldp")),
    )


def _answer(row: Row) -> PortAnswer:
    return PortAnswer(
        vlan=integer(row, "vlan"),
        target=text_of(row, "target"),
        mac=text_of(row, "mac"),
        echo=flag(row, "echo"),
        mtu=integer(row, "mtu"),
    )


def _texts(row: Row) -> Mapping[str, str]:
    return {key: text_of(row, key) for key in row}


def _heard(value: object) -> list[tuple[str, int]]:
    if not isinstance(value, list):
        raise NotUnderstood("hears is no list")
    found: list[tuple[str, int]] = []
    for entry in value:
        match entry:
            case [str(name), int(vlan)]:
                found.append((name, vlan))
            case _:
                raise NotUnderstood(f"hears has {json.dumps(entry)[:80]}")
    return found


def _switch(row: Row) -> str:
    """What a switch told of itself, for a person: sw1 port 12 (uplink), VLAN 10."""
    name, port = text_of(row, "system") or text_of(row, "chassis"), text_of(row, "port")
    if not name and not port:
        return ""
    more = text_of(row, "description")
    told = f"{name} port {port}" + (f" ({more})" if more and more != port else "")
    return f"{told}, VLAN {text_of(row, 'vlan')}" if row.get("vlan") else told
