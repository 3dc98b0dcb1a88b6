"""Steps that have the engine make the networks of a host what they are declared to be."""

from dataclasses import dataclass
from ipaddress import ip_interface
from typing import ClassVar

from heretic.domain.engine.call import BodyElement, EngineCall, EngineRequest, EngineStep, Expectation, Fields, Thing
from heretic.domain.engine.parse import states
from heretic.domain.plan import Outage, Risk

CONFIGURABLE = (states.UP, states.MAINTENANCE, states.NON_OPERATIONAL)
"""States of a host in which the engine sets its networks."""

OUTAGE_SECONDS = 600
"""How long bricks may need after a network was attached until they are whole again."""

_SECONDS = 180
"""For the request: the host changes its network, and has to be reached again before the engine answers."""


@dataclass(frozen=True, kw_only=True)
class SyncHostNetwork(EngineStep):
    """Has one network of one host made anew as the engine has it; guests on it notice.

    Attributes:
        host: Id.
        host_name: Name.
        attachment: Id of the network on that host.
        network: Id of the network.
    """

    verb: ClassVar[str] = "SyncHostNetwork"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    host: str
    host_name: str
    attachment: str
    network: str

    def call(self) -> EngineCall:
        """The host takes the change back by itself where the engine does not reach it afterwards."""
        attached = Thing(f"hosts/{self.host}/networkattachments", id=self.attachment)
        change = BodyElement("network_attachment", (), id=self.attachment)
        return EngineCall(
            done=(Expectation(attached, fields=(("in_sync", True),)),),
            guards=(
                Expectation(attached, fields=(("network.id", self.network),)),
                Expectation(Thing("hosts", id=self.host), fields=(("name", self.host_name), ("status", CONFIGURABLE))),
            ),
            request=_setup(self.host, BodyElement("synchronized_network_attachments", (change,))),
            settle=30,
        )


@dataclass(frozen=True, kw_only=True)
class SyncVitalHostNetwork(SyncHostNetwork):
    """Likewise, of the network of bricks or of management: the host can be lost (rule:one-network-at-a-time)."""

    verb: ClassVar[str] = "SyncVitalHostNetwork"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@dataclass(frozen=True, kw_only=True)
class AttachNetworkToHost(EngineStep):
    """Puts a network on the interface of a host that carries it already, with the addresses that it has there.

    Attributes:
        node: Name of its Node.
        host: Id of the host.
        network: Id of the logical network.
        name: Its name.
        takes_out: Whether the host counts as out of service meanwhile: bricks or the engine reach it over the network.
        guests: How many machines run on the host when this is planned; None where that does not matter.
        interface: The port or bond.
        addresses: With prefix lengths.
    """

    verb: ClassVar[str] = "AttachNetworkToHost"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    node: str
    host: str
    network: str
    name: str
    takes_out: bool
    guests: int | None
    interface: str
    addresses: tuple[str, ...]

    @property
    def outage(self) -> Outage | None:
        """The whole host, where what it holds is cut off for a moment."""
        return Outage(self.node, OUTAGE_SECONDS, ends_with_step=True) if self.takes_out else None

    def call(self) -> EngineCall:
        """Attaches it where the host has it on no interface; no machine may have come to a host without any."""
        attached = Thing(f"hosts/{self.host}/networkattachments", within=(("network.id", self.network),))
        quiet: Fields = () if self.guests is None else (("summary.total", self.guests),)
        change = BodyElement(
            "network_attachment",
            (
                BodyElement("network", (), id=self.network),
                BodyElement("host_nic", (BodyElement("name", self.interface),)),
                BodyElement("ip_address_assignments", tuple(map(_static, self.addresses))),
            ),
        )
        return EngineCall(
            done=(Expectation(attached),),
            guards=(Expectation(Thing("hosts", id=self.host), fields=(("status", CONFIGURABLE), *quiet)),),
            request=_setup(self.host, BodyElement("modified_network_attachments", (change,))),
        )


def _setup(host: str, change: BodyElement) -> EngineRequest:
    """One change of a host's networks: taken back where the host is not heard of afterwards, and else saved."""
    body = (BodyElement("check_connectivity", True), BodyElement("commit_on_success", True), change)
    return EngineRequest("setup_networks", f"hosts/{host}", BodyElement("action", body), seconds=_SECONDS)


def _static(address: str) -> BodyElement:
    parsed = ip_interface(address)
    mask = str(parsed.netmask) if parsed.version == 4 else str(parsed.network.prefixlen)
    ip = (
        BodyElement("address", str(parsed.ip)),
        BodyElement("netmask", mask),
        BodyElement("version", f"v{parsed.version}"),
    )
    return BodyElement("ip_address_assignment", (BodyElement("assignment_method", "static"), BodyElement("ip", ip)))
