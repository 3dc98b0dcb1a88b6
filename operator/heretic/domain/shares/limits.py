"""Limits of folders: each folder holds at most what is declared, and what was never declared is left alone."""

from collections.abc import Iterator, Mapping

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1 import FileShare
from heretic.api.v1alpha1.file_share import ShareFolderState
from heretic.api.v1alpha1.node import Role
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.folders import volumes_of
from heretic.domain.shares.limit_facts import LIMITS, FolderSpace
from heretic.domain.shares.limit_steps import LimitFolder, UnlimitFolder
from heretic.domain.shares.volumes import MountedVolume

Spaces = Mapping[str, FolderSpace]


def declared_limits(share: FileShare) -> dict[str, int]:
    """Bytes by folder."""
    return {folder.name: parse_bytes(folder.quota) for folder in share.spec.folders if folder.quota}


def limiting(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What gives folders the limits that are declared, and takes those away that were."""
    wanted = declared_limits(share)
    ended = sorted({folder.name for folder in share.status.folders if folder.quota} - wanted.keys())
    volume = volumes_of((share,), cluster).get(share.spec.volume)
    if not (wanted or ended) or not isinstance(volume, MountedVolume):
        return
    facts = next(_of_the_pool(cluster), None)
    if facts is None:
        yield Blocked(
            Reason.NOT_SUPPORTED,
            "limits of folders are set in Gluster, and no file server that can be asked has the role Storage; give it "
            "to one",
        )
        return
    spaces = facts[LIMITS].spaces
    if not isinstance(spaces, Known):
        yield unseen(facts, f"how much folders in {volume.folder} may hold", spaces)
        return
    for name, limit in wanted.items():
        yield from _limited(name, limit, volume, facts, spaces.value)
    for name in ended:
        yield from _ended(name, volume, facts, spaces.value)


def _of_the_pool(cluster: ServerCluster) -> Iterator[HostFacts]:
    return (facts for host, facts in cluster.seen.items() if Role.STORAGE in cluster.view.nodes[host].spec.roles)


def _limited(name: str, limit: int, volume: MountedVolume, facts: HostFacts, spaces: Spaces) -> Iterator[PlanItem]:
    here, whole = spaces.get(f"{volume.folder}/{name}"), spaces.get(volume.folder)
    if here is None or whole is None:
        yield Wait(Reason.NOT_OBSERVED, f"{facts.host}: it is not known yet how much folder {name} may hold", 10.0)
    elif limit >= whole.blocks * whole.block:
        yield Blocked(
            Reason.INVALID_SPEC,
            f"the quota of folder {name}, {format_bytes(limit)}, limits nothing: volume {volume.name} has "
            f"{format_bytes(whole.blocks * whole.block)}; lower it, or enlarge the volume",
        )
    elif here.blocks == limit // here.block:
        return
    elif _has_limit(here, whole) and here.used > limit:
        yield Blocked(
            Reason.QUOTA_BELOW_USE,
            f"folder {name} holds {format_bytes(here.used)}, and its quota is {format_bytes(limit)}: nobody could "
            f"write. It stays {format_bytes(here.blocks * here.block)} until files are removed or the quota is raised",
        )
    else:
        now = format_bytes(here.blocks * here.block) if _has_limit(here, whole) else "whatever the volume can"
        yield LimitFolder(
            host=facts.host,
            why=f"folder {name} may hold {now}, and {format_bytes(limit)} is declared",
            mounted=volume.folder,
            volume=volume.volume,
            folder=name,
            limit=limit,
        )


def _ended(name: str, volume: MountedVolume, facts: HostFacts, spaces: Spaces) -> Iterator[PlanItem]:
    here, whole = spaces.get(f"{volume.folder}/{name}"), spaces.get(volume.folder)
    if here is not None and whole is not None and _has_limit(here, whole):
        yield UnlimitFolder(
            host=facts.host,
            why=f"folder {name} may hold {format_bytes(here.blocks * here.block)}, which is declared no more",
            mounted=volume.folder,
            volume=volume.volume,
            folder=name,
        )


def _has_limit(here: FolderSpace, whole: FolderSpace) -> bool:
    return here.blocks != whole.blocks


def full(share: FileShare, cluster: ServerCluster) -> list[tuple[Reason, str]]:
    """Folders that hold as much as they may: who writes there is refused."""
    return [
        (Reason.FOLDER_FULL, f"folder {name} holds all of the {format_bytes(space.used)} that it may")
        for name, space in _in_force(share, cluster).items()
        if space.free == 0
    ]


def folder_states(share: FileShare, cluster: ServerCluster) -> list[ShareFolderState]:
    """What is recorded of folders with a limit; a limit that is declared no more stays until it is seen to be gone."""
    seen = _in_force(share, cluster)
    declared = {folder.name: folder.quota for folder in share.spec.folders if folder.quota}
    before = {folder.name: folder for folder in share.status.folders}
    ended = {name: before[name].quota for name in before.keys() - declared.keys() if not _is_free(share, cluster, name)}
    return [
        ShareFolderState(
            name=name,
            quota=quota,
            used=format_bytes(seen[name].used) if name in seen else before[name].used if name in before else "",
        )
        for name, quota in sorted((declared | ended).items())
    ]


def _in_force(share: FileShare, cluster: ServerCluster) -> dict[str, FolderSpace]:
    """Folders whose declared limit is in force."""
    spaces, folder = _look(share, cluster)
    there = {name: (limit, spaces.get(f"{folder}/{name}")) for name, limit in declared_limits(share).items()}
    return {name: space for name, (limit, space) in there.items() if space and space.blocks == limit // space.block}


def _is_free(share: FileShare, cluster: ServerCluster, name: str) -> bool:
    """Whether a folder is known to have no limit any more; one that is gone took its limit with it."""
    spaces, folder = _look(share, cluster)
    here, whole = spaces.get(f"{folder}/{name}"), spaces.get(folder)
    return whole is not None and (here is None or not _has_limit(here, whole))


def _look(share: FileShare, cluster: ServerCluster) -> tuple[Spaces, str]:
    """What is known of all folders, and where the volume of the share is mounted."""
    volume = volumes_of((share,), cluster).get(share.spec.volume)
    facts = next(_of_the_pool(cluster), None)
    if facts is None or not isinstance(volume, MountedVolume):
        return {}, ""
    told = facts[LIMITS].spaces
    return (told.value if isinstance(told, Known) else {}), volume.folder
