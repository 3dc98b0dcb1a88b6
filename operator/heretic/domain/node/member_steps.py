"""Steps that make a Node a host of its engine, and take it out of service there and back."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import Command, PutFile, Script
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Thing,
)
from heretic.domain.engine.feature import AUTHORIZED_KEYS
from heretic.domain.engine.parse import states
from heretic.domain.plan import HostStep, Outage, Risk

_PUBLIC_KEY = BodyElement("ssh", (BodyElement("authentication_method", "publickey"),))
_SECONDS = 120
"""For a request at which the engine logs in to the host before it answers."""

OUTAGE_SECONDS = 3600
"""How long guests may take to leave a host."""


@dataclass(frozen=True, kw_only=True)
class AuthorizeEngine(HostStep):
    """Lets the engine in as root, by its public key.

    Attributes:
        line: The line with the key.
        content: The file with that line.
        replaces_sha256: Of the content that this was planned from, "" = there was none.
        mode: Of the file.
        path: Of it.
    """

    verb: ClassVar[str] = "AuthorizeEngine"

    line: str
    content: str = field(repr=False)
    replaces_sha256: str = field(repr=False)
    mode: str = field(default="0600", repr=False)
    path: str = field(default=AUTHORIZED_KEYS, repr=False)

    def script(self) -> Script:
        """Adds exactly one line; what others wrote there stays, and is not written over when it changed meanwhile."""
        return Script(
            done=(Command(("grep", "-qxF", self.line, self.path)),),
            actions=(PutFile(self.path, self.content, self.mode, self.replaces_sha256),),
        )


@dataclass(frozen=True, kw_only=True)
class AddHost(EngineStep):
    """Makes a host of the engine: it is installed there and activated.

    The engine configures the network, the firewall and the storage of the host meanwhile, so one goes at a time.

    Attributes:
        name: Of the host.
        address: Where the engine reaches it.
        port: Of its sshd.
        cluster: Id.
        serves_engine: Whether it shall be able to run the engine's own machine; that can only be decided now.
    """

    verb: ClassVar[str] = "AddHost"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    name: str
    address: str
    port: int
    cluster: str
    serves_engine: bool

    def call(self) -> EngineCall:
        """Adds it where no host has its name or its address. It is not rebooted: bricks run on it."""
        ssh = BodyElement("ssh", (BodyElement("authentication_method", "publickey"), BodyElement("port", self.port)))
        body = BodyElement(
            "host",
            (
                BodyElement("name", self.name),
                BodyElement("address", self.address),
                BodyElement("cluster", (), id=self.cluster),
                ssh,
            ),
        )
        query = [("activate", "true"), (states.WHETHER_REBOOTED, "false")]
        if self.serves_engine:
            query.append(("deploy_hosted_engine", "true"))
        there = (("address", self.address), ("cluster.id", self.cluster))
        return EngineCall(
            done=(Expectation(Thing("hosts", name=self.name), fields=there),),
            guards=(
                Expectation(Thing("hosts", within=(("address", self.address),)), there=False),
                Expectation(Thing("clusters", id=self.cluster)),
            ),
            request=EngineRequest(ApiMethod.ADD, "hosts", body, tuple(sorted(query)), seconds=_SECONDS),
        )


@dataclass(frozen=True, kw_only=True)
class ReinstallHost(EngineStep):
    """Installs a host once more, after an installation that failed or in maintenance.

    Attributes:
        id: Of the host.
        name: Of it.
        activate: Whether it is activated then.
        serves_engine: Whether it shall be able to run the engine's own machine.
    """

    verb: ClassVar[str] = "ReinstallHost"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    id: str
    name: str
    activate: bool
    serves_engine: bool

    def call(self) -> EngineCall:
        """Only from a state in which nothing runs on it."""
        body = (
            BodyElement("activate", self.activate),
            *((BodyElement("deploy_hosted_engine", True),) if self.serves_engine else ()),
            BodyElement(states.WHETHER_REBOOTED, False),
            _PUBLIC_KEY,
        )
        host = Thing("hosts", id=self.id)
        return EngineCall(
            done=(Expectation(host, fields=(("status", states.INSTALLED_NOW),)),),
            guards=(Expectation(host, fields=(("status", (states.INSTALL_FAILED, states.MAINTENANCE)),)),),
            request=EngineRequest("install", f"hosts/{self.id}", BodyElement("action", body), seconds=_SECONDS),
        )


@dataclass(frozen=True, kw_only=True)
class ActivateHost(EngineStep):
    """Brings a host back from maintenance.

    Attributes:
        id: Of the host.
        name: Of it.
    """

    verb: ClassVar[str] = "ActivateHost"

    id: str
    name: str

    def call(self) -> EngineCall:
        """It comes up by itself then."""
        host = Thing("hosts", id=self.id)
        return EngineCall(
            done=(Expectation(host, fields=(("status", states.ACTIVATED),)),),
            guards=(Expectation(host, fields=(("status", states.MAINTENANCE),)),),
            request=EngineRequest("activate", f"hosts/{self.id}", BodyElement("action"), seconds=_SECONDS),
        )


@dataclass(frozen=True, kw_only=True)
class DeactivateHost(EngineStep):
    """Takes a host out of service: its guests leave it, then its bricks are stopped.

    Attributes:
        node: Name of its Node.
        id: Of the host.
        stop_gluster: Whether it holds bricks, whose service the engine stops.
    """

    verb: ClassVar[str] = "DeactivateHost"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    node: str
    id: str
    stop_gluster: bool

    @property
    def outage(self) -> Outage:
        """The whole host."""
        return Outage(self.node, OUTAGE_SECONDS)

    def call(self) -> EngineCall:
        """With the engine's own check of quorum and heal, which comes after ours: it looks at older data."""
        host = Thing("hosts", id=self.id)
        body = (
            BodyElement("reason", f"spec.maintenance of Node {self.node}"),
            *((BodyElement("stop_gluster_service", True),) if self.stop_gluster else ()),
        )
        return EngineCall(
            done=(Expectation(host, fields=(("status", (states.MAINTENANCE, states.LEAVING)),)),),
            guards=(Expectation(host),),
            request=EngineRequest("deactivate", f"hosts/{self.id}", BodyElement("action", body), seconds=_SECONDS),
        )
