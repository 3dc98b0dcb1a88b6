"""What an engine needs of the hosts that it runs guests on, before it configures them itself."""

from heretic.api.v1alpha1.node import Role
from heretic.domain.host.feature import Feature
from heretic.domain.host.profiles import Family

AUTHORIZED_KEYS = "/root/.ssh/authorized_keys"

ENGINE_HOST = Feature(
    name="the engine",
    role=Role.HYPERVISOR,
    packages={Family.DEBIAN: (), Family.EL: ()},
    files=(AUTHORIZED_KEYS,),
)
"""The engine comes as root, by its key. All else that a hypervisor needs it installs when the host is added."""
