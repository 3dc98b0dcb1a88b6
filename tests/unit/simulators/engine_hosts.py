"""Hosts of a simulated engine, as tests need them."""

from typing import Any

from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_CLUSTER
from sim.engine.power import PowerDevice
from unit.simulators.engine_site import EngineSite


def hosts_up(site: EngineSite, *names: str) -> list[Any]:
    """Hosts of the default cluster that are up, as services of one client."""
    hosts = site.connect().hosts_service()
    state = site.server.engine.state
    made = []
    for name in names:
        address = f"192.0.2.{len(state.hosts) + 11}"
        state.reachable.add(address)
        ssh = types.Ssh(authentication_method=types.SshAuthenticationMethod.PUBLICKEY)
        cluster = types.Cluster(id=DEFAULT_CLUSTER)
        made.append(hosts.host_service(hosts.add(types.Host(name=name, address=address, cluster=cluster, ssh=ssh)).id))
    site.clock.go(minutes=6)
    return made


def give_power(site: EngineSite, host: Any, address: str = "198.51.100.11") -> PowerDevice:
    """A device that switches the host, with an agent for it."""
    device = site.server.engine.state.devices[address] = PowerDevice()
    host.fence_agents_service().add(agent(address))
    host.update(types.Host(power_management=types.PowerManagement(enabled=True)))
    return device


def agent(address: str = "198.51.100.11", **changes: Any) -> Any:
    values = {"type": "ipmilan", "order": 1, "username": "admin", "password": "secret", **changes}
    return types.Agent(address=address, **values)
