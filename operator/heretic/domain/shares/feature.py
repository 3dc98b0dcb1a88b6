"""What the role FileServer needs of a host. Nothing of it serves files by itself: CTDB starts what does."""

import re
from collections.abc import Iterator

from heretic.api.v1alpha1.node import Role
from heretic.domain.facts import Known
from heretic.domain.host.feature import Feature, Opening
from heretic.domain.host.profiles import Family
from heretic.domain.host.rule import HostContext, unseen, write_file
from heretic.domain.plan import PlanItem
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ganesha import texts as ganesha
from heretic.domain.shares.ganesha.facts import serves_nfs
from heretic.domain.shares.ganesha.plan import PACKAGE
from heretic.domain.shares.kerberos.texts import SCRIPT as KEYTAB_SCRIPT
from heretic.domain.shares.lock_steps import KEEPER, UNIT
from heretic.domain.shares.samba import texts as samba
from heretic.domain.shares.samba.domain import has_domain
from heretic.domain.shares.samba.domain_plan import WINBIND
from heretic.domain.shares.samba.steps import LeaveToCtdb
from heretic.domain.shares.volumes import SHARE_MOUNTS

NAMES = "/etc/nsswitch.conf"
"""Says where a host looks users and groups up."""

_OF_SAMBA = tuple(unit for family in samba.UNITS.values() for unit in (family.smbd, family.nmbd))


def _samba_left_to_ctdb(host: HostContext) -> Iterator[PlanItem]:
    yield from _left_to_ctdb(host, _OF_SAMBA)


def _ganesha_left_to_ctdb(host: HostContext) -> Iterator[PlanItem]:
    yield from _left_to_ctdb(host, (ganesha.SERVICE,))


def _winbind_left_to_ctdb(host: HostContext) -> Iterator[PlanItem]:
    yield from _left_to_ctdb(host, (WINBIND,))


def _named_by_winbind(host: HostContext) -> Iterator[PlanItem]:
    """Debian's package does it by itself."""
    yield from write_file(host, NAMES, _with_winbind, "users and groups of the domain")


def _with_winbind(text: str) -> str:
    return re.sub(r"^(passwd|group):((?:(?!winbind).)*?)[ \t]*$", r"\1:\2 winbind", text, flags=re.MULTILINE)


def _left_to_ctdb(host: HostContext, units: tuple[str, ...]) -> Iterator[PlanItem]:
    """What serves files starts neither with its package nor with a boot: CTDB starts it."""
    services = host.facts.services
    if not isinstance(services, Known):
        yield unseen(host.facts, "its services", services)
        return
    enabled = tuple(u for u in units if u in services.value and services.value[u].enabled == "enabled")
    if enabled:
        yield LeaveToCtdb(host=host.name, why=f"{', '.join(enabled)} would start at a boot", units=enabled)


FILE_SERVER = Feature(
    name="CTDB",
    role=Role.FILE_SERVER,
    packages={
        Family.DEBIAN: ("ctdb", "glusterfs-client", "samba", "samba-vfs-modules", "smbclient", "tdb-tools"),
        Family.EL: ("ctdb", "glusterfs-fuse", "samba", "samba-client", "tdb-tools"),
    },
    profile_packages={"debian13": ("samba-vfs-glusterfs",)},
    rules=(_samba_left_to_ctdb,),
    openings=(Opening(((texts.PORT, texts.PORT),), "ctdb"),),
    firewall_services={"ctdb": ((texts.PORT, texts.PORT),)},
    files=(
        *(
            texts.CONFIGURATION,
            texts.TUNABLES,
            texts.SCRIPT_OPTIONS,
            texts.NODES,
            texts.PUBLIC_ADDRESSES,
            texts.DROP_IN,
        ),
        *(samba.CONFIGURATION, samba.NEXT),
    ),
    readers=(texts.SERVICE, *(family.smbd for family in samba.UNITS.values())),
    units=(texts.SERVICE, UNIT, KEEPER, SHARE_MOUNTS, *_OF_SAMBA),
)

DOMAIN_MEMBER = Feature(
    name="winbind",
    role=Role.FILE_SERVER,
    wanted=has_domain,
    packages={
        Family.DEBIAN: ("winbind", "libnss-winbind"),
        Family.EL: ("samba-winbind", "samba-winbind-clients", "samba-winbind-modules"),
    },
    rules=(_winbind_left_to_ctdb, _named_by_winbind),
    files=(NAMES,),
    units=(WINBIND,),
)
"""On file servers of a site in an Active Directory domain."""

NFS_SERVER = Feature(
    name="NFS-Ganesha",
    role=Role.FILE_SERVER,
    wanted=serves_nfs,
    packages={Family.DEBIAN: ("nfs-ganesha", PACKAGE), Family.EL: ("nfs-ganesha", PACKAGE)},
    rules=(_ganesha_left_to_ctdb,),
    files=(ganesha.CONFIGURATION, ganesha.NEXT, ganesha.DROP_IN, ganesha.SCRIPT, KEYTAB_SCRIPT),
    readers=(ganesha.SERVICE,),
    units=(ganesha.SERVICE,),
)
"""On file servers of a site that serves files over NFS."""
