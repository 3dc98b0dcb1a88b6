"""Backups of the engine: made on its machine, fetched and kept by a host of the site."""
