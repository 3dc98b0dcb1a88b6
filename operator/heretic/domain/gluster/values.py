"""What the value of a Gluster option means: defaults, sizes, times and words that Gluster takes for the same."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "client.event-threads": "2",
        "cluster.choose-local": "true",
        "cluster.eager-lock": "on",
        "cluster.locking-scheme": "full",
        "cluster.lookup-optimize": "on",
        "cluster.shd-max-threads": "1",
        "cluster.shd-wait-qlength": "1024",
        "features.cache-invalidation": "off",
        "features.cache-invalidation-timeout": "60",
        "features.shard": "off",
        "features.shard-block-size": "64MB",
        "features.show-snapshot-directory": "off",
        "network.inode-lru-limit": "16384",
        "network.ping-timeout": "42",
        "network.remote-dio": "disable",
        "performance.cache-invalidation": "false",
        "performance.cache-samba-metadata": "false",
        "performance.client-io-threads": "on",
        "performance.high-prio-threads": "16",
        "performance.io-cache": "off",
        "performance.io-thread-count": "16",
        "performance.least-prio-threads": "1",
        "performance.low-prio-threads": "16",
        "performance.md-cache-timeout": "1",
        "performance.nl-cache": "off",
        "performance.nl-cache-timeout": "60",
        "performance.normal-prio-threads": "16",
        "performance.parallel-readdir": "off",
        "performance.readdir-ahead": "off",
        "performance.read-ahead": "off",
        "performance.strict-o-direct": "off",
        "server.allow-insecure": "on",
        "server.event-threads": "2",
        "server.keepalive-count": "9",
        "server.keepalive-interval": "2",
        "server.keepalive-time": "20",
        "server.tcp-user-timeout": "42",
    }
)
"""Of the options that purposes set: ``gluster volume get all``, the same in Gluster 10.3 and 11.1.

Left out is what must stand in the volume in any case: both quorums, and the owner. Left out are also
``performance.quick-read``, ``open-behind``, ``stat-prefetch`` and ``write-behind``, whose defaults differ between
releases. An option that is left out and not listed differs from every value, and is set.
"""

_TRUE = frozenset({"on", "yes", "true", "enable", "enabled", "1"})
_FALSE = frozenset({"off", "no", "false", "disable", "disabled", "0"})
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?) *([a-z%]*)")
_DEFAULT = re.compile(r" *\(default\)$")
_SIZES = {"": 1, "b": 1} | {
    letter + end: 1024**power for power, letter in enumerate("kmgtp", 1) for end in ("", "b", "ib")
}
_TIMES = {
    **dict.fromkeys(("", "s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 604800),
}
_TIME_NAMES = ("timeout", "interval", "keepalive-time", "expiry-time")


def same_value(found: str | None, wanted: str, name: str = "") -> bool:
    """Whether two values of an option mean the same to Gluster.

    Args:
        found: As ``volume info`` or ``volume get`` prints it; None = it is not listed, and has its default.
        wanted: As it is declared.
        name: Full name of the option; it tells sizes from times, and the default.
    """
    there = DEFAULTS.get(name) if found is None or _plain(found) in ("", "(null)") else found
    if there is None:
        return False
    if there == wanted:
        return True
    if name.startswith("user."):
        # what hooks and people make of it is not Gluster's to say; words for yes and no are all that is common
        return _truth(there) is not None and _truth(there) is _truth(wanted)
    return _meaning(there, name) == _meaning(wanted, name)


def number(value: str, name: str) -> Decimal | None:
    """Bytes, seconds or a plain number, by the option's name; None when it is none."""
    found = _NUMBER.fullmatch(_plain(value))
    if found is None:
        return None
    units = _TIMES if name.endswith(_TIME_NAMES) else _SIZES | {"%": 1}
    unit = units.get(found.group(2))
    return Decimal(found.group(1)) * unit if unit is not None else None


def _plain(value: str) -> str:
    return _DEFAULT.sub("", value.strip().lower())


def _truth(value: str) -> bool | None:
    word = _plain(value)
    return True if word in _TRUE else False if word in _FALSE else None


@lru_cache(maxsize=4096)
def _meaning(value: str, name: str) -> bool | Decimal | str:
    """True for 1 and False for 0: Python counts them the same, and so does Gluster where an option is a switch."""
    known = _truth(value)
    if known is not None:
        return known
    counted = number(value, name)
    return counted if counted is not None else _plain(value)
