"""What cannot be of what a FileShare declares, seen together with the rest of the site."""

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from heretic.api.v1alpha1 import FileShare, GlusterVolume, Network
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.api.v1alpha1.subnets import is_ipv6
from heretic.domain.declared.names import is_ipv4
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.plan import Blocked, Obstacle, Wait
from heretic.domain.shares.samba.domain import is_of_domain
from heretic.domain.shares.servers import address_in, file_servers

SHARDED = frozenset({Purpose.ENGINE, Purpose.VIRTUAL_MACHINES, Purpose.ISO, Purpose.BLOCK_SHARE})
"""Purposes whose volumes hold disk images, in pieces."""

PURPOSE = {ShareProtocol.SMB: Purpose.SMB_SHARE, ShareProtocol.NFS: Purpose.NFS_SHARE}
"""What the volume of a share must be for: its options and its cache are those of one protocol."""


def obstacles(share: FileShare, view: SiteView) -> tuple[Obstacle, ...]:
    """Everything that is wrong or missing, one each; empty where the share can be made as it is declared."""
    return (
        *_volume(share, view),
        *_servers(share, view),
        *_addresses(share, view),
        *_accounts(share),
        *_other_shares(share, view),
    )


def _volume(share: FileShare, view: SiteView) -> Iterator[Obstacle]:
    name, wanted = share.spec.volume, PURPOSE[share.spec.protocol]
    volume = view.of(GlusterVolume).get(name)
    if volume is None:
        have = ", ".join(n for n, v in sorted(view.of(GlusterVolume).items()) if v.spec.purpose is wanted) or "none"
        yield Wait(
            Reason.VOLUME_NOT_FOUND,
            f"there is no GlusterVolume {name} (of purpose {wanted.value} there are: {have}); make it",
        )
    elif volume.spec.purpose in SHARDED or volume.status.sharded:
        yield Blocked(
            Reason.VOLUME_SHARDED,
            f"GlusterVolume {name} stores files in pieces (features.shard), which is for disk images: files of several "
            f"clients would be damaged. Sharding is never switched off where files are; name a volume for "
            f"{wanted.value}",
        )
    elif volume.spec.purpose is not wanted:
        yield Blocked(
            Reason.VOLUME_OF_OTHER_PURPOSE,
            f"GlusterVolume {name} is for {volume.spec.purpose.value}, and {share.spec.protocol.value} needs one for "
            f"{wanted.value}: it decides caching, sharding and owner. Name another volume",
        )


def _servers(share: FileShare, view: SiteView) -> Iterator[Obstacle]:
    servers = file_servers(view)
    if not servers:
        yield Wait(
            Reason.NO_FILE_SERVER, "no Node has the role FileServer; add it to spec.roles of those that serve files"
        )
    elif not any(server.gives for server in servers):
        yield Blocked(
            Reason.NO_FILE_SERVER,
            f"the only Node of role FileServer, {servers[0].node}, holds arbiter bricks alone and gets no public "
            "address; give the role to a Node with data",
        )
    for server in servers:
        if not is_ipv4(server.address):
            yield Blocked(
                Reason.INVALID_SPEC,
                f"CTDB knows {server.node} by an IPv4 address, and {server.address} is a name or of IPv6; give its "
                "address in spec.addresses, in the Network of role Gluster",
            )
    network = view.of(Network).get(share.spec.network)
    for server in servers:
        if network and server.gives and not address_in(view.nodes[server.node], network):
            yield Blocked(
                Reason.INVALID_SPEC,
                f"{server.node} has no address in Network {share.spec.network}, so on which interface it shall have "
                "public ones is not known; add it to spec.addresses of that Node",
            )


def _addresses(share: FileShare, view: SiteView) -> Iterator[Obstacle]:
    network = view.of(Network).get(share.spec.network)
    if network is None:
        have = ", ".join(sorted(view.of(Network))) or "none"
        yield Wait(
            Reason.NETWORK_NOT_FOUND,
            f"there is no Network {share.spec.network} (there are: {have}); make it or correct the name",
        )
        return
    if is_ipv6(network.spec.subnet):
        yield Blocked(
            Reason.ADDRESS_OUTSIDE_NETWORK,
            f"public addresses are of IPv4, and Network {share.spec.network} ({network.spec.subnet}) has none; name "
            "another Network, or give it an IPv4 subnet and this one as `ipv6`",
        )
        return
    subnet, owners = IPv4Network(network.spec.subnet), _owners(view)
    for address in share.spec.addresses:
        if IPv4Address(address) not in subnet or address in (str(subnet[0]), str(subnet[-1])):
            yield Blocked(
                Reason.ADDRESS_OUTSIDE_NETWORK,
                f"{address} is no host's address in Network {share.spec.network} ({subnet}); correct spec.addresses",
            )
        elif address in owners:
            yield Blocked(
                Reason.ADDRESS_IN_USE,
                f"{address} belongs to {owners[address]}; a public address moves between hosts, so it must be nobody's",
            )


def _owners(view: SiteView) -> dict[str, str]:
    """Whose each declared address is."""
    owners = {node.spec.address: f"Node {name}" for name, node in view.nodes.items()}
    owners |= {e.address: f"Node {name}" for name, node in view.nodes.items() for e in node.spec.addresses}
    return owners | {n.spec.gateway: f"the gateway of Network {name}" for name, n in view.of(Network).items()}


def _accounts(share: FileShare) -> Iterator[Obstacle]:
    """Where Samba knows its users by itself, a folder can name no others."""
    if share.spec.smb is None:
        return
    known, in_domain = set(share.spec.smb.users), share.spec.smb.active_directory is not None
    for folder in share.spec.folders:
        named = [user for user in (folder.smb.users if folder.smb else ()) if user not in known]
        unknown = [user for user in named if not (in_domain and is_of_domain(user))]
        if unknown:
            yield Blocked(
                Reason.ACCOUNT_UNKNOWN,
                f"folder {folder.name} is for {', '.join(unknown)}, whom spec.smb.users lacks; add or correct them",
            )


def _other_shares(share: FileShare, view: SiteView) -> Iterator[Obstacle]:
    """Samba and Ganesha are one for all shares: what they are told must agree."""
    others = [s for s in view.of(FileShare).values() if s.metadata.name != share.metadata.name]
    alike = [s for s in others if s.spec.protocol is share.spec.protocol and s.metadata.deletion_timestamp is None]
    for other in sorted(alike, key=lambda s: s.metadata.name):
        for field in _differences(share, other):
            yield Blocked(
                Reason.FILE_SHARES_DIFFER,
                f"FileShare {other.metadata.name} has another spec.{field}; one server serves both, so make them alike",
            )
    served: dict[str, list[str]] = defaultdict(list)
    for other in alike:
        for folder in other.spec.folders:
            served[folder.name.lower()].append(other.metadata.name)
    for folder in share.spec.folders:
        if twice := served.get(folder.name.lower()):
            yield Blocked(
                Reason.FILE_SHARES_DIFFER,
                f"folder {folder.name} is served by FileShare {twice[0]} under the same name; rename one of them",
            )


def _differences(share: FileShare, other: FileShare) -> list[str]:
    protocol = "smb" if share.spec.protocol is ShareProtocol.SMB else "nfs"
    mine, theirs = getattr(share.spec, protocol), getattr(other.spec, protocol)
    if mine is None or theirs is None:
        return [] if mine == theirs else [protocol]
    fields = type(mine).model_fields.items()
    return [f"{protocol}.{field.alias}" for name, field in fields if getattr(mine, name) != getattr(theirs, name)]
