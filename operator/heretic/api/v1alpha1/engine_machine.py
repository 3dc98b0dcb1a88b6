"""How the machine is reached on which the engine runs."""

from pydantic import Field

from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.values import Port, UserName


class EngineSSH(Model):
    """How the engine's machine is reached, with the key that opens the site's hosts."""

    user: UserName = Field(
        default="root", description="Account to log in as. Any other than root needs sudo without a password."
    )
    port: Port = Field(default=22, description="TCP port of sshd.")
