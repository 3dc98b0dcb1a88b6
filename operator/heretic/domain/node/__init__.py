"""Node: what is declared of a host, and how its configuration and its disks become so."""
