"""Parsers of what a host's tools print: pure and total, each gives a value, Absent or Unknown with its cause."""
