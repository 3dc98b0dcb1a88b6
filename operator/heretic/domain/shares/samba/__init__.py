"""Samba: what serves files over SMB."""
