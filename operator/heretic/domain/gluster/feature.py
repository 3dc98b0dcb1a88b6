"""What GlusterVolumes need of the hosts that hold their bricks."""

from heretic.api.v1alpha1.node import Role
from heretic.domain.gluster.placement import groups_needed
from heretic.domain.host.feature import Feature

GLUSTER = Feature(name="Gluster", role=Role.STORAGE, groups=groups_needed)
