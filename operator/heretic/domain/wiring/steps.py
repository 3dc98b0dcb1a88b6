"""Steps that find out where ports lead. They change nothing that carries anything."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, Expect, Script
from heretic.domain.plan import HostStep
from heretic.domain.wiring.parse.asked import ASKED_FILE
from heretic.domain.wiring.questions import SECONDS


@dataclass(frozen=True, kw_only=True)
class SwitchPortOn(HostStep):
    """Switches on a port that carries nothing: before, it cannot tell whether it has a link. A boot forgets it.

    Attributes:
        port: Its name.
        mac: Its hardware address.
    """

    verb: ClassVar[str] = "SwitchPortOn"

    port: str
    mac: str

    def script(self) -> Script:
        """A router that is heard there must not give the host a route: advertisements are not listened to."""
        link = ("ip", "-o", "link", "show", "dev", self.port)
        return Script(
            done=(Command((*link, "up"), expect=Expect.ONLY, text=f"*: {self.port}*"),),
            guards=(
                Command(link, expect=Expect.ONLY, text=f"* {self.mac}*"),
                Command(link, expect=Expect.NONE, text="* master *"),
                Command(("ip", "-o", "addr", "show", "dev", self.port), expect=Expect.EMPTY),
            ),
            actions=(
                Command(("sysctl", "-q", "-e", "-w", f"net.ipv6.conf.{self.port.replace('.', '/')}.accept_ra=0")),
                Command(("ip", "link", "set", "dev", self.port, "up")),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class AskPorts(HostStep):
    """Asks free ports where they lead; the answers are a file in the host's memory, which the next look reads.

    Attributes:
        ports: Their names.
        targets: Addresses that are asked for.
        request: For the program that asks (hosts/ask_ports.py).
        key: Of the request and the links; it stands before the answers.
    """

    verb: ClassVar[str] = "AskPorts"

    ports: tuple[str, ...]
    targets: tuple[str, ...]
    request: str = field(repr=False)
    key: str

    def script(self) -> Script:
        """Ports that carry something by now are left out by the program itself, which looks again."""
        return Script(
            done=(Command(("grep", "-q", f"^{self.key} ", ASKED_FILE)),),
            actions=(Command(("@ask", self.key, self.request), timeout=2 * SECONDS + 10),),
        )
