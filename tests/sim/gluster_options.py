"""The options that each platform's gluster knows, and what it sets by itself when it creates a replicated volume."""

from functools import cache
from pathlib import Path

from lab.platforms import Platform

_DATA = Path(__file__).resolve().parents[1] / "data/gluster"


def names_of(platform: Platform) -> frozenset[str]:
    """First column of ``gluster volume get V all``."""
    return _names_of(platform.name)


@cache
def _names_of(platform: str) -> frozenset[str]:
    lines = (_DATA / platform / "options.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if "." in line)


DEFAULTS_AT_CREATION = {
    "cluster.granular-entry-heal": "on",
    "storage.fips-mode-rchecksum": "on",
    "transport.address-family": "inet",
    "nfs.disable": "on",
    "performance.client-io-threads": "off",
}

_WORDS = frozenset({"on", "off", "enable", "disable", "yes", "no", "true", "false"})
_NUMBERS = ("timeout", "threads", "qlength", "limit", "count", "interval", "keepalive-time", "owner-uid", "owner-gid")


def is_valid(platform: Platform, name: str, value: str) -> bool:
    """Whether the ``volume set`` of a platform takes it: a known name, and a number where only a number makes sense."""
    if name.startswith("user."):
        return bool(value)  # whatever an administrator likes to note
    if name not in names_of(platform):
        return False
    if name.endswith(_NUMBERS) and name not in ("performance.client-io-threads",):
        return value.isdecimal() or value in _WORDS
    return bool(value)
