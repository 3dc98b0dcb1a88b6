"""Which public addresses each file server may have."""

from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Network

from heretic.api.v1alpha1 import FileShare, Network
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen, write_file
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ctdb.steps import GivePublicAddresses
from heretic.domain.shares.servers import FileServer, address_in


def given(facts: HostFacts) -> tuple[str, ...]:
    """The addresses that a host may have, by its file; none where the file is not known."""
    file = facts.files.get(texts.PUBLIC_ADDRESSES, NOT_OBSERVED)
    return tuple(_address(line) for line in _lines(file.value.content)) if isinstance(file, Known) else ()


def giving(share: FileShare, cluster: ServerCluster) -> list[PlanItem]:
    """What the files with public addresses lack, for this share and those that act beside it."""
    shares = cluster.acting(share)
    items: list[PlanItem] = []
    for server in cluster.servers:
        if server.node in cluster.seen:
            items += _on_host(shares, cluster, server, cluster.seen[server.node])
    return items


def _on_host(
    shares: list[FileShare], cluster: ServerCluster, server: FileServer, facts: HostFacts
) -> Iterator[PlanItem]:
    file = facts.files.get(texts.PUBLIC_ADDRESSES, NOT_OBSERVED)
    if isinstance(file, Unknown):
        yield unseen(facts, texts.PUBLIC_ADDRESSES, file)
        return
    host = cluster.context(facts)
    if isinstance(host, Wait | Blocked):
        yield host
        return
    wanted = _wanted(shares, cluster, server, facts) if server.gives else []
    if isinstance(wanted, Wait):
        yield wanted
        return
    declared = {address for share in shares for address in share.spec.addresses}
    gone = {address for share in shares for address in share.status.addresses} - _declared_by_anybody(cluster.view)
    old = _lines(file.value.content) if isinstance(file, Known) else []
    kept = [line for line in old if _address(line) not in declared | gone]
    text = "".join(f"{line}\n" for line in (*kept, *wanted))
    told = (("ctdb", "reloadips"),)
    yield from write_file(
        host,
        texts.PUBLIC_ADDRESSES,
        lambda _: text,
        "public addresses of shares",
        reader=texts.SERVICE,
        tell=told,
        step=partial(GivePublicAddresses, addresses=tuple(_address(line) for line in _lines(text))),
    )


def _wanted(shares: list[FileShare], cluster: ServerCluster, server: FileServer, facts: HostFacts) -> list[str] | Wait:
    """The lines for the addresses of shares: each with the interface that has the host's own address in its network."""
    lines: dict[str, str] = {}
    for share in shares:
        network = cluster.view.of(Network).get(share.spec.network)
        if network is None:
            continue
        own = address_in(cluster.view.nodes[server.node], network)
        interface = _interface(facts, own)
        if interface is None:
            return Wait(
                Reason.NETWORK_DIFFERS,
                f"{server.node} has {own or 'no address'} of Network {share.spec.network} on none of its interfaces, "
                "so where public addresses belong is not known; configure it on the host, or correct the Node",
            )
        length = IPv4Network(network.spec.subnet).prefixlen
        lines |= {address: f"{address}/{length} {interface}" for address in share.spec.addresses}
    return list(lines.values())


def _interface(facts: HostFacts, address: str) -> str | None:
    interfaces = facts.interfaces.value if isinstance(facts.interfaces, Known) else ()
    return next((i.name for i in interfaces if any(a.partition("/")[0] == address for a in i.addresses)), None)


def _declared_by_anybody(view: SiteView) -> set[str]:
    return {address for share in view.of(FileShare).values() for address in share.spec.addresses}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


def _address(line: str) -> str:
    return line.partition("/")[0]
