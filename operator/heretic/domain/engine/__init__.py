"""The oVirt engine: what is known of one, what is asked of it, and what is changed in it."""
