"""Sets of TCP ports as sorted ranges that do not touch."""

import re
from collections.abc import Iterable, Mapping

Ranges = tuple[tuple[int, int], ...]
"""First and last port of each range."""

ALL: Ranges = ((1, 65535),)

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?/tcp")


def ports_of(texts: Iterable[str]) -> Ranges:
    """The TCP ports of firewalld's list ("24007/tcp", "49152-60999/tcp", "1-65535/udp").

    Other protocols and what is no number are left out.
    """
    found = (_PORT.fullmatch(text) for text in texts)
    return union((int(m.group(1)), int(m.group(2) or m.group(1))) for m in found if m)


def service_ports(names: Iterable[str], known: Mapping[str, Ranges]) -> Ranges:
    """The TCP ports of firewalld's services, as far as they are known."""
    return union(part for name in names for part in known.get(name, ()))


def union(parts: Iterable[tuple[int, int]]) -> Ranges:
    """Merges ranges that overlap or touch; port 0 is nobody's."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted((max(first, 1), min(last, 65535)) for first, last in parts):
        if first > last:
            continue
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def without(whole: Ranges, taken: Ranges) -> Ranges:
    """What is left of some ports without others."""
    left = list(whole)
    for first, last in taken:
        rest: list[tuple[int, int]] = []
        for low, high in left:
            rest += [(low, min(high, first - 1))] if low < first else []
            rest += [(max(low, last + 1), high)] if high > last else []
        left = rest
    return union(left)


def common(one: Ranges, other: Ranges) -> Ranges:
    """The ports that are in both."""
    return without(one, without(one, other))


def texts_of(ports: Ranges) -> tuple[str, ...]:
    """As firewalld writes them, one text a range."""
    return tuple(f"{low}/tcp" if low == high else f"{low}-{high}/tcp" for low, high in ports)


def words(ports: Ranges) -> str:
    """All of them for a message."""
    return " ".join(texts_of(ports))
