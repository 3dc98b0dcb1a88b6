"""The options that gluster 10.3 knows, and what it sets by itself when it creates a replicated volume."""

from pathlib import Path

NAMES = frozenset(
    (Path(__file__).resolve().parents[1] / "data/gluster/options-10.3.txt").read_text(encoding="utf-8").split()
)
"""First column of ``gluster volume get V all``."""

DEFAULTS_AT_CREATION = {
    "cluster.granular-entry-heal": "on",
    "storage.fips-mode-rchecksum": "on",
    "transport.address-family": "inet",
    "nfs.disable": "on",
    "performance.client-io-threads": "off",
}

_WORDS = frozenset({"on", "off", "enable", "disable", "yes", "no", "true", "false"})
_NUMBERS = ("timeout", "threads", "qlength", "limit", "count", "interval", "keepalive-time", "owner-uid", "owner-gid")


def is_valid(name: str, value: str) -> bool:
    """Whether ``volume set`` takes it: a known name, and a number where only a number makes sense."""
    if name.startswith("user."):
        return bool(value)  # whatever an administrator likes to note
    if name not in NAMES:
        return False
    if name.endswith(_NUMBERS) and name not in ("performance.client-io-threads",):
        return value.isdecimal() or value in _WORDS
    return bool(value)
