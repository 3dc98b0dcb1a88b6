"""Steps that make, keep and give up storage domains. None of them formats anything."""

from dataclasses import dataclass
from typing import ClassVar

from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Thing,
)
from heretic.domain.engine.parse import domain_states, states
from heretic.domain.engine.storage.values import DomainPlace
from heretic.domain.plan import Risk

_DOMAINS = "storagedomains"
_ACTION = BodyElement("action")


def _attached(data_center: str) -> str:
    return f"datacenters/{data_center}/storagedomains"


def _host_is_up(host: str) -> Expectation:
    return Expectation(Thing("hosts", name=host), fields=(("status", states.UP),))


@dataclass(frozen=True, kw_only=True)
class AddStorageDomain(EngineStep):
    """Makes a storage domain, which is attached nowhere yet. One that already lies there is taken in as it is.

    Attributes:
        name: Of the domain.
        purpose: "data", "iso" or "export".
        place: Where it lies.
        host: Name of the host that mounts it for that.
        settings: What else is declared of it.
    """

    verb: ClassVar[str] = "AddStorageDomain"

    name: str
    purpose: str
    place: DomainPlace
    host: str
    settings: tuple[tuple[str, str | int], ...] = ()

    def call(self) -> EngineCall:
        """Adds it where no domain has its name or lies in its place."""
        named = Thing(_DOMAINS, name=self.name)
        there = (named, self.place.thing())
        body = (
            *(BodyElement(name, value) for name, value in self.settings),
            BodyElement("host", (BodyElement("name", self.host),)),
            BodyElement("name", self.name),
            self.place.body(),
            BodyElement("type", self.purpose),
        )
        return EngineCall(
            done=(Expectation(named, fields=(("type", self.purpose), *self.place.fields())),),
            guards=(
                *(Expectation(thing, there=False) for thing in there if thing is not None),
                _host_is_up(self.host),
            ),
            request=EngineRequest(ApiMethod.ADD, _DOMAINS, BodyElement("storage_domain", body)),
        )


@dataclass(frozen=True, kw_only=True)
class AddBlockDomain(AddStorageDomain):
    """Makes a storage domain on units of block storage, which it takes as a whole.

    The engine is never told to override what is on them, so it refuses units that carry anything.
    """

    verb: ClassVar[str] = "AddBlockDomain"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@dataclass(frozen=True, kw_only=True)
class UpdateStorageDomain(EngineStep):
    """Gives a storage domain its declared name and settings.

    Attributes:
        domain: Its id.
        settings: By the names of the API.
    """

    verb: ClassVar[str] = "UpdateStorageDomain"

    domain: str
    settings: tuple[tuple[str, str | int], ...]

    def call(self) -> EngineCall:
        """Changes nothing else."""
        body = BodyElement("storage_domain", tuple(BodyElement(name, value) for name, value in self.settings))
        return EngineCall(
            done=(Expectation(Thing(_DOMAINS, id=self.domain), fields=self.settings),),
            request=EngineRequest(ApiMethod.UPDATE, f"{_DOMAINS}/{self.domain}", body),
        )


@dataclass(frozen=True, kw_only=True)
class _OfDataCenter(EngineStep):
    """A step on a storage domain in a data center.

    Attributes:
        data_center: Id.
        domain: Id.
        name: Of the domain, for people.
    """

    data_center: str
    domain: str
    name: str

    @property
    def _there(self) -> Thing:
        return Thing(_attached(self.data_center), id=self.domain)

    @property
    def _path(self) -> str:
        return f"{_attached(self.data_center)}/{self.domain}"


@dataclass(frozen=True, kw_only=True)
class AttachStorageDomain(_OfDataCenter):
    """Attaches a storage domain to the data center; the engine activates it then. The first one becomes its master."""

    verb: ClassVar[str] = "AttachStorageDomain"

    def call(self) -> EngineCall:
        """Done once the data center lists it, in whatever state: what becomes of it takes its time."""
        body = BodyElement("storage_domain", (), id=self.domain)
        return EngineCall(
            done=(Expectation(self._there),),
            guards=(Expectation(Thing(_DOMAINS, id=self.domain)),),
            request=EngineRequest(ApiMethod.ADD, _attached(self.data_center), body),
        )


@dataclass(frozen=True, kw_only=True)
class ActivateStorageDomain(_OfDataCenter):
    """Takes a storage domain out of maintenance."""

    verb: ClassVar[str] = "ActivateStorageDomain"

    def call(self) -> EngineCall:
        """Done once the engine is at it."""
        return EngineCall(
            done=(Expectation(self._there, fields=(("status", ("active", "activating", "locked")),)),),
            guards=(Expectation(self._there, fields=(("status", domain_states.MAINTENANCE),)),),
            request=EngineRequest("activate", self._path, _ACTION),
        )


@dataclass(frozen=True, kw_only=True)
class DeactivateStorageDomain(_OfDataCenter):
    """Puts a storage domain into maintenance; the engine refuses while guests use it."""

    verb: ClassVar[str] = "DeactivateStorageDomain"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE

    def call(self) -> EngineCall:
        """Done once no host uses it any more."""
        return EngineCall(
            done=(Expectation(self._there, fields=(("status", domain_states.MAINTENANCE),)),),
            guards=(Expectation(self._there, fields=(("status", domain_states.ACTIVE),)),),
            request=EngineRequest("deactivate", self._path, _ACTION),
            settle=50,
        )


@dataclass(frozen=True, kw_only=True)
class DetachStorageDomain(_OfDataCenter):
    """Takes a storage domain out of its data center; the engine forgets the guests on it."""

    verb: ClassVar[str] = "DetachStorageDomain"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    def call(self) -> EngineCall:
        """Never out of anything but maintenance."""
        return EngineCall(
            done=(Expectation(self._there, there=False),),
            guards=(Expectation(self._there, fields=(("status", domain_states.MAINTENANCE),)),),
            request=EngineRequest(ApiMethod.REMOVE, self._path),
            settle=50,
        )


@dataclass(frozen=True, kw_only=True)
class RemoveStorageDomain(EngineStep):
    """Lets the engine forget a storage domain that is attached nowhere; what lies on it stays.

    Attributes:
        domain: Its id.
        name: For people.
        host: Name of the host that does it.
    """

    verb: ClassVar[str] = "RemoveStorageDomain"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    domain: str
    name: str
    host: str

    def call(self) -> EngineCall:
        """Without formatting it."""
        there = Thing(_DOMAINS, id=self.domain)
        return EngineCall(
            done=(Expectation(there, there=False),),
            guards=(Expectation(there, fields=(("status", domain_states.UNATTACHED),)), _host_is_up(self.host)),
            request=EngineRequest(ApiMethod.REMOVE, f"{_DOMAINS}/{self.domain}", query=(("host", self.host),)),
            settle=50,
        )


@dataclass(frozen=True, kw_only=True)
class SeeNoStorageDomain(EngineStep):
    """Sees that no storage domain lies on a volume in the moment before that is stopped. It changes nothing.

    Attributes:
        place: Of the volume.
    """

    verb: ClassVar[str] = "SeeNoStorageDomain"

    place: DomainPlace

    def call(self) -> EngineCall:
        """What is done is also what is guarded, so its request is never sent."""
        thing = self.place.thing()
        assert thing is not None
        nothing = (Expectation(thing, there=False),)
        return EngineCall(done=nothing, guards=nothing, request=EngineRequest(ApiMethod.REMOVE, f"{_DOMAINS}/none"))
