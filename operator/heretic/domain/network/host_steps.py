"""Steps that have the engine make the networks of a host what they are declared to be."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.engine.call import BodyElement, EngineCall, EngineRequest, EngineStep, Expectation, Thing
from heretic.domain.engine.parse import states
from heretic.domain.plan import Risk

CONFIGURABLE = (states.UP, states.MAINTENANCE, states.NON_OPERATIONAL)
"""States of a host in which the engine sets its networks."""

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
        body = (
            BodyElement("check_connectivity", True),
            BodyElement("commit_on_success", True),
            BodyElement(
                "synchronized_network_attachments", (BodyElement("network_attachment", (), id=self.attachment),)
            ),
        )
        return EngineCall(
            done=(Expectation(attached, fields=(("in_sync", True),)),),
            guards=(
                Expectation(attached, fields=(("network.id", self.network),)),
                Expectation(Thing("hosts", id=self.host), fields=(("name", self.host_name), ("status", CONFIGURABLE))),
            ),
            request=EngineRequest(
                "setup_networks", f"hosts/{self.host}", BodyElement("action", body), seconds=_SECONDS
            ),
            settle=30,
        )


@dataclass(frozen=True, kw_only=True)
class SyncVitalHostNetwork(SyncHostNetwork):
    """Likewise, of the network of bricks or of management: the host can be lost (rule:one-network-at-a-time)."""

    verb: ClassVar[str] = "SyncVitalHostNetwork"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE
