"""SSH to the hosts: one connection a host, one script a pass."""
