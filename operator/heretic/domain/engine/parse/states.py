"""The states of hosts, in the engine's words, and what they mean for a site."""

UP = "up"
"""Runs guests, and answers."""
MAINTENANCE = "maintenance"
"""Somebody took it out of service."""
ON_ITS_WAY = frozenset(
    {"installing", "installing_os", "reboot", "initializing", "unassigned", "connecting", "preparing_for_maintenance"}
)
"""Passes by itself, into another state."""


def shown(state: str) -> str:
    """A state as a status shows it: NonOperational for "non_operational"."""
    return "".join(part.capitalize() for part in state.split("_"))
