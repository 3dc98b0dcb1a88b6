"""How an existing volume differs from the declared one: bricks, and the options that Heretic owns."""

import re
from collections.abc import Mapping

from heretic.domain.declared.per_view import PerView
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.brick import BRICK_ROOT
from heretic.domain.gluster.placement import Placement
from heretic.domain.gluster.purposes import SHARD_OPTIONS
from heretic.domain.gluster.values import same_value
from heretic.domain.host.facts import HostView
from heretic.domain.pool.facts import Brick, VolumeInfo, VolumeState
from heretic.domain.pool.members import Members, members

__all__ = ["foreign_options", "options_to_set", "same_value", "sharding_difference", "topology_difference"]

_SET_BY_GLUSTER = frozenset(
    {
        "cluster.granular-entry-heal",
        # Where a folder of a share has a limit.
        "features.inode-quota",
        "features.quota",
        "features.quota-deem-statfs",
        "nfs.disable",
        "performance.client-io-threads",
        "storage.fips-mode-rchecksum",
        "transport.address-family",
    }
)
"""What ``volume create`` itself reconfigures."""


def topology_difference(placement: Placement, info: VolumeInfo, view: SiteView, hosts: Mapping[str, HostView]) -> str:
    """What is different about the bricks, in words; "" when they are the declared ones.

    The order of the sets does not matter, which bricks are copies of each other does.
    """
    who = members(view, hosts)
    return _DIFFERENCES.of(
        view, lambda: _topology_difference(placement, info, who), placement, info, who, name=placement.volume
    )


_DIFFERENCES = PerView[str]()
"""On a calm site each pass finds the same."""


def _topology_difference(placement: Placement, info: VolumeInfo, who: Members) -> str:
    declared = sorted(sorted((b.host, b.path, b.arbiter) for b in members) for members in placement.sets)
    size = max(info.replica_count, 1)
    found = [(who.node_of(b.host_uuid, (b.host,)) or b.host, b.path, b.arbiter) for b in info.bricks]
    sets = sorted(sorted(found[i : i + size]) for i in range(0, len(found), size))
    if info.replica_count != placement.replica_count:
        return f"it has {info.replica_count} copies of everything, {placement.replica_count} are declared"
    if sets == declared:
        return ""
    wanted = {b for members in declared for b in members}
    there = {b for members in sets for b in members}
    parts = [
        *(f"{_words(b)} is declared and missing" for b in sorted(wanted - there)),
        *(f"{_words(b)} is there and not declared" for b in sorted(there - wanted)),
    ]
    return "; ".join(parts) or "the same bricks are copies of each other in other sets"


def laid_out_by_us(info: VolumeInfo) -> bool:
    """Whether all bricks of a volume are where Heretic and HVP make them."""
    return all(_usual(info, brick) for brick in info.bricks)


def laid_out_by_others(info: VolumeInfo) -> bool:
    """Whether no brick of a volume is where Heretic and HVP make it: it can only be observed."""
    return bool(info.bricks) and not any(_usual(info, brick) for brick in info.bricks)


def _usual(info: VolumeInfo, brick: Brick) -> bool:
    return re.fullmatch(rf"{BRICK_ROOT}/{re.escape(info.name)}(?:-\d+)?/brick1/brick", brick.path) is not None


def options_to_set(placement: Placement, info: VolumeInfo) -> dict[str, str]:
    """Owned options that have another value, with the value they shall have.

    A volume that was never started gets each of them written out, so that no other version's default can ever
    decide it. Later what they mean counts. Sharding is only ever set on a volume that was never started
    (rule:fixed-sharding).
    """
    new = info.state is VolumeState.CREATED
    return {
        name: value
        for name, value in placement.options.items()
        if (name not in SHARD_OPTIONS or new)
        and (not same_value(info.options.get(name), value, name) or (new and name not in info.options))
    }


def sharding_difference(placement: Placement, info: VolumeInfo) -> str:
    """How the sharding of a volume that may hold data differs from what its purpose wants; "" when it does not."""
    if info.state is VolumeState.CREATED:
        return ""
    parts = []
    for name in sorted(SHARD_OPTIONS):
        wanted, found = placement.options.get(name), info.options.get(name)
        if wanted is not None and not same_value(found, wanted, name):
            parts.append(f"{name} is {found or 'not set'}, {wanted} is declared")
        elif wanted is None and name == "features.shard" and not same_value(found, "off", name):
            parts.append(f"{name} is {found}, and this purpose has files in one piece")
    return "; ".join(parts)


def foreign_options(placement: Placement, info: VolumeInfo) -> dict[str, str]:
    """Reconfigured options that are not ours; they are reported and left alone."""
    return {
        name: value
        for name, value in sorted(info.options.items())
        if name not in placement.options and name not in SHARD_OPTIONS | _SET_BY_GLUSTER
    }


def _words(brick: tuple[str, str, bool]) -> str:
    node, path, arbiter = brick
    return f"{'arbiter ' if arbiter else ''}brick {path} on {node}"
