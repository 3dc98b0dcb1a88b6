"""The step that has the engine configure the links of one of its hosts, all of them in one change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.engine.call import (
    Among,
    BodyElement,
    EngineCall,
    EngineStep,
    Expectation,
    Fields,
    Thing,
)
from heretic.domain.engine.host_networks import CONFIGURABLE, OUTAGE_SECONDS, mask_of, set_up, static
from heretic.domain.plan import Outage, Risk


@dataclass(frozen=True, slots=True)
class BondOnHost:
    """A bond as it shall be.

    Attributes:
        name: Of the bond.
        ports: Names of its ports.
        ids: Theirs.
        options: In the engine's words, each with every word for its value; the first one is sent.
        new: Whether there is none of that name yet.
    """

    name: str
    ports: tuple[str, ...]
    ids: tuple[str, ...]
    options: tuple[tuple[str, tuple[str, ...]], ...]
    new: bool

    def __str__(self) -> str:
        return f"{self.name} of {'+'.join(self.ports)} {' '.join(f'{o}={words[0]}' for o, words in self.options)}"

    def body(self) -> BodyElement:
        """Options and ports replace those that it had."""
        options = tuple(
            BodyElement("option", (BodyElement("name", option), BodyElement("value", words[0])))
            for option, words in self.options
        )
        ports = tuple(BodyElement("host_nic", (BodyElement("name", port),)) for port in self.ports)
        bonding = BodyElement("bonding", (BodyElement("options", options), BodyElement("slaves", ports)))
        return BodyElement("host_nic", (BodyElement("name", self.name), bonding))

    def fields(self) -> Fields:
        """As the engine shows it, among more options."""
        options = tuple((("name", option), ("value", words)) for option, words in self.options)
        ports = tuple((("id", port),) for port in self.ids)
        return ("bonding.slaves", Among(ports, alone=True)), ("bonding.options", Among(options))


@dataclass(frozen=True, slots=True)
class NetworkOnLink:
    """A network on a port or a bond, as it shall be.

    Attributes:
        network: Id of the logical network.
        name: Its name.
        attachment: Id of the network on the host; "" = it is not there yet.
        link: Name of the port or bond.
        tagged: Whether it has a VLAN, of which the engine makes a link of its own.
        addresses: With prefix lengths; None = as they are, () of a new one = none.
        synchronised: Whether the host has it otherwise than the engine, and gets it made anew.
    """

    network: str
    name: str
    attachment: str
    link: str
    tagged: bool
    addresses: tuple[str, ...] | None
    synchronised: bool = False

    def __str__(self) -> str:
        addresses = f" with {' '.join(self.addresses)}" if self.addresses else ""
        return f"{self.name} on {self.link}{addresses}"

    def body(self) -> BodyElement:
        """What is not said stays as it is."""
        content = [BodyElement("network", (), id=self.network)]
        content.append(BodyElement("host_nic", (BodyElement("name", self.link),)))
        if self.addresses is not None:
            content.append(BodyElement("ip_address_assignments", tuple(map(static, self.addresses))))
        return BodyElement("network_attachment", tuple(content), id=self.attachment)

    def done(self, host: str) -> Iterator[Expectation]:
        """What the engine then shows of the link and of the network on it."""
        where: Fields = (("base_interface" if self.tagged else "name", self.link),)
        yield Expectation(Thing(f"hosts/{host}/nics", within=(("network.id", self.network),)), fields=where)
        addresses = tuple(_shown(one) for one in self.addresses or ())
        has: Fields = (("ip_address_assignments", Among(addresses)),) if addresses else ()
        if self.synchronised:
            has = (*has, ("in_sync", True))
        yield Expectation(_attached(host, self.network), fields=has)

    def guard(self, host: str) -> Expectation:
        """It is still attached as the one that was meant, or still not."""
        if not self.attachment:
            return Expectation(_attached(host, self.network), there=False)
        meant = Thing(f"hosts/{host}/networkattachments", id=self.attachment)
        return Expectation(meant, fields=(("network.id", self.network),))


def _attached(host: str, network: str) -> Thing:
    return Thing(f"hosts/{host}/networkattachments", within=(("network.id", network),))


def _shown(address: str) -> Fields:
    return (
        ("assignment_method", "static"),
        ("ip.address", address.partition("/")[0]),
        ("ip.netmask", mask_of(address)),
    )


@dataclass(frozen=True, kw_only=True)
class SetUpHostNetworks(EngineStep):
    """Has the engine make bonds, and put networks on ports and bonds of a host: all of it or nothing.

    Attributes:
        node: Name of its Node.
        host: Id of the host.
        host_name: Its name in the engine.
        bonds: That are made or changed.
        networks: That are put on links, moved, given addresses, or made anew.
        takes_out: Whether the host counts as out of service meanwhile: bricks or the engine reach it that way.
        guests: How many machines run on the host when this is planned; None where that does not matter.
        converted: Bonds that become one of 802.3ad or are none any more: the switch is ready (rule:switch-first).
    """

    verb: ClassVar[str] = "SetUpHostNetworks"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    node: str
    host: str
    host_name: str
    bonds: tuple[BondOnHost, ...]
    networks: tuple[NetworkOnLink, ...]
    takes_out: bool
    guests: int | None = field(repr=False)
    converted: tuple[str, ...] = ()

    @property
    def needs_approval(self) -> bool:
        """Only a person knows what the switch is set up for."""
        return bool(self.converted) and not self.declared

    @property
    def outage(self) -> Outage | None:
        """The whole host, where what it holds may be cut off for a moment."""
        return Outage(self.node, OUTAGE_SECONDS, ends_with_step=True) if self.takes_out else None

    def call(self) -> EngineCall:
        """One request; the host takes it back where the engine does not hear of it afterwards."""
        place = f"hosts/{self.host}/nics"
        quiet: Fields = () if self.guests is None else (("summary.total", self.guests),)
        synchronised = tuple(
            BodyElement("network_attachment", (), id=one.attachment) for one in self.networks if one.synchronised
        )
        changes = (
            BodyElement("modified_bonds", tuple(bond.body() for bond in self.bonds)),
            BodyElement("modified_network_attachments", tuple(one.body() for one in self.networks)),
            BodyElement("synchronized_network_attachments", synchronised),
        )
        return EngineCall(
            done=(
                *(Expectation(Thing(place, name=bond.name), fields=bond.fields()) for bond in self.bonds),
                *(expect for one in self.networks for expect in one.done(self.host)),
            ),
            guards=(
                Expectation(
                    Thing("hosts", id=self.host),
                    fields=(("name", self.host_name), ("status", CONFIGURABLE), *quiet),
                ),
                *(Expectation(Thing(place, name=bond.name), there=False) for bond in self.bonds if bond.new),
                *(one.guard(self.host) for one in self.networks),
            ),
            request=set_up(self.host, *(change for change in changes if change.content)),
            settle=30,
        )
