"""The data center and the cluster of the site's hosts, as an engine has them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.mac_pool import EngineMacPool, EngineName


class MigrationPolicy(StrEnum):
    """How guests are moved between hosts while they run."""

    MINIMAL_DOWNTIME = "MinimalDowntime"
    POST_COPY = "PostCopy"
    SUSPEND_WORKLOAD = "SuspendWorkloadIfNeeded"
    LEGACY = "Legacy"


class EngineDataCenter(Model):
    """The data center of the site's hosts."""

    name: EngineName = Field(
        default="Default", description="Its name in the engine. One of another name is made where it is missing."
    )


class FencingPolicy(Model):
    """When the engine may switch a host off that does not answer."""

    enabled: bool = Field(
        default=True,
        strict=True,
        description="Whether hosts of the cluster may be fenced at all. Fencing needs power management on the hosts.",
    )
    skip_if_storage_lease_active: bool = Field(
        default=True,
        strict=True,
        description="Whether a host is spared that still renews its lease on a storage domain: it is alive.",
    )
    skip_if_connectivity_broken: bool = Field(
        default=True,
        strict=True,
        description="Whether nobody is fenced while many hosts cannot be reached: then the network is at fault.",
    )
    connectivity_threshold: Annotated[int, Field(strict=True, ge=25, le=100)] = Field(
        default=50,
        description="How many hosts of the cluster must not be reached for that, in percent, from 25 to 100.",
    )


class EngineClusterSpec(Model):
    """The cluster of the site's hosts."""

    name: EngineName = Field(
        default="Default", description="Its name in the engine. One of another name is made where it is missing."
    )
    cpu_type: Annotated[str, StringConstraints(max_length=120)] = Field(
        default="",
        description=(
            "Type of processor that guests see, by the engine's name for it, such as 'Intel Cascadelake Server "
            "Family': what every host of the cluster can do. Unset: what the engine chose or chooses."
        ),
    )
    migration_policy: MigrationPolicy | None = Field(
        default=None,
        description=(
            "How guests are moved while they run. MinimalDowntime: a guest that writes too fast is not moved. "
            "PostCopy: it is moved, and lost if either host fails meanwhile. SuspendWorkloadIfNeeded: it is moved, and "
            "stands still for longer. Legacy: as engines before 4.0. Unset: what the engine chose."
        ),
    )
    fencing: FencingPolicy = Field(
        default=FencingPolicy(),
        description=(
            "When the engine may switch off a host that does not answer. While a host's bricks are up, or a volume "
            "would lose its quorum, it never may: Heretic keeps both of these set."
        ),
    )
    mac_pool: EngineMacPool | None = Field(
        default=None,
        description=(
            "From where guests get the addresses of their network cards; made where it is missing. Guests keep the "
            "addresses that they have. Unset: what the engine chose."
        ),
    )
