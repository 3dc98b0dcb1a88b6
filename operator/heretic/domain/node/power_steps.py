"""Steps that make the engine able to switch a host's power. None of them switches anything."""

from dataclasses import dataclass, field
from typing import ClassVar

from heretic.domain.commands import SecretRef
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Fields,
    Thing,
)
from heretic.domain.engine.power import password_key


@dataclass(frozen=True, kw_only=True)
class _FenceAgentStep(EngineStep):
    """What gives the engine a fence agent as declared.

    Attributes:
        host: Id of the host.
        order: Of the agent.
        type: Which sort of device, in the engine's words.
        address: Of the device.
        port: Of it; 0 = the usual one.
        username: Who may switch the host there.
        password: Where the password is.
        options: Name and value.
        encrypt_options: Whether the engine's database keeps them encrypted.
    """

    host: str
    order: int
    type: str
    address: str
    port: int
    username: str
    password: SecretRef = field(repr=False)
    options: tuple[tuple[str, str], ...]
    encrypt_options: bool

    @property
    def _list(self) -> str:
        return f"hosts/{self.host}/fenceagents"

    @property
    def _which(self) -> Fields:
        return (("type", self.type), ("address", self.address), ("order", self.order))

    @property
    def _shown(self) -> Fields:
        """All that the engine shows of it, so all but the password."""
        fields: Fields = (("username", self.username), ("encrypt_options", self.encrypt_options))
        if self.port:
            fields = (*fields, ("port", self.port))
        if self.options:
            fields = (*fields, ("options", frozenset(f"name={name},value={value}" for name, value in self.options)))
        return fields

    @property
    def _body(self) -> BodyElement:
        options = tuple(
            BodyElement("option", (BodyElement("name", name), BodyElement("value", value)))
            for name, value in self.options
        )
        return BodyElement(
            "agent",
            (
                BodyElement("address", self.address),
                BodyElement("encrypt_options", self.encrypt_options),
                *((BodyElement("options", options),) if options else ()),
                BodyElement("order", self.order),
                BodyElement("password", self.password),
                *((BodyElement("port", self.port),) if self.port else ()),
                BodyElement("type", self.type),
                BodyElement("username", self.username),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class AddFenceAgent(_FenceAgentStep):
    """Gives a host a fence agent."""

    verb: ClassVar[str] = "AddFenceAgent"

    def call(self) -> EngineCall:
        """Where it has no agent of that order for that device."""
        return EngineCall(
            done=(Expectation(Thing(self._list, within=self._which), fields=self._shown),),
            guards=(Expectation(Thing(self._list, within=(("order", self.order),)), there=False),),
            request=EngineRequest(ApiMethod.ADD, self._list, self._body),
            gives=password_key(self.host, self.order),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateFenceAgent(_FenceAgentStep):
    """Changes a fence agent; its password is given each time, because nobody can see whether it is another one.

    Attributes:
        id: Of the agent.
    """

    verb: ClassVar[str] = "UpdateFenceAgent"

    id: str

    def call(self) -> EngineCall:
        """Exactly the one that was recorded."""
        agent = Thing(self._list, id=self.id)
        return EngineCall(
            done=(Expectation(agent, fields=(*self._which, *self._shown)),),
            guards=(Expectation(agent, fields=self._which),),
            request=EngineRequest(ApiMethod.UPDATE, f"{self._list}/{self.id}", self._body),
            unseen=True,
            gives=password_key(self.host, self.order),
        )


@dataclass(frozen=True, kw_only=True)
class RemoveFenceAgent(EngineStep):
    """Takes a fence agent that Heretic keeps from a host.

    Attributes:
        host: Id of the host.
        id: Of the agent.
        device: What it is, for people.
    """

    verb: ClassVar[str] = "RemoveFenceAgent"

    host: str
    id: str
    device: str

    def call(self) -> EngineCall:
        """The device itself stays as it is."""
        path = f"hosts/{self.host}/fenceagents"
        return EngineCall(
            done=(Expectation(Thing(path, id=self.id), there=False),),
            request=EngineRequest(ApiMethod.REMOVE, f"{path}/{self.id}"),
        )


@dataclass(frozen=True, kw_only=True)
class SetPowerManagement(EngineStep):
    """Lets the engine switch a host's power, or not.

    Attributes:
        host: Id of the host.
        enabled: Whether it may.
        kdump_detection: Whether it first waits for a memory dump; None = as it is.
    """

    verb: ClassVar[str] = "SetPowerManagement"

    host: str
    enabled: bool
    kdump_detection: bool | None

    def call(self) -> EngineCall:
        """What else the engine knows of the host's power stays."""
        wanted = [("enabled", self.enabled)]
        if self.kdump_detection is not None:
            wanted.append(("kdump_detection", self.kdump_detection))
        fields: Fields = tuple((f"power_management.{name}", value) for name, value in wanted)
        inner = tuple(BodyElement(name, value) for name, value in wanted)
        host = Thing("hosts", id=self.host)
        return EngineCall(
            done=(Expectation(host, fields=fields),),
            guards=(Expectation(host),),
            request=EngineRequest(
                ApiMethod.UPDATE, f"hosts/{self.host}", BodyElement("host", (BodyElement("power_management", inner),))
            ),
        )
