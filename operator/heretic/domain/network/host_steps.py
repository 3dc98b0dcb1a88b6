"""Steps that have the engine make the networks of a host what they are declared to be."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.engine.call import BodyElement, EngineCall, EngineStep, Expectation, Fields, Thing
from heretic.domain.engine.host_networks import CONFIGURABLE, OUTAGE_SECONDS, set_up, static
from heretic.domain.plan import Outage, Risk


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
            request=set_up(self.host, BodyElement("synchronized_network_attachments", (change,))),
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
                BodyElement("ip_address_assignments", tuple(map(static, self.addresses))),
            ),
        )
        return EngineCall(
            done=(Expectation(attached),),
            guards=(Expectation(Thing("hosts", id=self.host), fields=(("status", CONFIGURABLE), *quiet)),),
            request=set_up(self.host, BodyElement("modified_network_attachments", (change,))),
        )
