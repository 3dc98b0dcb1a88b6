"""FileShare, as the loop knows it."""

from collections.abc import Iterable, Mapping

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Network, Node, Site
from heretic.api.v1alpha1.file_share import FileShareStatus
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.view import SiteView
from heretic.domain.host.facts import HostView
from heretic.domain.kind import Assessment, GaugeOf, Kind, Needs, Observed, OutageRule, Reference
from heretic.domain.plan import Plan, PlanItem
from heretic.domain.report import Report
from heretic.domain.shares.cluster import may_act, see
from heretic.domain.shares.ctdb.facts import CTDB
from heretic.domain.shares.ctdb.outage import leaving
from heretic.domain.shares.feature import DOMAIN_MEMBER, FILE_SERVER, NFS_SERVER
from heretic.domain.shares.ganesha.facts import GANESHA
from heretic.domain.shares.kerberos.facts import DOMAIN_KEY, KEYTABS
from heretic.domain.shares.limit_facts import LIMITS
from heretic.domain.shares.plan import gates
from heretic.domain.shares.report import report_share
from heretic.domain.shares.samba.domain_facts import DOMAIN
from heretic.domain.shares.samba.domain_plan import leaving as leaving_domain
from heretic.domain.shares.samba.facts import SAMBA
from heretic.domain.shares.server_facts import SERVER
from heretic.domain.shares.servers import file_servers


def _needs(share: FileShare, view: SiteView, seen: Mapping[str, HostView]) -> Needs:
    return Needs(hosts=frozenset(server.node for server in file_servers(view)))


def _assess(share: FileShare, view: SiteView, observed: Observed) -> Assessment:
    cluster = see(view, observed.hosts)
    found = gates(share, cluster)
    return Assessment(found.plan, report_share(share, cluster, found))


def _remove(share: FileShare, view: SiteView, observed: Observed) -> Plan:
    return leaving_domain(share, see(view, observed.hosts))


def _references(share: FileShare) -> Iterable[Reference]:
    yield Reference(Site)
    yield Reference(Network, share.spec.network)
    for volume in filter(None, (share.spec.volume, share.status.lock_volume)):
        yield Reference(GlusterVolume, volume)


def _needs_before_outage(view: SiteView) -> Needs:
    return Needs(frozenset(server.node for server in file_servers(view))) if view.of(FileShare) else Needs()


def _against_outage(node: str, view: SiteView, now: Observed, earlier: Observed) -> Iterable[str]:
    """Another file server must be able to take the addresses; who is alone has nobody to give them to."""
    servers = file_servers(view) if view.of(FileShare) else ()
    others = [server for server in servers if server.gives and server.node != node]
    if node not in {server.node for server in servers} or not others:
        return
    nodes = see(view, now.hosts).nodes()
    if not any(server.address in nodes and not nodes[server.address].states for server in others):
        names = ", ".join(server.node for server in others)
        yield f"no other file server is known to serve ({names}), so nobody could take the public addresses of {node}"


def _before_outage(node: str, view: SiteView, now: Observed) -> Iterable[PlanItem]:
    """Its public addresses move to another file server, as far as some FileShare may act."""
    cluster = see(view, now.hosts)
    server = next((server for server in cluster.servers if server.node == node), None)
    return leaving(cluster, server) if server and any(may_act(s, view) for s in view.of(FileShare).values()) else ()


def _addresses_up(report: Report) -> float | None:
    assert isinstance(report.status, FileShareStatus)
    states = {c.type: c.state for c in report.conditions}
    known = states[ConditionType.ADDRESSES_ASSIGNED] != "Unknown"
    return float(report.status.addresses_up.partition("/")[0]) if known else None


FILE_SHARE = Kind(
    model=FileShare,
    conditions=(
        ConditionType.LOCK_READY,
        ConditionType.CTDB_READY,
        ConditionType.ADDRESSES_ASSIGNED,
        ConditionType.SERVED,
        ConditionType.DEGRADED,
    ),
    needs=_needs,
    assess=_assess,
    remove=_remove,
    reads=(Site, Node, Network, GlusterVolume, FileShare),
    refers_to=(Site, Network, GlusterVolume),
    references=_references,
    recorded=("servers", "addresses", "accounts", "exports", "folders"),
    outage=OutageRule(_needs_before_outage, _against_outage, _before_outage),
    features=(FILE_SERVER, NFS_SERVER, DOMAIN_MEMBER),
    sections=(CTDB, SERVER, SAMBA, DOMAIN, GANESHA, KEYTABS, DOMAIN_KEY, LIMITS),
    gauges=(
        GaugeOf(
            "heretic_public_addresses_up",
            "Public addresses that a file server has; absent while unknown.",
            "share",
            _addresses_up,
        ),
    ),
)
