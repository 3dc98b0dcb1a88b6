"""Storage domains of an engine, for every subject that declares one."""
