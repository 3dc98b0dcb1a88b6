"""Steps that make and keep a logical network in an engine, and its place in the cluster."""

from dataclasses import dataclass
from typing import ClassVar

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
from heretic.domain.network.logical import VM
from heretic.domain.plan import Risk


@dataclass(frozen=True, kw_only=True)
class NetworkValues:
    """What a logical network has in its data center.

    Attributes:
        name: Its name.
        vlan: 0 = no tag.
        mtu: In bytes; 0 = the engine's default.
        for_machines: Whether guests can be attached to it.
    """

    name: str
    vlan: int
    mtu: int
    for_machines: bool

    def body(self) -> tuple[BodyElement, ...]:
        """Elements of a network; an empty VLAN takes the tag away."""
        usages = (BodyElement("usage", VM),) if self.for_machines else ()
        return (
            BodyElement("name", self.name),
            BodyElement("mtu", self.mtu),
            BodyElement("usages", usages),
            BodyElement("vlan", (), id=str(self.vlan) if self.vlan else ""),
        )

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        return (
            ("name", self.name),
            ("mtu", self.mtu),
            ("usages", frozenset({VM} if self.for_machines else ())),
            ("vlan.id", self.vlan or None),
        )

    def __str__(self) -> str:
        tag = f"VLAN {self.vlan}" if self.vlan else "no tag"
        return f"{self.name}, {tag}, MTU {self.mtu or 'default'}, {'' if self.for_machines else 'not '}for guests"


@dataclass(frozen=True, kw_only=True)
class AddLogicalNetwork(EngineStep):
    """Makes a logical network; the engine makes a vNIC profile of its name where guests can be attached to it.

    Attributes:
        data_center: Id of its data center.
        values: What it has.
    """

    verb: ClassVar[str] = "AddLogicalNetwork"

    data_center: str
    values: NetworkValues

    def call(self) -> EngineCall:
        """Adds it where the data center has none of its name; another data center may have one."""
        home = BodyElement("data_center", (), id=self.data_center)
        thing = Thing("networks", name=self.values.name, within=(("data_center.id", self.data_center),))
        return EngineCall(
            done=(Expectation(thing),),
            guards=(Expectation(Thing("datacenters", id=self.data_center)),),
            request=EngineRequest(ApiMethod.ADD, "networks", BodyElement("network", (home, *self.values.body()))),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateLogicalNetwork(EngineStep):
    """Gives a logical network what it is declared to have, where no host is changed by that.

    Attributes:
        id: Of the network.
        values: What it has afterwards.
    """

    verb: ClassVar[str] = "UpdateLogicalNetwork"

    id: str
    values: NetworkValues

    def call(self) -> EngineCall:
        """Sends everything that is declared."""
        body = BodyElement("network", self.values.body())
        return EngineCall(
            done=(Expectation(Thing("networks", id=self.id), fields=self.values.fields()),),
            request=EngineRequest(ApiMethod.UPDATE, f"networks/{self.id}", body),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateNetworkOfHosts(UpdateLogicalNetwork):
    """Likewise, where hosts may have the network: the engine changes it on all of them at once, guests notice."""

    verb: ClassVar[str] = "UpdateNetworkOfHosts"
    risk: ClassVar[Risk] = Risk.DISRUPTIVE


@dataclass(frozen=True, kw_only=True)
class UpdateVitalNetwork(UpdateLogicalNetwork):
    """Likewise, for the network of bricks or of management: hosts can lose each other (rule:one-network-at-a-time)."""

    verb: ClassVar[str] = "UpdateVitalNetwork"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE


@dataclass(frozen=True, kw_only=True)
class RemoveLogicalNetwork(EngineStep):
    """Removes a logical network from the data center and its clusters, with its vNIC profiles.

    Attributes:
        id: Of the network.
        name: Likewise.
    """

    verb: ClassVar[str] = "RemoveLogicalNetwork"
    risk: ClassVar[Risk] = Risk.DESTRUCTIVE

    id: str
    name: str

    def call(self) -> EngineCall:
        """The engine refuses it while a guest is attached to the network."""
        return EngineCall(
            done=(Expectation(Thing("networks", id=self.id), there=False),),
            guards=(Expectation(Thing("networks", id=self.id), fields=(("name", self.name),)),),
            request=EngineRequest(ApiMethod.REMOVE, f"networks/{self.id}"),
        )


@dataclass(frozen=True, kw_only=True)
class ClusterUse:
    """What a cluster uses a network for.

    Attributes:
        required: Whether a host without it runs no guests.
        roles: In the engine's words, in order; "management" among them for that network.
        for_machines: Whether guests can be attached to it, which is said in the data center.
    """

    required: bool
    roles: tuple[str, ...]
    for_machines: bool

    def body(self) -> tuple[BodyElement, ...]:
        """Elements of a network of a cluster."""
        usages = tuple(BodyElement("usage", role) for role in self.roles)
        return BodyElement("required", self.required), BodyElement("usages", usages)

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        usages = frozenset({*self.roles, VM} if self.for_machines else self.roles)
        return ("required", self.required), ("usages", usages)

    def __str__(self) -> str:
        return f"{'' if self.required else 'not '}required, for {' '.join(self.roles) or 'no role'}"


@dataclass(frozen=True, kw_only=True)
class AttachNetworkToCluster(EngineStep):
    """Gives a cluster a network of its data center. A usage that another network has goes over to this one.

    Attributes:
        cluster: Id of the cluster.
        network: Id of the network.
        use: What the cluster uses it for.
    """

    verb: ClassVar[str] = "AttachNetworkToCluster"

    cluster: str
    network: str
    use: ClusterUse

    def call(self) -> EngineCall:
        """Adds it where the cluster has not got it."""
        place = f"clusters/{self.cluster}/networks"
        body = BodyElement("network", self.use.body(), id=self.network)
        return EngineCall(
            done=(Expectation(Thing(place, id=self.network)),),
            guards=(Expectation(Thing("networks", id=self.network)),),
            request=EngineRequest(ApiMethod.ADD, place, body),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateClusterNetwork(EngineStep):
    """Says what a cluster uses a network for. A usage that another network has goes over to this one.

    Attributes:
        cluster: Id of the cluster.
        network: Id of the network.
        use: What the cluster uses it for.
    """

    verb: ClassVar[str] = "UpdateClusterNetwork"

    cluster: str
    network: str
    use: ClusterUse

    def call(self) -> EngineCall:
        """Sends all usages: those that are not sent are taken away."""
        place = f"clusters/{self.cluster}/networks"
        return EngineCall(
            done=(Expectation(Thing(place, id=self.network), fields=self.use.fields()),),
            guards=(Expectation(Thing(place, id=self.network)),),
            request=EngineRequest(ApiMethod.UPDATE, f"{place}/{self.network}", BodyElement("network", self.use.body())),
        )
