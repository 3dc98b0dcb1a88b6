"""A simulated engine with a host that is up, and the storage that it reaches."""

from dataclasses import dataclass
from typing import Any

from ovirtsdk4 import types

from sim.engine.engine import DEFAULT_DATA_CENTER
from sim.engine.storage import GIB, StoragePlace
from unit.simulators.engine_site import EngineSite

Kind, Purpose = types.StorageType, types.StorageDomainType
LUN = "36001405ee0b74100598487e9c5f90850"


def gluster(name: str, address: str = "node1", **options: Any) -> Any:
    return types.HostStorage(type=Kind.GLUSTERFS, address=address, path=f"/{name}", vfs_type="glusterfs", **options)


def nfs(name: str) -> Any:
    return types.HostStorage(type=Kind.NFS, address="nas", path=f"/{name}", nfs_version=types.NfsVersion.AUTO)


def posix(name: str) -> Any:
    return types.HostStorage(type=Kind.POSIXFS, path=f"/dev/{name}", vfs_type="xfs")


def units(kind: Any, *ids: str) -> Any:
    given = {"address": "192.0.2.43", "target": "iqn.2026-01.test:a"} if kind is Kind.ISCSI else {}
    return types.HostStorage(type=kind, logical_units=[types.LogicalUnit(id=key, **given) for key in ids])


@dataclass
class StorageSite:
    """An engine with a host that is up, and what that reaches."""

    site: EngineSite
    system: Any
    host: Any

    @property
    def state(self) -> Any:
        return self.site.server.engine.state

    def add(self, name: str | None, storage: Any, purpose: Any = Purpose.DATA, host: str = "node1") -> Any:
        given = types.StorageDomain(name=name, type=purpose, storage=storage, host=types.Host(name=host))
        return self.system.storage_domains_service().add(given)

    def attach(self, name: str, storage: Any, purpose: Any = Purpose.DATA) -> Any:
        """Makes a domain of the default data center, and waits until it is active."""
        made = self.add(name, storage, purpose)
        self.attached.add(types.StorageDomain(id=made.id))
        self.site.clock.go(minutes=1)
        return self.attached.storage_domain_service(made.id)

    @property
    def attached(self) -> Any:
        center = self.system.data_centers_service().data_center_service(DEFAULT_DATA_CENTER)
        return center.storage_domains_service()

    def domain(self, key: str) -> Any:
        return self.system.storage_domains_service().storage_domain_service(key)


def storage_site(site: EngineSite) -> StorageSite:
    """Brings a host up, and gives it shares and units to reach."""
    system = site.connect()
    made = StorageSite(site, system, site.add_host(system.hosts_service()))
    for name in ("engine", "vmstore", "iso", "export"):
        for place in (f"node1:/{name}", f"nas:/{name}", f"/dev/{name}"):
            made.state.storage[place] = StoragePlace()
    for key in (LUN, f"{LUN}1"):
        made.state.storage[key] = StoragePlace(size=20 * GIB, used=GIB)
    return made
