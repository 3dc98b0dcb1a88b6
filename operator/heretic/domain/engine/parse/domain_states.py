"""The states of storage domains, in the engine's words, and what they mean for a site."""

ACTIVE = "active"
"""Guests can use it."""
MAINTENANCE = "maintenance"
"""Somebody took it out of service; no host has it mounted."""
UNATTACHED = "unattached"
"""It belongs to no data center."""
ON_ITS_WAY = frozenset({"locked", "activating", "detaching", "preparing_for_maintenance"})
"""The engine works on it, and takes no other request for it."""
UNREACHED = frozenset({"inactive", "unknown"})
"""Hosts have lost it, or none of them tells."""
