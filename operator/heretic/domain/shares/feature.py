"""What the role FileServer needs of a host. Nothing of it serves files by itself: CTDB starts what does."""

from heretic.api.v1alpha1.node import Role
from heretic.domain.host.feature import Feature, Opening
from heretic.domain.host.profiles import Family
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.lock_steps import KEEPER, UNIT

FILE_SERVER = Feature(
    name="CTDB",
    role=Role.FILE_SERVER,
    packages={
        Family.DEBIAN: ("ctdb", "glusterfs-client", "tdb-tools"),
        Family.EL: ("ctdb", "glusterfs-fuse", "tdb-tools"),
    },
    openings=(Opening(((texts.PORT, texts.PORT),), "ctdb"),),
    firewall_services={"ctdb": ((texts.PORT, texts.PORT),)},
    files=(texts.CONFIGURATION, texts.TUNABLES, texts.NODES, texts.PUBLIC_ADDRESSES, texts.DROP_IN),
    readers=(texts.SERVICE,),
    units=(texts.SERVICE, UNIT, KEEPER),
)
