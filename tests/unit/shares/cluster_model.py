"""File servers as a table: what steps do to them, and what a pass then sees. Nothing of it runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from heretic.api.v1alpha1 import FileShare, Resource
from heretic.api.v1alpha1.node import Role
from heretic.domain.declared.view import SiteView
from heretic.domain.disks.units import mount_unit
from heretic.domain.errors import Reason, Transient
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.host.facts import FileContent, HostFacts, HostView, Mount, OperatingSystem, Service
from heretic.domain.host.interfaces import Interface
from heretic.domain.host.steps import WriteFile
from heretic.domain.kind import Assessment, Observed
from heretic.domain.plan import Step, steps_of
from heretic.domain.shares.ctdb import texts
from heretic.domain.shares.ctdb.facts import CTDB, CtdbFacts
from heretic.domain.shares.ctdb.outage_steps import TakeServerBack, TakeServerOut
from heretic.domain.shares.ctdb.parse import CtdbNode, FailedScript
from heretic.domain.shares.ctdb.steps import ReloadNodes, StartCtdb
from heretic.domain.shares.feature import FILE_SERVER, NFS_SERVER
from heretic.domain.shares.folder_steps import AddGroup, AddUser, MakeFolder
from heretic.domain.shares.ganesha import texts as ganesha
from heretic.domain.shares.ganesha.facts import GANESHA, GaneshaFacts, TriedFile
from heretic.domain.shares.ganesha.plan import PACKAGE
from heretic.domain.shares.ganesha.steps import (
    AddExport,
    PutEventScript,
    PutGaneshaConfiguration,
    RemoveExport,
    StartGanesha,
    TryExports,
)
from heretic.domain.shares.kerberos.facts import DOMAIN_KEY, KEYTABS, DomainKey, DomainKeyFacts, KeytabFacts
from heretic.domain.shares.kerberos.steps import RegisterService, RemoveKeytab, SyncKeytab
from heretic.domain.shares.kerberos.texts import SCRIPT as KEYTAB_SCRIPT
from heretic.domain.shares.limit_facts import LIMITS, FolderSpace, LimitFacts
from heretic.domain.shares.limit_steps import LimitFolder, UnlimitFolder
from heretic.domain.shares.lock_steps import (
    FILE,
    FOLDER,
    KEEPER,
    UNIT,
    HoldLock,
    MountLock,
    ProveLock,
    ReleaseLock,
    mount_description,
)
from heretic.domain.shares.mount_steps import MountVolume, described
from heretic.domain.shares.samba import texts as samba
from heretic.domain.shares.samba.domain import DomainAccount
from heretic.domain.shares.samba.domain_facts import DOMAIN, DomainFacts, TriedJoin
from heretic.domain.shares.samba.domain_plan import WINBIND
from heretic.domain.shares.samba.domain_steps import JoinDomain, LeaveDomain, Refusal, StartWinbind
from heretic.domain.shares.samba.facts import SAMBA, SambaFacts, TestedFile
from heretic.domain.shares.samba.steps import (
    EnableScript,
    PutSambaConfiguration,
    RemovePassword,
    SetPassword,
    StartSamba,
    described_by,
)
from heretic.domain.shares.server_facts import SERVER, FolderState, ServerFacts
from heretic.kinds import KINDS
from sim.declared import CONFIGURED, INSPECTED, network, node, site, volume
from sim.site_rules import resource

LOCK_ID = "11111111-2222-3333-4444-555555555555"
OS = OperatingSystem("debian", "13", "Debian GNU/Linux 13 (trixie)", "6.12")
SMB: Mapping[str, Any] = {
    "protocol": "SMB",
    "volume": "winshare",
    "hostName": "files.office.private",
    "smb": {"users": ["anna", "bert"], "encryption": "Required"},
    "folders": [{"name": "groups", "group": "fileshares", "mode": "2770"}, {"name": "accounts", "owner": "anna"}],
}
"""What a share over SMB declares instead."""
SPEC: Mapping[str, Any] = {
    "protocol": "NFS",
    "volume": "unixshare",
    "network": "lan",
    "addresses": ["172.20.12.101", "172.20.12.102"],
    "folders": [{"name": "homes"}],
}
BLOCK, VOLUME = 4096, 20 * 2**30
STARTED = INSPECTED | {"type": "Started"}


@dataclass
class Host:
    """One file server.

    Attributes:
        number: Of its addresses.
        mounted: What is mounted in the lock's place; "" = nothing.
        keeps: Whether it holds the lock that others try.
        states: What CTDB says of it while it runs; None while it does not run.
        shares: What is mounted for shares, with the unit's description, by folder.
        samba: Whether smbd runs.
        refuses: What testparm, or Ganesha, does not like there.
        exports: What Ganesha serves, paths by number; None while it does not run.
        tried: What Ganesha tried last.
        ganesha: Version of its package; "" = nobody could be asked.
        keys: Version and principal of each key in its keytab; None: it has none.
        marks: Services that may not have read a file that was written.
    """

    number: int
    mounted: str = ""
    unit: str = ""
    keeps: bool = False
    proof: str = ""
    files: dict[str, str] = field(default_factory=dict)
    states: tuple[str, ...] | None = None
    failed: tuple[FailedScript, ...] = ()
    lock: str = FILE
    knows: tuple[str, ...] = ()
    lost: bool = False
    users: dict[str, int] = field(default_factory=lambda: {"root": 0})
    groups: dict[str, int] = field(default_factory=lambda: {"root": 0})
    scripts: set[str] = field(default_factory=lambda: {"00.ctdb"})
    samba: bool = False
    shares: dict[str, str] = field(default_factory=dict)
    refuses: str = ""
    exports: dict[int, str] | None = None
    tried: TriedFile | None = None
    ganesha: str = "4.3-2"
    modes: dict[str, str] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    maintenance: bool = False
    winbind: bool = False
    keys: frozenset[tuple[int, str]] | None = None

    @property
    def private(self) -> str:
        """Its address on the storage network."""
        return f"172.20.11.{self.number}"


@dataclass
class Domain:
    """An Active Directory domain.

    Attributes:
        sid: Of it, once the file servers have joined; "" = they have not.
        away: Whether no controller answers.
        offset: By how many seconds its clock is ahead.
        trusts: Whether it takes the server for who it is.
        password_age: Seconds since the server has changed its password.
        version: Of the server's key.
        names: Of services of the server.
        refuses: Why nobody may join; None = who asks may.
        accounts: Its users and groups, with the numbers that hosts give them.
    """

    sid: str = ""
    away: bool = False
    offset: int = 0
    trusts: bool = True
    password_age: int = 0
    version: int = 1
    names: set[str] = field(default_factory=set)
    refuses: Refusal | None = None
    accounts: dict[tuple[str, str], int] = field(
        default_factory=lambda: {("passwd", "OFFICE\\anna"): 11103, ("group", "OFFICE\\domain users"): 10512}
    )


class FileServers:
    """A site of three file servers, of which the third is the arbiter, and one share."""

    def __init__(self, *instead: Resource, servers: int = 3, **spec: Any) -> None:
        self.hosts = {f"n{n}": Host(10 + n) for n in range(1, servers + 1)}
        self.share: FileShare = resource(FileShare, "files", {**SPEC, **spec})
        self.instead = instead
        self.steps: list[Step] = []
        self.folders: dict[str, FolderState] = {}
        self.limits: dict[str, int] = {}
        self.held: dict[str, int] = {}
        self.logins: dict[str, str] = {}
        self.out: set[str] = set()
        self.domain = Domain()
        self.joins: list[tuple[str, str, str]] = []

    @property
    def view(self) -> SiteView:
        """What is declared."""
        three = {"nodes": ["n1", "n2", "n3"], "arbiter": "n3"} if len(self.hosts) > 2 else {"nodes": ["n1"]}
        objects: list[Resource] = [
            site(three),
            *(self.node(name) for name in self.hosts),
            network("gluster", "Gluster", "172.20.11.0/24"),
            network("lan", "LAN", "172.20.12.0/24"),
            volume("unixshare", {"volumeId": "of-unixshare", "conditions": [STARTED]}, purpose="NFSShare"),
            volume("winshare", {"volumeId": "of-winshare", "conditions": [STARTED]}, purpose="SMBShare"),
            volume("lock", {"volumeId": LOCK_ID, "conditions": [STARTED]}, purpose="Lock"),
        ]
        return SiteView.holding(objects).having(*self.instead, self.share)

    def node(self, name: str, *roles: Role, conditions: tuple[dict[str, Any], ...] = (CONFIGURED,)) -> Any:
        """The Node of a host."""
        number = self.hosts[name].number
        addresses = [{"network": n, "address": f"172.20.{x}.{number}"} for n, x in (("gluster", 11), ("lan", 12))]
        given = list(roles) or [Role.STORAGE, Role.FILE_SERVER]
        resting = self.hosts[name].maintenance
        return node(name, number, roles=given, addresses=addresses, conditions=list(conditions), maintenance=resting)

    def assess(self) -> Assessment:
        """What a pass over the share sees."""
        return KINDS["FileShare"].assess(self.share, self.view, Observed(self.looks()))

    def looks(self) -> dict[str, HostView]:
        """What is known of each host."""
        return {name: self._look(name, host) for name, host in self.hosts.items()}

    def run(self, passes: int = 30) -> Assessment:
        """Passes until nothing is left to do."""
        for _ in range(passes):
            found = self.assess()
            self.share = self.share.model_copy(update={"status": found.report.status})
            if not steps_of(found.plan):
                return found
            for step in steps_of(found.plan):
                self.apply(step)
        raise AssertionError(f"still at it: {found.plan}")

    def apply(self, step: Step) -> None:
        """What a step does."""
        self.steps.append(step)
        host = self.hosts[step.target.name]
        if isinstance(step, WriteFile):
            host.marks.discard(step.reader)
        match step:
            case MountLock():
                host.mounted, host.unit = (
                    f"{step.sources[0]}:/{step.volume}",
                    mount_description(step.volume, step.sources),
                )
            case HoldLock():
                assert not any(other.keeps for other in self.hosts.values())
                host.keeps = True
            case ProveLock():
                assert any(other.keeps for other in self.hosts.values() if other is not host), "nobody keeps it out"
                host.proof = step.volume_id
            case ReleaseLock():
                host.keeps = False
            case MountVolume():
                host.shares[step.folder] = described(step.what, step.volume, step.sources)
            case AddGroup():
                host.groups[step.group] = step.number
            case AddUser():
                assert step.group in host.groups, "useradd refuses a group that is not there"
                host.users[step.user] = step.number
            case MakeFolder():
                assert step.mounted in host.shares, "it would lie on the host's own disk"
                self.folders[f"{step.mounted}/{step.folder}"] = FolderState(step.owner, step.group, step.mode)
            case PutSambaConfiguration():
                assert host.files[samba.NEXT] == step.content, "it was not tested"
                host.files[step.path] = step.content
            case SetPassword():
                assert step.user in host.users, "Samba's users are users of the host"
                self.logins[step.user] = described_by(step.origin)
            case RemovePassword():
                del self.logins[step.user]
            case StartSamba():
                assert samba.CONFIGURATION in host.files, "it would serve what its package says"
                host.samba = True
            case TryExports():
                assert host.exports is not None, "nobody runs who could try"
                host.tried = TriedFile(step.sha256, host.refuses)
            case PutGaneshaConfiguration():
                assert host.files[ganesha.NEXT] == step.content, "it was not tried"
                assert step.tried is (host.exports is not None)
                host.files[step.path] = step.content
            case StartGanesha():
                assert ganesha.DROP_IN in host.files, "it would keep its state on the host's own disk"
                host.exports = dict(_exports(host))
            case AddExport():
                assert host.exports is not None
                assert step.number not in host.exports
                host.exports[step.number] = step.path
            case RemoveExport():
                assert host.exports is not None
                del host.exports[step.number]
            case PutEventScript():
                assert host.exports is not None, "CTDB would take the host out"
                host.files[step.path], host.modes[step.path] = step.content, step.mode
            case EnableScript():
                assert host.winbind if step.name == "49.winbind" else host.samba, "CTDB would take the host out"
                host.scripts.add(step.name)
            case StartCtdb():
                host.states, host.knows = (), self._in_file(host)
            case JoinDomain():
                assert not self.domain.sid, "it is joined once"
                assert not self.domain.away
                self.joins.append((step.target.name, step.key, self.domain.refuses or ""))
                self.domain.sid = "" if self.domain.refuses else "S-1-5-21-1-2-3"
            case LeaveDomain():
                self.joins.append((step.target.name, step.key, self.domain.refuses or ""))
                self.domain.sid = self.domain.sid if self.domain.refuses else ""
            case RegisterService():
                self.domain.names.add(step.name.lower())
            case SyncKeytab():
                assert KEYTAB_SCRIPT in host.files, "nobody would keep it"
                new = {(step.version, principal) for principal in step.principals}
                host.keys = (host.keys or frozenset()) | new
            case RemoveKeytab():
                host.keys = None
                host.files.pop(KEYTAB_SCRIPT, None)
            case StartWinbind():
                assert self.domain.sid, "it has no domain to ask"
                host.winbind = True
            case LimitFolder():
                assert step.path in self.folders, "a limit belongs to a folder"
                self.limits[step.path] = step.limit
            case UnlimitFolder():
                del self.limits[step.path]
            case TakeServerOut():
                assert host.states == (), "who does it serves itself"
                assert host is not self.hosts[step.server]
                self.out.add(step.address)
                self.hosts[step.server].states = ("Disabled",)
            case TakeServerBack():
                self.out.remove(step.address)
                self.hosts[step.server].states = ()
            case ReloadNodes():
                for other in self.hosts.values():
                    other.knows = self._in_file(other)
            case WriteFile():
                host.files[step.path], host.modes[step.path] = step.content, step.mode

    def _in_file(self, host: Host) -> tuple[str, ...]:
        return tuple(host.files[texts.NODES].split())

    def _look(self, name: str, host: Host) -> HostView:
        if host.lost:
            return Transient(Reason.UNREACHABLE, f"{name} does not answer")
        running = host.states is not None
        return HostFacts(
            name,
            os=Known(OS),
            interfaces=Known((_interface("eth1", host.private), _interface("eth2", f"172.20.12.{host.number}"))),
            mounts=Known(_mounts(host)),
            services=Known({unit.name: unit for unit in self._units(host, running=running)}),
            files={path: _file(host.files.get(path), host.modes.get(path, "0644")) for path in _FILES},
            packages=Known({PACKAGE: host.ganesha}) if host.ganesha else Unknown("dpkg-query did not answer in time"),
            reloads=Known(frozenset(host.marks)),
            sections={
                CTDB.name: self._ctdb(host) if running else _silent(host),
                SERVER.name: self._server(host),
                SAMBA.name: self._samba(host),
                DOMAIN.name: self._domain(name, host),
                GANESHA.name: self._ganesha(host),
                KEYTABS.name: KeytabFacts(Absent() if host.keys is None else Known(host.keys)),
                DOMAIN_KEY.name: DomainKeyFacts(self._key()),
                LIMITS.name: self._spaces(host),
            },
        )

    def _units(self, host: Host, *, running: bool) -> list[Service]:
        state = ("active", "running", "enabled") if running else ("inactive", "dead", "disabled")
        keeper = ("active", "running", "transient") if host.keeps else ("inactive", "dead", "")
        return [
            Service(texts.SERVICE, "loaded", *state),
            Service(UNIT, "loaded", "active", "mounted", "enabled" if host.unit else "", description=host.unit),
            Service(KEEPER, "loaded" if host.keeps else "not-found", *keeper),
            Service(ganesha.SERVICE, "loaded", "active" if host.exports is not None else "inactive", "", "disabled"),
            Service("smbd.service", "loaded", "active" if host.samba else "inactive", "", "disabled"),
            Service(WINBIND, "loaded", "active" if host.winbind else "inactive", "", "disabled"),
            *(
                Service(mount_unit(folder), "loaded", "active", "mounted", "enabled", description=text)
                for folder, text in host.shares.items()
            ),
        ]

    def _server(self, host: Host) -> ServerFacts:
        here = {path: state for path, state in self.folders.items() if path.rpartition("/")[0] in host.shares}
        return ServerFacts(
            Known(dict(host.users)), Known(dict(host.groups)), Known(here), Known(frozenset(host.scripts))
        )

    def _samba(self, host: Host) -> SambaFacts:
        following = TestedFile(_sections(host, samba.NEXT), (host.refuses,) if host.refuses else ())
        served: Fact[frozenset[str]] = Known(_sections(host, samba.CONFIGURATION)) if host.samba else Absent()
        return SambaFacts(Known(following), served, Known(dict(self.logins)))

    def _ganesha(self, host: Host) -> GaneshaFacts:
        exports: Fact[Mapping[int, str]] = Absent() if host.exports is None else Known(dict(host.exports))
        return GaneshaFacts(exports, Known(host.tried) if host.tried else Absent())

    def _domain(self, name: str, host: Host) -> DomainFacts:
        own, text = self.domain, host.files.get(samba.CONFIGURATION, "")
        listed = [line.split(" ", 3)[2:] for line in text.splitlines() if line.startswith("# Account ")]
        accounts = {DomainAccount(kind, who): own.accounts.get((kind, who)) for kind, who in listed}
        tries = [TriedJoin(key, word) for where, key, word in self.joins if where == name]
        return DomainFacts(
            sid=Known(own.sid) if own.sid else Absent(),
            offset=Absent() if own.away else Known(own.offset),
            password_age=Absent() if own.away else Known(own.password_age),
            trusted=Absent() if own.away else Known(own.trusts),
            winbind=Known(True) if host.winbind else Absent(),
            accounts=Known(accounts if host.winbind else dict.fromkeys(accounts)),
            tried=Known(tries[-1]) if tries else Absent(),
        )

    def _key(self) -> Fact[DomainKey]:
        own = self.domain
        return Absent() if own.away else Known(DomainKey(own.version, frozenset(own.names)))

    def _spaces(self, host: Host) -> LimitFacts:
        found = {volume: FolderSpace(BLOCK, VOLUME // BLOCK, VOLUME // BLOCK // 2) for volume in host.shares}
        for path in self.folders:
            blocks = self.limits.get(path, VOLUME) // BLOCK
            found[path] = FolderSpace(BLOCK, blocks, max(0, blocks - self.held.get(path, 0) // BLOCK))
        return LimitFacts(Known(found))

    def _ctdb(self, host: Host) -> CtdbFacts:
        by_address = {other.private: other for other in self.hosts.values()}
        numbers = {address: n for n, address in enumerate(host.knows) if not address.startswith("#")}
        nodes = tuple(CtdbNode(n, a, _states(by_address.get(a))) for a, n in numbers.items())
        takers = [n for n in nodes if not n.states and self._may_have(by_address[n.address])]
        wanted = sorted({a for other in self.hosts.values() for a in self._may_have(other)})
        held = {a: takers[i % len(takers)].number if takers else -1 for i, a in enumerate(wanted)}
        out = Known(frozenset(self.out))
        return CtdbFacts(Known(nodes), Known(held), Known(host.lock), Known(host.failed), _proof(host), out)

    def _may_have(self, host: Host) -> list[str]:
        lines = host.files.get(texts.PUBLIC_ADDRESSES, "").splitlines() if host.states is not None else []
        return [line.partition("/")[0] for line in lines]


_FILES = (*FILE_SERVER.files, *NFS_SERVER.files)


def _exports(host: Host) -> list[tuple[int, str]]:
    return [(e.number, e.path) for e in ganesha.owned_exports(host.files.get(ganesha.CONFIGURATION, ""))]


def _sections(host: Host, path: str) -> frozenset[str]:
    return frozenset(section.folder for section in samba.owned_sections(host.files.get(path, "")))


def _mounts(host: Host) -> tuple[Mount, ...]:
    lock = ((FOLDER, host.mounted),) if host.mounted else ()
    shares = tuple((folder, f"n1:/{folder.rpartition('/')[2]}") for folder in host.shares)
    return tuple(Mount(folder, source, "fuse.glusterfs") for folder, source in (*lock, *shares))


def _states(host: Host | None) -> tuple[str, ...]:
    lost = host is None or host.lost or host.states is None
    return ("Disconnected", "Unhealthy") if lost or host is None else host.states or ()


def _silent(host: Host) -> CtdbFacts:
    return CtdbFacts(Absent(), Absent(), Absent(), Absent(), _proof(host), Known(frozenset()))


def _proof(host: Host) -> Known[str] | Absent:
    return Known(host.proof) if host.proof else Absent()


def _file(content: str | None, mode: str) -> Known[FileContent] | Absent:
    if content is None:
        return Absent()
    return Known(FileContent(content, hashlib.sha256(content.encode()).hexdigest(), mode))


def _interface(name: str, address: str) -> Interface:
    return Interface(name, "52:54:00:00:00:01", "ether", True, 1500, addresses=(f"{address}/24",))
