"""What concerns all nodes of a site at once."""
