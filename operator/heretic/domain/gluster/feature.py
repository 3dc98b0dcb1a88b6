"""What GlusterVolumes need of the hosts that hold their bricks."""

from heretic.api.v1alpha1.node import Role
from heretic.domain.disks import multipath, thin_profile
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.gluster.placement import groups_needed
from heretic.domain.host.feature import Feature
from heretic.domain.host.profiles import Family
from heretic.domain.pool import glusterd

GLUSTER = Feature(
    name="Gluster",
    role=Role.STORAGE,
    packages={
        Family.DEBIAN: (glusterd.PACKAGE, "lvm2", "thin-provisioning-tools", "xfsprogs", "attr"),
        Family.EL: (glusterd.PACKAGE, "lvm2", "device-mapper-persistent-data", "xfsprogs", "attr"),
    },
    services=(glusterd.SERVICE,),
    openings=glusterd.OPENINGS,
    firewall_services=glusterd.FIREWALL_SERVICES,
    contexts={f"{BRICK_ROOT}(/.*)?": "glusterd_brick_t"},
    rules=(glusterd.drop_in, thin_profile.thin_profile, multipath.multipath),
    files=(glusterd.DROP_IN, thin_profile.FILE, multipath.EXCLUSION),
    readers=(multipath.SERVICE,),
    units=(multipath.SERVICE, f"{BRICK_ROOT.strip('/')}-*.mount"),
    groups=groups_needed,
)
