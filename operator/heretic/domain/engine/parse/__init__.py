"""Words of an engine."""
