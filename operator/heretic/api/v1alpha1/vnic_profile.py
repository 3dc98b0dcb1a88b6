"""The vNIC profile of a logical network: what guests on it may do."""

from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.schema import matching
from heretic.api.v1alpha1.common import Model

NO_FILTER = "none"
"""Instead of the name of a network filter."""

FilterName = Annotated[
    str,
    StringConstraints(max_length=50),
    matching(
        "[a-z0-9]+(?:-[a-z0-9]+)*",
        "must be the name of a network filter of the engine such as 'vdsm-no-mac-spoofing', or 'none'",
    ),
]


class VnicProfileSpec(Model):
    """The profile that has the name of the network; others are left alone."""

    network_filter: FilterName | None = Field(
        default=None,
        description=(
            "Name of the filter that packets of guests go through, as libvirt has it: vdsm-no-mac-spoofing, "
            "clean-traffic, allow-arp and so on; none: no filter, for a guest that is a bridge or a router. Unset: a "
            "new profile gets the engine's own choice, vdsm-no-mac-spoofing, and one that is there keeps what it has."
        ),
    )
    port_mirroring: bool = Field(
        default=False,
        strict=True,
        description=(
            "Whether a guest with this profile is shown the packets of all others in the network. The engine refuses "
            "to change it while a guest uses the profile."
        ),
    )
