"""hvp.ovirt.life/v1alpha1: one module a kind."""

from heretic.api.v1alpha1.common import GROUP, VERSION, DeletionPolicy, Metadata, Mode, Resource, StoredCondition
from heretic.api.v1alpha1.file_share import FileShare
from heretic.api.v1alpha1.gluster_volume import GlusterVolume
from heretic.api.v1alpha1.hosted_engine import HostedEngine
from heretic.api.v1alpha1.network import Network
from heretic.api.v1alpha1.node import Node
from heretic.api.v1alpha1.site import Site

__all__ = [
    "GROUP",
    "VERSION",
    "DeletionPolicy",
    "FileShare",
    "GlusterVolume",
    "HostedEngine",
    "Metadata",
    "Mode",
    "Network",
    "Node",
    "Resource",
    "Site",
    "StoredCondition",
]
