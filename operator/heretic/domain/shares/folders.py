"""Folders of shares: the volume mounted on every file server, and each folder as it is declared."""

from collections.abc import Iterator, Sequence

from heretic.api.v1alpha1 import FileShare, GlusterVolume
from heretic.api.v1alpha1.share_folder import ShareFolder
from heretic.domain.errors import Reason
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.accounts import resolved
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.folder_steps import MakeFolder
from heretic.domain.shares.mount_steps import MountVolume
from heretic.domain.shares.server_facts import SERVER, FolderState
from heretic.domain.shares.volumes import MountedVolume, mounted_volume, mounting


def volumes_of(shares: Sequence[FileShare], cluster: ServerCluster) -> dict[str, MountedVolume | Wait]:
    """The volumes of shares by name; one that is not there is told elsewhere."""
    named = {share.spec.volume for share in shares}
    there = {name: volume for name, volume in cluster.view.of(GlusterVolume).items() if name in named}
    return {name: mounted_volume(volume, cluster.view, f"volume {name}") for name, volume in sorted(there.items())}


def mounts(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What mounts the volume of a share on every file server."""
    for volume in volumes_of((share,), cluster).values():
        if isinstance(volume, Wait):
            yield volume
            continue
        for facts in cluster.seen.values():
            step = MountVolume(
                host=facts.host,
                why=f"volume {volume.name} is not mounted, or by another unit",
                volume=volume.volume,
                sources=volume.sources(cluster.view, facts.host),
                folder=volume.folder,
                what="Files of shares",
            )
            yield from mounting(cluster.view, facts, step, Reason.VOLUME_NOT_MOUNTED)


def folders(share: FileShare, cluster: ServerCluster) -> list[PlanItem]:
    """What makes the folders of a share: one host does it, and all see it."""
    volume = volumes_of((share,), cluster).get(share.spec.volume)
    facts = next(iter(cluster.seen.values()), None)
    if not isinstance(volume, MountedVolume) or facts is None:
        return []
    there = facts[SERVER].folders
    if not isinstance(there, Known):
        return [unseen(facts, f"what lies in {volume.folder}", there)]
    found = (
        _folder(folder, volume, facts, there.value.get(f"{volume.folder}/{folder.name}"))
        for folder in share.spec.folders
    )
    return [item for item in found if item is not None]


def _folder(folder: ShareFolder, volume: MountedVolume, facts: HostFacts, there: FolderState | None) -> PlanItem | None:
    owner, group = resolved(folder.owner, facts, group=False), resolved(folder.group, facts, group=True)
    if isinstance(owner, Wait | Blocked):
        return owner
    if isinstance(group, Wait | Blocked):
        return group
    wanted = FolderState(owner, group, folder.mode)
    if there == wanted:
        return None
    return MakeFolder(
        host=facts.host,
        why=f"folder {folder.name} of volume {volume.name} {'differs' if there else 'is not there'}",
        mounted=volume.folder,
        volume=volume.volume,
        folder=folder.name,
        owner=owner,
        group=group,
        mode=folder.mode,
    )
