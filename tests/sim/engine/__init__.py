"""A simulated oVirt engine: README.md beside this file says what it does and what it leaves out."""
