"""An engine that Heretic sets up on a machine of its own."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import matching
from heretic.api.v1alpha1.common import Model
from heretic.api.v1alpha1.values import Attempt


class StandaloneSpec(Model):
    """How an engine is set up on a machine of its own: the one that spec.fqdn, spec.ssh and spec.hostKeys name."""

    organization: Annotated[
        str,
        StringConstraints(max_length=64),
        matching("[A-Za-z0-9][-A-Za-z0-9. ]*", "must be a name of letters, digits, dots, dashes and spaces"),
    ] = Field(
        default="", description="Organization in the engine's certificates. Unset: the domain of the engine's name."
    )
    attempt: Attempt = Field(
        default=1,
        description=(
            "Raise it by one to have a setup that failed tried again, once its cause is gone. It has no effect where "
            "an engine was set up."
        ),
    )
