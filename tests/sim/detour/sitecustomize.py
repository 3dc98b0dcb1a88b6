"""Python imports this by itself where its folder is in PYTHONPATH."""

from sim.addresses import take_detour

take_detour()
