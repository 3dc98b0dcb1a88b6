"""Steps that make and keep the data center and the cluster of a site."""

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


@dataclass(frozen=True, kw_only=True)
class AddDataCenter(EngineStep):
    """Makes a data center for shared storage.

    Attributes:
        name: Of the data center.
    """

    verb: ClassVar[str] = "AddDataCenter"

    name: str

    def call(self) -> EngineCall:
        """Adds it where no data center has its name."""
        body = BodyElement("data_center", (BodyElement("name", self.name), BodyElement("local", False)))
        return EngineCall(
            done=(Expectation(Thing("datacenters", name=self.name)),),
            request=EngineRequest(ApiMethod.ADD, "datacenters", body),
        )


@dataclass(frozen=True, kw_only=True)
class RenameDataCenter(EngineStep):
    """Gives a data center its declared name again.

    Attributes:
        id: Of the data center.
        name: As declared.
    """

    verb: ClassVar[str] = "RenameDataCenter"

    id: str
    name: str

    def call(self) -> EngineCall:
        """Changes nothing but the name."""
        body = BodyElement("data_center", (BodyElement("name", self.name),))
        return EngineCall(
            done=(Expectation(Thing("datacenters", id=self.id), fields=(("name", self.name),)),),
            request=EngineRequest(ApiMethod.UPDATE, f"datacenters/{self.id}", body),
        )


@dataclass(frozen=True, kw_only=True)
class FencingRules:
    """When hosts of a cluster may be fenced. The engine resets what a change does not say, so all of it is said.

    Attributes:
        enabled: Whether at all.
        spares_leases: Whether a host is spared that renews its lease on a storage domain.
        spares_islands: Whether nobody is fenced while many hosts cannot be reached.
        island_percent: How many of the cluster's hosts are many.
    """

    enabled: bool
    spares_leases: bool
    spares_islands: bool
    island_percent: int

    def body(self) -> BodyElement:
        """The element of a cluster; both Gluster flags are always set (rule:fencing-needs-proof)."""
        broken = BodyElement("enabled", self.spares_islands), BodyElement("threshold", self.island_percent)
        return BodyElement(
            "fencing_policy",
            (
                BodyElement("enabled", self.enabled),
                BodyElement("skip_if_connectivity_broken", broken),
                BodyElement("skip_if_gluster_bricks_up", True),
                BodyElement("skip_if_gluster_quorum_not_met", True),
                BodyElement("skip_if_sd_active", (BodyElement("enabled", self.spares_leases),)),
            ),
        )

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        return (
            ("fencing_policy.enabled", self.enabled),
            ("fencing_policy.skip_if_connectivity_broken.enabled", self.spares_islands),
            ("fencing_policy.skip_if_connectivity_broken.threshold", self.island_percent),
            ("fencing_policy.skip_if_gluster_bricks_up", True),
            ("fencing_policy.skip_if_gluster_quorum_not_met", True),
            ("fencing_policy.skip_if_sd_active.enabled", self.spares_leases),
        )

    def __str__(self) -> str:
        return ", ".join(f"{path.partition('.')[2]} {str(value).lower()}" for path, value in self.fields())


@dataclass(frozen=True, kw_only=True)
class ClusterValues:
    """What a cluster is declared to have.

    Attributes:
        name: Of the cluster.
        cpu_type: "" = what the engine chose.
        migration_policy: Id; "" = what the engine chose.
        fencing: When its hosts may be fenced.
        mac_pool: Id; "" = what the engine chose.
    """

    name: str
    cpu_type: str
    migration_policy: str
    fencing: FencingRules
    mac_pool: str = ""

    def body(self) -> tuple[BodyElement, ...]:
        """Elements of a cluster whose hosts run machines and serve Gluster."""
        policy = BodyElement("policy", (), id=self.migration_policy)
        return (
            BodyElement("name", self.name),
            *((BodyElement("cpu", (BodyElement("type", self.cpu_type),)),) if self.cpu_type else ()),
            self.fencing.body(),
            BodyElement("gluster_service", True),
            *((BodyElement("mac_pool", (), id=self.mac_pool),) if self.mac_pool else ()),
            *((BodyElement("migration", (policy,)),) if self.migration_policy else ()),
            BodyElement("virt_service", True),
        )

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        return (
            ("name", self.name),
            *((("cpu.type", self.cpu_type),) if self.cpu_type else ()),
            *self.fencing.fields(),
            ("gluster_service", True),
            *((("mac_pool.id", self.mac_pool),) if self.mac_pool else ()),
            *((("migration.policy.id", self.migration_policy),) if self.migration_policy else ()),
            ("virt_service", True),
        )

    def __str__(self) -> str:
        return ", ".join(f"{path} {str(value).lower()}" for path, value in self.fields())


@dataclass(frozen=True, kw_only=True)
class AddCluster(EngineStep):
    """Makes a cluster.

    Attributes:
        data_center: Id of its data center.
        values: What it has.
    """

    verb: ClassVar[str] = "AddCluster"

    data_center: str
    values: ClusterValues

    def call(self) -> EngineCall:
        """Adds it where no cluster has its name; names of clusters are unique in an engine."""
        home = BodyElement("data_center", (), id=self.data_center)
        thing = Thing("clusters", name=self.values.name)
        return EngineCall(
            done=(Expectation(thing, fields=(("data_center.id", self.data_center),)),),
            guards=(Expectation(Thing("datacenters", id=self.data_center)),),
            request=EngineRequest(ApiMethod.ADD, "clusters", BodyElement("cluster", (home, *self.values.body()))),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateCluster(EngineStep):
    """Gives a cluster what it is declared to have.

    Attributes:
        id: Of the cluster.
        values: What it has afterwards.
    """

    verb: ClassVar[str] = "UpdateCluster"

    id: str
    values: ClusterValues

    def call(self) -> EngineCall:
        """Sends everything that is declared; the rest stays as it is."""
        return EngineCall(
            done=(Expectation(Thing("clusters", id=self.id), fields=self.values.fields()),),
            request=EngineRequest(ApiMethod.UPDATE, f"clusters/{self.id}", BodyElement("cluster", self.values.body())),
        )
