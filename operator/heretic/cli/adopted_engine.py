"""The manifest of an engine that runs, and which of the hosts are its: pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from heretic.api.v1alpha1 import HostedEngine
from heretic.api.v1alpha1.hosted_engine import Deployment
from heretic.cli.manifest import Manifest, make
from heretic.domain.engine.facts import EngineCluster, EngineFacts, EngineHost, StorageDomain
from heretic.domain.facts import Known


@dataclass(frozen=True, slots=True)
class FoundEngine:
    """An engine that was looked at.

    Attributes:
        fqdn: Its name.
        address: Where it is; "" = where its name leads.
        port: Of its web server.
        ca: Who signs its certificate, PEM.
        facts: What it showed.
    """

    fqdn: str
    address: str
    port: int
    ca: str
    facts: EngineFacts


def hosts_of_engine(engine: FoundEngine, addresses: Mapping[str, Iterable[str]]) -> dict[str, EngineHost]:
    """The hosts of the engine among those that are adopted, by the names that they have here.

    Args:
        engine: As it was found.
        addresses: Names and addresses of each host that is adopted, by its name here.
    """
    known = engine.facts.hosts.value if isinstance(engine.facts.hosts, Known) else ()
    found: dict[str, EngineHost] = {}
    for name, own in addresses.items():
        theirs = {name, *own}
        host = next((h for h in known if h.address in theirs), None)
        if host is not None:
            found[name] = host
    return found


def domains_on(engine: FoundEngine, names: Collection[str]) -> dict[str, StorageDomain]:
    """The storage domains of the engine that lie on volumes of the site, by the volume's name in Gluster.

    Args:
        engine: As it was found.
        names: All names and addresses of the hosts that are adopted.
    """
    known = engine.facts.storage_domains
    found = known.value if isinstance(known, Known) else ()
    return {d.path.strip("/"): d for d in found if d.storage == "glusterfs" and d.address in names}


def with_domain(volume: Manifest, domain: StorageDomain) -> Manifest:
    """The manifest of a volume that is a storage domain; unchanged where its purpose does not allow one."""
    function = _FUNCTIONS.get(domain.purpose)
    kind, meta = volume.object["kind"], volume.object["metadata"]
    spec = volume.object["spec"] | {"storageDomain": {"name": domain.name, "function": function}}
    try:
        return make(kind, meta.get("namespace", ""), meta["name"], spec, volume.remarks)
    except ValueError:
        return volume


_FUNCTIONS = {"data": "Data", "iso": "ISO", "export": "Export"}


def adopt_engine(engine: FoundEngine, hosts: Mapping[str, EngineHost], namespace: str) -> Manifest | str:
    """The manifest of an engine.

    Args:
        engine: As it was found.
        hosts: Which of the adopted hosts are its, by the names that they have here.
        namespace: Of the manifest.

    Returns:
        The manifest, or why there is none.
    """
    facts = engine.facts
    clusters = facts.clusters.value if isinstance(facts.clusters, Known) else ()
    centers = {c.id: c for c in facts.data_centers.value} if isinstance(facts.data_centers, Known) else {}
    ids = {host.cluster for host in hosts.values()}
    mine = [c for c in clusters if c.id in ids] if ids else [c for c in clusters if c.name == "Default"]
    if len(mine) != 1 or mine[0].data_center not in centers:
        names = ", ".join(sorted(c.name for c in mine)) or "none that could be told"
        return f"the engine {engine.fqdn} is left out: the hosts are in the clusters {names}, and a site has one"
    cluster = mine[0]
    spec: dict[str, Any] = {
        "deployment": Deployment.EXISTING.value,
        "fqdn": engine.fqdn,
        **({"address": engine.address} if engine.address else {}),
        **({"port": engine.port} if engine.port != 443 else {}),
        "certificateAuthority": engine.ca,
        "dataCenter": {"name": centers[cluster.data_center].name},
        "cluster": {"name": cluster.name, "fencing": _fencing(cluster)},
    }
    named = f" --namespace {namespace}" if namespace else ""
    remarks = [
        f"Who logs in goes into a Secret: kubectl create secret generic heretic-engine{named} "
        "--type kubernetes.io/basic-auth --from-literal username=admin@internal --from-file password=FILE",
    ]
    others = {h.name: n for n, h in hosts.items() if h.name != n}
    if others:
        said = ", ".join(f"{theirs} is {here}" for theirs, here in sorted(others.items()))
        remarks.append(f"ATTENTION: the engine has other names for hosts: {said}. Name the Nodes as the engine does.")
    try:
        return make(HostedEngine.KIND, namespace, "engine", spec, tuple(remarks))
    except ValueError as error:
        return f"the engine {engine.fqdn} cannot be declared: {error}"


def _fencing(cluster: EngineCluster) -> dict[str, Any]:
    """As it is, as far as it may be declared."""
    flags = cluster.fencing
    told = {
        "enabled": flags.enabled,
        "skipIfStorageLeaseActive": flags.spares_leases,
        "skipIfConnectivityBroken": flags.spares_islands,
        "connectivityThreshold": flags.island_percent,
    }
    return {name: value for name, value in told.items() if value is not None}
