"""Parsers of what the gluster command line prints: pure, total, one file a command."""
