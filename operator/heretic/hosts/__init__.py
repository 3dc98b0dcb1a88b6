"""SSH to the hosts: one connection a host, one script a pass."""

from heretic.hosts.connections import Batch, Hosts
from heretic.hosts.session import Traffic
from heretic.hosts.settings import HostSettings

__all__ = ["Batch", "HostSettings", "Hosts", "Traffic"]
