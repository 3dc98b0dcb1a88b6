"""What a share lacks until its clients may use Kerberos: a domain, a name in it, and its key on every file server."""

from collections.abc import Callable, Iterable, Iterator

from heretic.api.v1alpha1 import FileShare
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.host.steps import WriteFile
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.kerberos.facts import DOMAIN_KEY, KEYTABS, DomainKey
from heretic.domain.shares.kerberos.steps import RegisterService, RemoveKeytab, SyncKeytab
from heretic.domain.shares.kerberos.texts import (
    SCRIPT,
    has_kerberos,
    principal,
    script,
    service_name,
    service_names,
    wants_kerberos,
)
from heretic.domain.shares.samba.domain import in_domain, server_name
from heretic.domain.shares.samba.domain_facts import DOMAIN

KeyStage = Callable[[], Iterable[PlanItem]]


def stages(share: FileShare, cluster: ServerCluster) -> tuple[KeyStage, ...]:
    """What comes before an export asks for tickets, in order."""
    if not wants_kerberos(share):
        return ()
    return (
        lambda: _joined(share, cluster),
        lambda: _registered(share, cluster),
        lambda: _scripts(cluster),
        lambda: _keyed(share, cluster),
    )


def ready(share: FileShare, cluster: ServerCluster) -> bool:
    """Whether every file server that can be asked could take tickets of a share's clients."""
    return not any(item for stage in stages(share, cluster) for item in stage())


def taken_away(cluster: ServerCluster) -> Iterator[PlanItem]:
    """Keys that nobody needs any more go, after the exports that needed them."""
    for facts in cluster.seen.values() if not has_kerberos(cluster.view) else ():
        if isinstance(facts.files.get(SCRIPT, NOT_OBSERVED), Known) or isinstance(facts[KEYTABS].keys, Known):
            yield RemoveKeytab(host=facts.host, why="no FileShare uses Kerberos")


def _joined(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    if _member(share, cluster) is None:
        yield Blocked(
            Reason.KERBEROS_DOMAIN_MISSING,
            f"no FileShare for SMB joins {_realm(share)}: declare it in its spec.smb.activeDirectory, or correct "
            "spec.nfs.realm",
        )
        return
    for facts in cluster.seen.values():
        sid = facts[DOMAIN].sid
        if isinstance(sid, Absent):
            yield Wait(Reason.KERBEROS_DOMAIN_MISSING, f"{facts.host} has not joined {_realm(share)} yet")
        elif isinstance(sid, Unknown):
            yield unseen(facts, "whether it has joined a domain", sid)


def _member(share: FileShare, cluster: ServerCluster) -> FileShare | None:
    """The FileShare that brings the file servers into the realm."""
    shares = (one for one in cluster.view.of(FileShare).values() if in_domain(one))
    return next((one for one in shares if _joins(one) == _realm(share)), None)


def _joins(share: FileShare) -> str:
    domain = share.spec.smb.active_directory if share.spec.smb else None
    return domain.realm if domain else ""


def _realm(share: FileShare) -> str:
    return share.spec.nfs.realm if share.spec.nfs else ""


def _registered(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """The name of the service in the domain; without a controller, who has its key goes on."""
    member, key, name = _member(share, cluster), _key(cluster), service_name(share)
    if key is None or member is None or name.lower() in key.names:
        return
    host, server, realm = next(iter(cluster.seen)), server_name(member), _realm(share)
    own = f"{server.lower()}.{realm}"
    if share.spec.host_name != own:
        yield Blocked(
            Reason.SERVICE_NAME_MISSING,
            f"{realm} knows no {name}, and {server} may give itself the name nfs/{own} only: run `setspn -S {name} "
            f"{server}` as an administrator of the domain, or let spec.hostName be {own}",
        )
        return
    yield RegisterService(host=host, why=f"{realm} knows no {name}", server=server, name=name)


def _key(cluster: ServerCluster) -> DomainKey | None:
    """What the domain has, as the host says that got the newest answer; None where no controller answers."""
    told = (facts[DOMAIN_KEY].key for facts in cluster.seen.values())
    return max((key.value for key in told if isinstance(key, Known)), key=lambda key: key.version, default=None)


def _scripts(cluster: ServerCluster) -> Iterator[PlanItem]:
    names = service_names(cluster.view)
    for host in cluster.contexts():
        if isinstance(host, Wait | Blocked):
            yield host
            continue
        file = host.facts.files.get(SCRIPT, NOT_OBSERVED)
        if isinstance(file, Unknown):
            yield unseen(host.facts, SCRIPT, file)
            continue
        text = script(names, cluster.number(host.name), synchronizes=host.profile.samba_syncs_keytabs)
        there = file.value if isinstance(file, Known) else None
        if there is None or (there.content, there.mode) != (text, "0755"):
            yield WriteFile(
                host=host.name,
                why=f"{SCRIPT} differs: what keeps the keytab",
                path=SCRIPT,
                content=text,
                mode="0755",
                replaces_sha256=there.sha256 if there else "",
            )


def _keyed(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """The present key on every file server; where no controller answers, any key."""
    key, name = _key(cluster), principal(share)
    for facts in cluster.seen.values():
        keys = facts[KEYTABS].keys
        if isinstance(keys, Unknown):
            yield unseen(facts, "its keytab", keys)
            continue
        versions = {version for version, whose in (keys.value if isinstance(keys, Known) else ()) if whose == name}
        if key is not None and key.version not in versions:
            yield _sync(facts, name, key.version, versions)
        elif key is None and not versions:
            yield Wait(
                Reason.DOMAIN_UNREACHABLE,
                f"{facts.host} has no key of {name}, and no file server finds a controller of {_realm(share)}",
            )


def _sync(facts: HostFacts, name: str, version: int, versions: set[int]) -> PlanItem:
    had = f"has keys of {name} up to version {max(versions)}" if versions else f"has no key of {name}"
    file = facts.files.get(SCRIPT, NOT_OBSERVED)
    return SyncKeytab(
        host=facts.host,
        why=f"its keytab {had}, and the domain has version {version}",
        principals=(name,),
        version=version,
        sha256=file.value.sha256 if isinstance(file, Known) else "",
    )
