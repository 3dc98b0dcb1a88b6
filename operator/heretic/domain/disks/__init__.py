"""Disks: which are blank, which are chosen, how they are laid out, and what becomes a brick."""
