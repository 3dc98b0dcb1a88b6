"""The one place where kinds are registered."""

from heretic.domain.gluster.kind import GLUSTER_VOLUME
from heretic.domain.kind import Kinds
from heretic.domain.network.kind import NETWORK
from heretic.domain.node.kind import NODE
from heretic.domain.site.kind import SITE

KINDS = Kinds((SITE, NODE, NETWORK, GLUSTER_VOLUME))
"""Every kind that Heretic keeps, in the order in which a site is brought up."""
