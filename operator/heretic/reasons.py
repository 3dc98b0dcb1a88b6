"""The closed list: every reason, as its subject explains it."""

from collections.abc import Iterable, Mapping

from heretic.domain import reasons as common
from heretic.domain.disks import reasons as disks
from heretic.domain.engine import reasons as engine
from heretic.domain.errors import Reason
from heretic.domain.gluster import reasons as gluster
from heretic.domain.host import reasons as host
from heretic.domain.hosted_engine import reasons as hosted_engine
from heretic.domain.network import reasons as network
from heretic.domain.pool import reasons as pool
from heretic.domain.reasons import Chapter, Explained, Stage
from heretic.domain.shares import reasons as shares
from heretic.domain.site import reasons as site
from heretic.domain.wiring import reasons as wiring

CHAPTERS = (
    common.ON_THE_WAY,
    common.WAITING,
    common.DECLARED,
    host.REACHING,
    host.OF_HOSTS,
    disks.OF_DISKS,
    disks.OF_THIN_POOLS,
    network.OF_NETWORKS,
    wiring.OF_PORTS,
    site.OF_SITES,
    pool.OF_TRUSTED_POOLS,
    gluster.OF_VOLUMES,
    engine.OF_ENGINES,
    hosted_engine.OF_DEPLOYMENTS,
    hosted_engine.OF_BACKUPS,
    hosted_engine.OF_UPGRADES,
    shares.OF_SHARES,
    common.OURS,
)
"""In the order of docs/reference/reasons.md."""


def gathered(chapters: Iterable[Chapter]) -> Mapping[Reason, Explained]:
    """Every reason with its explanation.

    Raises:
        ValueError: A reason is explained twice, or not at all.
    """
    found: dict[Reason, Explained] = {}
    for chapter in chapters:
        for explained in chapter.reasons:
            if explained.reason in found:
                raise ValueError(f"{explained.reason} is explained twice, the second time in {chapter.title!r}")
            found[explained.reason] = explained
    missing = [reason for reason in Reason if reason not in found]
    if missing:
        raise ValueError(f"nobody explains {', '.join(missing)}: add it to the reasons.py of its subject")
    return found


_ALL = gathered(CHAPTERS)
_STAGES: Mapping[str, Stage] = {reason.value: explained.stage for reason, explained in _ALL.items()}


def explain(reason: Reason) -> Explained:
    """What a reason means and what to do about it."""
    return _ALL[reason]


def stage_of(word: str) -> Stage:
    """How far along things are by a stored reason; a word that another version stored counts as trouble."""
    return _STAGES.get(word, Stage.TROUBLE)
