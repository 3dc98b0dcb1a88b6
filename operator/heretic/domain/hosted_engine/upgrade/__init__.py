"""Upgrade of the engine to a declared version."""
