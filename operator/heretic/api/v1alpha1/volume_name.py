"""The name of a Gluster volume."""

import re
from typing import Annotated

from pydantic import StringConstraints

from heretic.api.schema import Rule, matching

# A volume's name is also that of its logical volumes. LVM keeps these for itself (lvm.8), Gluster keeps "all", and
# lvthinpool is the thin pool of each volume group.
_RESERVED = (
    r"(?:all|lvthinpool|snapshot.*|pvmove.*"
    r"|.*_(?:cdata|cmeta|corig|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin).*)"
)
LONGEST_NAME = 50
"""Characters: device-mapper doubles dashes and systemd quadruples them, and both stop at a length."""

VolumeName = Annotated[
    str,
    StringConstraints(max_length=LONGEST_NAME),
    matching("[A-Za-z0-9][-A-Za-z0-9_]*", "must be letters, digits, dashes and underscores, such as 'vmstore'"),
    Rule(
        cel=f"!self.matches(r'^{_RESERVED}$')",
        message="must not be a name that is taken: 'all', 'lvthinpool', 'snapshot…', 'pvmove…', '…_tdata' and the like",
        holds=lambda text: re.fullmatch(_RESERVED, text) is None,
    ),
]


def may_name_a_volume(name: str) -> bool:
    """Whether the name of an object can be that of its volume, too."""
    return len(name) <= LONGEST_NAME and re.fullmatch(_RESERVED, name) is None
