"""Which versions of VDSM and Gluster go together."""

import re
from collections.abc import Iterator

from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.hosted_engine.first_host import FirstHost
from heretic.domain.pool.glusterd import PACKAGE

READS_GLUSTER_10 = "4.50.1"
"""Before this version VDSM cannot read volumes of Gluster 10 and later, so no host reaches a domain on them."""


def apart(first: FirstHost, facts: HostFacts) -> Iterator[str]:
    """Why a host's versions do not go together. What is not told does not count: not every platform has rpm."""
    packages = facts.packages.value if isinstance(facts.packages, Known) else {}
    vdsm, gluster = first.vdsm, packages.get(PACKAGE, "")
    if isinstance(vdsm, Known) and not go_together(vdsm.value, gluster):
        yield (
            f"{first.host} has VDSM {vdsm.value}, which cannot read volumes of Gluster {gluster}; it takes VDSM "
            f"{READS_GLUSTER_10} or later. Upgrade oVirt's packages on every host"
        )


def go_together(vdsm: str, gluster: str) -> bool:
    """Whether this VDSM reads the volumes of this Gluster; a version that is "" was not told, and does not count."""
    if not vdsm or not gluster:
        return True
    return _numbers(gluster) < (10,) or _numbers(vdsm) >= _numbers(READS_GLUSTER_10)


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers at the beginning of a version, without its epoch."""
    return tuple(map(int, re.findall(r"\d+", version.partition("-")[0].rpartition(":")[2])))
