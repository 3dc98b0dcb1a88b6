"""What a Node's status tells of the host itself."""

from pydantic import Field

from heretic.api.v1alpha1.common import StatusModel
from heretic.api.v1alpha1.values import Text


class NodeFactsStatus(StatusModel):
    """The host, in short."""

    os: Text = Field(default="", description="Name and version of the operating system.")
    platform: Text = Field(default="", description="Platform profile in use: debian13, debian12 or el9.")
    kernel: Text = Field(default="", description="Version of the running kernel.")
    cpu: Text = Field(default="", description="Model of the CPU.")
    cpus: int = Field(default=0, description="Number of logical CPUs.")
    memory: Text = Field(default="", description="Size of the memory.")
    gluster: Text = Field(default="", description="Version of Gluster.")
