"""Simulated hosts: the real SSH protocol in front of a machine that exists only as Python state."""
