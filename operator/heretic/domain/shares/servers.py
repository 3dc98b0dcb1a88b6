"""Which hosts serve files: all of them together are one cluster, for every FileShare of the site."""

from dataclasses import dataclass

from heretic.api.v1alpha1 import Network, Node
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.names import storage_address
from heretic.domain.declared.view import SiteView


@dataclass(frozen=True, slots=True)
class FileServer:
    """One host that serves files.

    Attributes:
        node: Name of its Node.
        address: Where the other file servers reach it: on the network that carries storage, which clients do not see.
        gives: Whether it may have public addresses: a host that only holds arbiter bricks has no data to give.
    """

    node: str
    address: str
    gives: bool


def file_servers(view: SiteView) -> tuple[FileServer, ...]:
    """The Nodes of role FileServer that are not being deleted, by name."""
    stored = view.site.status.storage if view.site else None
    arbiter = stored.arbiter if stored else ""
    return tuple(
        FileServer(name, storage_address(view, node), gives=name != arbiter)
        for name, node in sorted(view.nodes.items())
        if Role.FILE_SERVER in node.spec.roles and node.metadata.deletion_timestamp is None
    )


def address_in(node: Node, network: Network) -> str:
    """The address that a node is declared to have in a Network; "" where it has none."""
    listed = (entry.address for entry in node.spec.addresses if entry.network == network.metadata.name)
    management = node.spec.address if network.spec.role is NetworkRole.MANAGEMENT else ""
    return next(listed, management)
