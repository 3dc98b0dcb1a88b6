"""What a client wants of a host's network: how its request is read, and what the whole of it must be.

The rules are those of the engine's sources; a change is refused as a whole.
"""

import re
from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from ovirtsdk4 import types

from sim.engine.host_net import HostWires, HostWiring, WiredNetwork, in_sync, wanted
from sim.engine.messages import FaultError, NotToldError, conflict, invalid
from sim.engine.state import EngineState

_BOND = re.compile(r"bond\w{1,10}", re.ASCII)
_BOND_OPTIONS = {"mode": "4", "miimon": "100"}
_OF_ATTACHMENT = frozenset(
    {"network", "host_nic", "ip_address_assignments", "in_sync", "host", "reported_configurations"}
)
_OF_BOND = frozenset({"name", "bonding"})


def refuse(what: str) -> FaultError:
    """A change of networks that cannot be."""
    return invalid(f"Cannot setup Networks. {what}")


class HostNetworkPlan:
    """The network of a host as it will be.

    Attributes:
        wiring: All of it.
        synchronised: Attachments that are made anew although nothing is said of them.
    """

    def __init__(self, state: EngineState, host: Any, net: HostWires) -> None:
        self.wiring: HostWiring = deepcopy(net.now)
        self.synchronised: set[str] = set()
        self._state = state
        self._host = host
        self._net = net
        self._touched: set[str] = set()

    def read(self, body: Any) -> None:
        """Takes what the body of the action says."""
        for given in body.removed_labels or ():
            self._unlabel(given.id)
        for given in body.removed_network_attachments or ():
            self._detach(self._attached(given.id))
        for given in body.removed_bonds or ():
            name = self._interface(given)
            if name not in self.wiring.bonds:
                raise refuse("The following bonds do not exist on the Host.")
            del self.wiring.bonds[name]
        for given in body.modified_bonds or ():
            self._bond(given)
        for given in body.modified_labels or ():
            self._label(given)
        self.synchronised = {self._attached(given.id).id for given in body.synchronized_network_attachments or ()}
        for given in body.modified_network_attachments or ():
            self._attach(given)

    def _attached(self, key: str | None) -> WiredNetwork:
        found = self.wiring.attachments.get(key or "")
        if found is None:
            raise refuse("Given Network Attachment does not exist")
        return found

    def _detach(self, wired: WiredNetwork) -> None:
        network = self._state.networks[wired.network]
        use = self._state.cluster_networks[self._host.cluster.id, wired.network]
        if types.NetworkUsage.MANAGEMENT in use.roles:
            raise invalid(f"The Management Network ('{network.name}') is mandatory and cannot be removed.")
        if wired.interface in {self.wiring.labels.get(label.id) for label in network.network_labels or ()}:
            raise refuse(f"Network '{network.name}' is attached by a label, and goes with it.")
        del self.wiring.attachments[wired.id]

    def _interface(self, given: Any) -> str:
        """The name of an interface that the client names by name or id."""
        if given is None or not (given.id or given.name):
            raise refuse("Network Interface is not specified.")
        by_id = {key: name for name, key in self._net.ids.items()}
        name = by_id.get(given.id, "") if given.id else given.name
        if given.id and given.name and given.name != name:
            raise refuse("Network Interface is named by a name and an id that do not fit.")
        return str(name)

    def _bond(self, given: Any) -> None:
        only(given, _OF_BOND)
        name = self._interface(given)
        if not _BOND.fullmatch(name):
            raise refuse(f"Bond name '{name}' is formatted incorrectly.")
        slaves, options = self.wiring.bonds.get(name, ((), _BOND_OPTIONS))
        if given.bonding and given.bonding.slaves is not None:
            slaves = tuple(self._interface(slave) for slave in given.bonding.slaves)
        if given.bonding and given.bonding.options:
            options = {option.name: option.value for option in given.bonding.options}
        self.wiring.bonds[name] = (slaves, options)

    def _label(self, given: Any) -> None:
        name = self._interface(given.host_nic)
        self.wiring.labels[given.id] = name
        for cluster, key in self._state.cluster_networks:
            labels = [label.id for label in self._state.networks[key].network_labels or ()]
            if cluster == self._host.cluster.id and given.id in labels and key not in self._networks():
                self._new(key, name, [])

    def _unlabel(self, label: str) -> None:
        if label not in self.wiring.labels:
            raise refuse(f"Label '{label}' does not exist on the Host.")
        name = self.wiring.labels.pop(label)
        for wired in list(self.wiring.attachments.values()):
            labels = [found.id for found in self._state.networks[wired.network].network_labels or ()]
            if label in labels and wired.interface == name:
                self._detach(wired)

    def _networks(self) -> list[str]:
        return [wired.network for wired in self.wiring.attachments.values()]

    def _attach(self, given: Any) -> None:
        only(given, _OF_ATTACHMENT)
        if given.id is None:
            self._new(self._network(given.network), self._interface(given.host_nic), given.ip_address_assignments or [])
            return
        wired = self._attached(given.id)
        if given.network and self._network(given.network) != wired.network:
            raise refuse("The network of a Network Attachment cannot be changed.")
        if not in_sync(self._state, self._host, wired) and wired.id not in self.synchronised:
            name = self._state.networks[wired.network].name
            raise conflict(f"Cannot setup Networks. The following networks must be synchronized first: {name}.")
        if given.host_nic:
            wired.interface = self._interface(given.host_nic)
        if given.ip_address_assignments is not None:
            wired.addresses = _read_addresses(given.ip_address_assignments)
        self._touched.add(wired.id)

    def _network(self, given: Any) -> str:
        for network in self._state.networks.values():
            if given and (network.id == given.id or (not given.id and network.name == given.name)):
                if (self._host.cluster.id, network.id) in self._state.cluster_networks:
                    return str(network.id)
                if given.id:
                    raise refuse(f"The following Logical Networks do not exist in the Host's Cluster: {network.name}.")
        raise refuse("The following Logical Networks do not exist in the Host's Cluster.")

    def _new(self, network: str, interface: str, addresses: Iterable[Any]) -> None:
        made = WiredNetwork(self._state.new_id(), network, interface, _read_addresses(addresses))
        self.wiring.attachments[made.id] = made
        self._touched.add(made.id)

    def check(self) -> None:
        """Refuses what cannot be as a whole."""
        self._check_bonds()
        names = {*self._net.ports, *self.wiring.bonds}
        slaves = self.wiring.slaves()
        for name in [wired.interface for wired in self.wiring.attachments.values()] + [*self.wiring.labels.values()]:
            if name not in names:
                raise refuse(f"Network Interface '{name}' does not exist on the Host, or is still in use.")
            if name in slaves:
                raise refuse(f"Network Interface '{name}' cannot become slave, there's a network or label on it.")
        for network, count in Counter(self._networks()).items():
            if count > 1:
                name = self._state.networks[network].name
                raise refuse(f"The following Logical Networks are attached to more than one interface: {name}.")
        self._check_exclusive()

    def _check_bonds(self) -> None:
        used = Counter(slave for slaves, _ in self.wiring.bonds.values() for slave in slaves)
        for name, (slaves, _) in self.wiring.bonds.items():
            if len(set(slaves)) < 2:
                raise refuse(f"The following bonds consist of less than two Network Interfaces: {name}.")
        for slave, count in used.items():
            if slave not in self._net.ports:
                raise refuse(f"Network Interface '{slave}' cannot be slave.")
            if count > 1:
                raise refuse(f"Network Interface '{slave}' is already in another bond.")

    def _check_exclusive(self) -> None:
        """Of networks without a VLAN, and of those with the same, an interface carries one."""
        for (name, _), count in Counter(self._tags()).items():
            if count > 1:
                raise refuse(
                    "At most one VLAN-untagged Logical Network, and one of each VLAN, is allowed on a NIC. The "
                    f"following Network Interfaces violate that : {name}."
                )

    def _tags(self) -> list[tuple[str, int | None]]:
        found = []
        for wired in self.wiring.attachments.values():
            vlan = self._state.networks[wired.network].vlan
            found.append((wired.interface, vlan.id if vlan else None))
        return found

    def settle(self) -> None:
        """What was said is on the host from now on."""
        for key in self._touched | self.synchronised:
            if wired := self.wiring.attachments.get(key):
                wired.there = wanted(self._state, self._host, wired)


def only(given: Any, fields: frozenset[str]) -> None:
    """Refuses a structure with anything else in it: it would not be read."""
    for name, value in vars(given).items():
        if value is not None and name.removeprefix("_") not in fields | {"id", "href"}:
            raise NotToldError(f"{name.removeprefix('_')} in a change of networks")


def _read_addresses(given: Iterable[Any]) -> list[Any]:
    found = {}
    for one in given:
        version = one.ip.version if one.ip and one.ip.version else types.IpVersion.V4
        if one.assignment_method is None:
            raise NotToldError("an address without a method")
        if one.assignment_method is types.BootProtocol.STATIC and not (one.ip and one.ip.address and one.ip.netmask):
            raise refuse("A static address needs an address and a netmask.")
        made = deepcopy(one)
        made.ip = made.ip or types.Ip()
        made.ip.version = version
        found[version] = made
    return list(found.values())
