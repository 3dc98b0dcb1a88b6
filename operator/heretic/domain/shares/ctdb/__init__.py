"""CTDB: what makes one file server of several hosts."""
