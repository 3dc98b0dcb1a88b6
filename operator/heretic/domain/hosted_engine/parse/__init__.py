"""Parsers of what the hosted engine's programs print."""
