"""The states of hosts, in the engine's words, and what they mean for a site."""

UP = "up"
"""Runs guests, and answers."""
MAINTENANCE = "maintenance"
"""Somebody took it out of service."""
INSTALL_FAILED = "install_failed"
"""An installation has failed; it stays so until the host is installed anew."""
NON_OPERATIONAL = "non_operational"
"""The engine reaches it, and it lacks something that its cluster needs."""
LACKED_NETWORK = "network_unreachable"
"""Detail of a host that is not operational because it lacked a network when the engine looked last."""
LEAVING = "preparing_for_maintenance"
"""Its guests leave it."""
COMING = frozenset({"installing", "installing_os", "reboot", "initializing", "unassigned"})
"""It is being installed, or comes up."""
INSTALLED_NOW = ("installing", "installing_os", "reboot", "initializing", "unassigned", UP)
"""What an installation shows while it runs, and when it has worked and the host was activated."""
ACTIVATED = ("initializing", "unassigned", UP)
"""What an activation shows."""
SILENT = frozenset({"non_responsive", "connecting", "kdumping", "down"})
"""The engine does not reach it, and treats it by itself."""
ON_ITS_WAY = frozenset(
    {"installing", "installing_os", "reboot", "initializing", "unassigned", "connecting", "preparing_for_maintenance"}
)
"""Passes by itself, into another state."""


WHETHER_REBOOTED = "reboot"
"""The parameter of an installation that a host with bricks gets as false, always; left out, it is true."""


def shown(state: str) -> str:
    """A state as a status shows it: NonOperational for "non_operational"."""
    return "".join(part.capitalize() for part in state.split("_"))
