"""The address plan of a new site: the number of each of its things, which is the same in every network.

The numbers are HVP's: the engine .5, shares from .30, BMCs from .100 (rule:hvp-networks). Nodes keep the number that
they were found with, unless another one is asked for. In a network of IPv6 a number is written with the same digits:
192.168.1.11 is fd00:20:12::11.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network

from heretic.cli.errors import fail

NODES, ENGINE, SHARES, BMCS = "nodes", "engine", "shares", "bmcs"
OFFSETS: Mapping[str, int] = {ENGINE: 5, SHARES: 30, BMCS: 100}
"""HVP's numbers; nodes have none of their own here, because they are found with theirs."""

_WORDS = {ENGINE: "the engine", SHARES: "shares", BMCS: "BMCs"}

IPNetwork = IPv4Network | IPv6Network
Subnets = tuple[IPNetwork, ...]
"""Of one network: one of either family, or one of IPv4 and then one of IPv6."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """Addresses that are kept free in one network, for what is declared later.

    Attributes:
        who: In words.
        network: Name of the Network.
        addresses: In order.
    """

    who: str
    network: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """The addresses of a site.

    Attributes:
        nodes: Of each host, in order: by Network, its addresses there. The one by which it was found is not among
            them.
        reserved: What is kept free.
        left_out: What HVP's plan has and this one has not, because something else was found there.
    """

    nodes: tuple[Mapping[str, tuple[str, ...]], ...]
    reserved: tuple[Reserved, ...]
    left_out: tuple[str, ...]


def plan_addresses(
    found: Sequence[str], management: str, networks: Mapping[str, Subnets], offsets: Mapping[str, int], gluster: str
) -> AddressPlan:
    """Gives each host, and what comes later, an address in each network.

    Args:
        found: Addresses by which the hosts were found, in order.
        management: Name of the network that has them.
        networks: Subnets by name; that of management among them.
        offsets: The first number of nodes, engine, shares or bmcs, where another one is asked for.
        gluster: Name of the network between bricks, "" = none; no share has an address there.

    Raises:
        HereticError: What was asked for has the number of something else, or a network has no such number.
    """
    numbers = _numbers(found, networks[management][0], offsets)
    nodes = tuple(
        {name: there for name, subnets in networks.items() if (there := host.addresses(name, subnets, management))}
        for host in numbers
    )
    taken = {name: {host.number(name, management): host.name for host in numbers} for name in networks}
    reserved, left_out = list[Reserved](), list[str]()
    for what, name, wanted in _wanted(len(found), management, networks, {**OFFSETS, **offsets}, gluster):
        clash = next((f"number {n} of {name} is that of {taken[name][n]}" for n in wanted if n in taken[name]), "")
        subnet = networks[name][0]
        clash = clash or next((f"{subnet} has no address of the number {n}" for n in wanted if not _has(subnet, n)), "")
        if clash and what in offsets:
            raise fail(f"{clash}, and of {_WORDS[what]} by the address plan: give --offset {what} another number")
        if clash:
            left_out.append(f"{_WORDS[what]} in {name} ({clash})")
            continue
        taken[name] |= dict.fromkeys(wanted, _WORDS[what])
        reserved.append(Reserved(_WORDS[what], name, tuple(_address(subnet, n) for n in wanted)))
    return AddressPlan(nodes, tuple(reserved), tuple(left_out))


@dataclass(frozen=True, slots=True)
class _Numbered:
    """A host, and its numbers: as it was found, and in the other networks."""

    name: str
    found: str
    own: IPNetwork
    seen: int
    planned: int

    def number(self, network: str, management: str) -> int:
        return self.seen if network == management else self.planned

    def addresses(self, network: str, subnets: Subnets, management: str) -> tuple[str, ...]:
        """Its addresses in a network; none in that of management where the one that was found is all."""
        given = subnets[1:] if network == management else subnets
        number = self.number(network, management)
        for subnet in given:
            if not _has(subnet, number):
                why = f"{self.found} is number {number} of {self.own}"
                if number != self.seen:
                    why = f"{self.name} is number {number} by --offset {NODES}"
                raise fail(
                    f"{why}, and {subnet} has no address of that number: give --offset {NODES}=NUMBER, or a larger "
                    "network"
                )
        made = tuple(_address(subnet, number) for subnet in given)
        return (self.found, *made) if made and network == management else made


def _numbers(found: Sequence[str], own: IPNetwork, offsets: Mapping[str, int]) -> tuple[_Numbered, ...]:
    seen = [int(IPv4Address(one)) - int(own.network_address) for one in found]
    first = offsets.get(NODES)
    return tuple(
        _Numbered(f"node{place + 1}", host, own, seen[place], seen[place] if first is None else first + place)
        for place, host in enumerate(found)
    )


def _wanted(
    hosts: int, management: str, networks: Mapping[str, Subnets], offsets: Mapping[str, int], gluster: str
) -> Iterator[tuple[str, str, range]]:
    """What is kept free, where, and with which numbers: first what was not asked for."""
    yield ENGINE, management, range(offsets[ENGINE], offsets[ENGINE] + 1)
    yield BMCS, management, range(offsets[BMCS], offsets[BMCS] + hosts)
    for name in networks:
        if name != gluster:
            yield SHARES, name, range(offsets[SHARES], offsets[SHARES] + hosts)


def _place(subnet: IPNetwork, number: int) -> int:
    """How far from the beginning of a subnet a number is: in IPv6 it has the same digits."""
    return number if isinstance(subnet, IPv4Network) or number < 0 else int(str(number), 16)


def _has(subnet: IPNetwork, number: int) -> bool:
    """Whether a subnet has an address of a number; the last one of IPv4 means all of them."""
    return 0 < _place(subnet, number) < subnet.num_addresses - (1 if isinstance(subnet, IPv4Network) else 0)


def _address(subnet: IPNetwork, number: int) -> str:
    return str(subnet.network_address + _place(subnet, number))
