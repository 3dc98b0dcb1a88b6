"""When thin pools of bricks grow by themselves: a profile of LVM, which each of them names."""

from collections.abc import Iterator

from heretic.domain.host.rule import NOTE, HostContext, write_file
from heretic.domain.plan import PlanItem

NAME = "heretic-thin"
FILE = f"/etc/lvm/profile/{NAME}.profile"

AUTOEXTEND_THRESHOLD = 80
AUTOEXTEND_PERCENT = 20

TEXT = (
    NOTE
    + "activation {\n"
    + f"\tthin_pool_autoextend_threshold={AUTOEXTEND_THRESHOLD}\n"
    + f"\tthin_pool_autoextend_percent={AUTOEXTEND_PERCENT}\n"
    + "}\n"
)
"""An LVM metadata profile: it holds for the pools that name it and leaves the host's own pools alone."""


def thin_profile(host: HostContext) -> Iterator[PlanItem]:
    """Writes the profile."""
    yield from write_file(host, FILE, lambda _: TEXT, f"thin pools grow at {AUTOEXTEND_THRESHOLD} %")
