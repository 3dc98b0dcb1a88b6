"""What the engine writes around the data of each type: its collection, its links and its actions."""

from dataclasses import dataclass
from typing import Any

from ovirtsdk4 import types


@dataclass(frozen=True)
class Shape:
    """How a type is shown.

    Attributes:
        collection: Where its entities are found below the API, where every entity of the type is in one collection.
        links: The collections below an entity.
        actions: Below an entity.
        acts: It is shown with its actions, also where it has none.
    """

    collection: str = ""
    links: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    acts: bool = False


SHAPES: dict[Any, Shape] = {
    types.AffinityGroup: Shape(links=("vmlabels", "hostlabels", "hosts", "vms")),
    types.AffinityLabel: Shape("affinitylabels", links=("hosts", "vms")),
    types.Cluster: Shape(
        "clusters",
        links=(
            *("affinitygroups", "glusterhooks", "glustervolumes", "enabledfeatures", "externalnetworkproviders"),
            *("cpuprofiles", "networkfilters", "networks", "permissions"),
        ),
        actions=("resetemulatedmachine", "syncallnetworks", "refreshglusterhealstatus", "upgrade"),
    ),
    types.DataCenter: Shape(
        "datacenters",
        links=("quotas", "qoss", "iscsibonds", "clusters", "networks", "storagedomains", "permissions"),
        actions=("setmaster", "cleanfinishedtasks"),
    ),
    types.Event: Shape("events"),
    types.GlusterBrick: Shape(links=("statistics",)),
    types.GlusterHook: Shape(actions=("disable", "enable", "resolve")),
    types.GlusterVolume: Shape(
        links=("glusterbricks", "statistics"),
        actions=(
            *("getprofilestatistics", "rebalance", "resetalloptions", "resetoption", "setoption", "start"),
            *("startprofile", "stop", "stopprofile", "stoprebalance"),
        ),
    ),
    types.Host: Shape(
        "hosts",
        links=(
            *("fenceagents", "devices", "hooks", "nics", "numanodes", "storage", "networkattachments"),
            *("storageconnectionextensions", "unmanagednetworks", "externalnetworkproviderconfigurations"),
            *("affinitylabels", "katelloerrata", "permissions", "tags", "statistics"),
        ),
        actions=(
            *("refresh", "install", "activate", "deactivate", "upgrade", "unregisteredstoragedomainsdiscover"),
            *("upgradecheck", "syncallnetworks", "setupnetworks", "approve", "commitnetconfig", "enrollcertificate"),
            *("fence", "forceselectspm", "iscsidiscover", "iscsilogin"),
        ),
    ),
    types.HostNic: Shape(
        links=("linklayerdiscoveryprotocolelements", "networklabels", "networkattachments", "statistics"), acts=True
    ),
    types.Job: Shape("jobs", links=("steps",), actions=("clear", "end")),
    types.MacPool: Shape("macpools", links=("permissions",)),
    types.Network: Shape("networks", links=("permissions", "vnicprofiles", "networklabels")),
    types.NetworkFilter: Shape("networkfilters"),
    types.NetworkLabel: Shape(),
    types.OpenStackNetworkProvider: Shape(
        "openstacknetworkproviders",
        links=("networks", "certificates"),
        actions=("importcertificates", "testconnectivity"),
    ),
    types.SchedulingPolicy: Shape("schedulingpolicies"),
    types.StorageDomain: Shape(
        "storagedomains",
        links=("disks", "diskprofiles", "disksnapshots", "storageconnections", "permissions", "templates", "vms"),
        actions=("isattached", "reduceluns", "updateovfstore", "refreshluns"),
    ),
    types.Tag: Shape("tags"),
    types.Template: Shape("templates"),
    types.User: Shape("users"),
    types.Vm: Shape(
        "vms",
        links=(
            *("applications", "cdroms", "diskattachments", "watchdogs", "graphicsconsoles", "hostdevices", "nics"),
            *("numanodes", "sessions", "reporteddevices", "snapshots", "backups", "affinitylabels", "katelloerrata"),
            *("permissions", "tags", "statistics"),
        ),
        actions=(
            *("detach", "export", "commitsnapshot", "clone", "reordermacaddresses", "logon", "maintenance"),
            *("previewsnapshot", "ticket", "thawfilesystems", "undosnapshot", "freezefilesystems", "cancelmigration"),
            *("reboot", "migrate", "shutdown", "start", "stop", "suspend"),
        ),
    ),
    types.VnicProfile: Shape("vnicprofiles", links=("permissions",)),
}
