"""What a domain lacks: it is joined once, from one host; winbind runs on all, and knows whom folders name."""

from collections.abc import Iterator

from heretic.api.v1alpha1 import FileShare
from heretic.domain.commands import SecretRef
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import unseen
from heretic.domain.plan import Blocked, Converged, Obstacle, Plan, PlanItem, Proceed, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.kerberos.facts import KEYTABS
from heretic.domain.shares.kerberos.steps import RemoveKeytab
from heretic.domain.shares.kerberos.texts import wants_kerberos
from heretic.domain.shares.samba.domain import accounts_of, in_domain, join_key, leave_key, server_name
from heretic.domain.shares.samba.domain_facts import DOMAIN, DomainFacts
from heretic.domain.shares.samba.domain_steps import TRIED, JoinDomain, LeaveDomain, Refusal, StartWinbind

WINBIND = "winbind.service"
SCRIPT = "49.winbind"
"""CTDB's script that starts, watches and stops winbind."""

CLOCK_TOLERANCE = 300
"""Seconds by which Kerberos lets clocks differ."""

PASSWORD_CHANGES, PASSWORD_OLD = 7, 30
"""Days after which winbind changes the password of the server (smb.conf(5), machine password timeout), and those after
which it is told that this does not happen: a controller was away for some time, or a change is refused."""

USERNAME, PASSWORD = "username", "password"

_REFUSALS = {
    Refusal.LOGON: (Reason.DOMAIN_LOGON_REFUSED, "does not know the account, or refuses its password"),
    Refusal.RIGHTS: (Reason.DOMAIN_JOIN_FORBIDDEN, "does not let the account add or remove a computer there"),
    Refusal.UNIT: (Reason.DOMAIN_UNIT_MISSING, "has no such organizationalUnit"),
    Refusal.NAME: (Reason.DOMAIN_NAME_TAKEN, "has an account of that name already, which is another computer's"),
}


def joined(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What joins the domain, unless it was joined."""
    smb = share.spec.smb
    facts = next(iter(cluster.seen.values()), None)
    if smb is None or smb.active_directory is None or facts is None:
        return
    own = facts[DOMAIN]
    if isinstance(own.sid, Known):
        if own.trusted == Known(False):
            yield _broken(share, facts)
        return
    if not isinstance(own.sid, Absent):
        yield unseen(facts, "whether it has joined a domain", own.sid)
        return
    if trouble := _away(share, facts):
        yield trouble
        return
    name = server_name(share)
    key = join_key(smb, name)
    if isinstance(own.tried, Known) and own.tried.value.key == key and own.tried.value.refusal:
        yield _refused(share, facts.host, own.tried.value.refusal)
        return
    ad = smb.active_directory
    yield JoinDomain(
        host=facts.host,
        why=f"{ad.realm} is declared, and was not joined",
        name=name,
        username=SecretRef(ad.join_secret_ref.name, USERNAME),
        password=SecretRef(ad.join_secret_ref.name, PASSWORD),
        realm=ad.realm,
        unit=ad.organizational_unit,
        key=key,
    )


def _away(share: FileShare, facts: HostFacts) -> Obstacle | None:
    """Why the domain cannot be joined from a host now."""
    offset = facts[DOMAIN].offset
    realm = _realm(share)
    if isinstance(offset, Absent):
        return Wait(
            Reason.DOMAIN_UNREACHABLE,
            f"{facts.host} finds no controller of {realm}; its name servers must know _ldap._tcp.{realm}, and ports "
            "53, 88, 389 and 445 of the controllers must be open to it",
        )
    if not isinstance(offset, Known):
        return unseen(facts, f"whether {realm} answers", offset)
    if abs(offset.value) > CLOCK_TOLERANCE:
        return Blocked(
            Reason.CLOCK_SKEWED,
            f"the clock of {facts.host} and that of {realm} differ by {abs(offset.value)} s, and Kerberos allows "
            f"{CLOCK_TOLERANCE}; let both follow the same time servers",
        )
    return None


def _refused(share: FileShare, host: str, word: str) -> Blocked:
    assert share.spec.smb is not None
    assert share.spec.smb.active_directory is not None
    ad = share.spec.smb.active_directory
    reason, what = _REFUSALS[Refusal(word)] if word in set(Refusal) else (Reason.DOMAIN_JOIN_FORBIDDEN, "refuses")
    return Blocked(
        reason,
        f"{ad.realm} {what} (Secret {ad.join_secret_ref.name}, name {server_name(share)}, organizationalUnit "
        f"{ad.organizational_unit or 'not declared'}). It is not tried again by itself, because that could lock the "
        f"account: correct it and name it anew in the spec, or `rm {TRIED}` on {host}",
    )


def _broken(share: FileShare, facts: HostFacts) -> Blocked:
    return Blocked(
        Reason.DOMAIN_TRUST_BROKEN,
        f"{_realm(share)} does not take the file servers for {server_name(share)} any more: its account was deleted, "
        f"reset or taken by another computer. See to that; then `net ads join` on {facts.host} makes it anew",
    )


def _realm(share: FileShare) -> str:
    assert share.spec.smb is not None
    assert share.spec.smb.active_directory is not None
    return share.spec.smb.active_directory.realm


def winbind(cluster: ServerCluster) -> Iterator[PlanItem]:
    """What makes winbind run everywhere, and has CTDB watch it."""
    for facts in cluster.seen.values():
        services = facts.services.value if isinstance(facts.services, Known) else {}
        state = services[WINBIND].active if WINBIND in services else "missing"
        if state != "active":
            yield StartWinbind(host=facts.host, why=f"{WINBIND} is {state}", service=WINBIND)


def known(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """Accounts of the domain that folders name and that it does not know."""
    wanted = accounts_of((share,))
    for facts in cluster.seen.values() if wanted else ():
        told = facts[DOMAIN].accounts
        if not isinstance(told, Known):
            yield unseen(facts, "accounts of the domain", told)
            continue
        if missing := [one.name for one in wanted if told.value.get(one) is None]:
            yield Blocked(
                Reason.ACCOUNT_UNKNOWN,
                f"{facts.host}: {_realm(share) if share.spec.smb else 'the domain'} knows no {', '.join(missing)}; add "
                "or correct them",
            )


def away(share: FileShare, cluster: ServerCluster) -> list[tuple[Reason, str]]:
    """File servers that find no controller although they have joined: who logs in anew is refused there."""
    if share.spec.smb is None or share.spec.smb.active_directory is None:
        return []
    seen = [(facts, facts[DOMAIN]) for facts in cluster.seen.values()]
    lost = [(facts, own) for facts, own in seen if isinstance(own.sid, Known) and _is_away(own)]
    obstacles = (_away(share, facts) for facts, _ in lost)
    found = [(found.reason, found.message) for found in obstacles if found is not None]
    return found or _unchanged(share, [own for _, own in seen])


def _unchanged(share: FileShare, seen: list[DomainFacts]) -> list[tuple[Reason, str]]:
    """A password that winbind should have changed long since; all hosts have the same one, so one of them is enough."""
    ages = [
        own.password_age.value for own in seen if isinstance(own.sid, Known) and isinstance(own.password_age, Known)
    ]
    days = min(ages, default=0) // 86400
    if days <= PASSWORD_OLD:
        return []
    return [
        (
            Reason.DOMAIN_KEY_OLD,
            f"the file servers have not changed their password in {_realm(share)} for {days} days, and winbind does so "
            f"after {PASSWORD_CHANGES}; `wbinfo --change-secret` on a file server tells what is in the way",
        )
    ]


def _is_away(own: DomainFacts) -> bool:
    skewed = isinstance(own.offset, Known) and abs(own.offset.value) > CLOCK_TOLERANCE
    return skewed or isinstance(own.offset, Absent)


def leaving(share: FileShare, cluster: ServerCluster) -> Plan:
    """What a share that is deleted does to its domain: nothing, unless it shall leave and no other is in it."""
    smb = share.spec.smb
    ad = smb.active_directory if smb else None
    others = [
        other
        for other in cluster.view.of(FileShare).values()
        if other.metadata.name != share.metadata.name
        and other.metadata.deletion_timestamp is None
        and (in_domain(other) or wants_kerberos(other))
    ]
    if smb is None or ad is None or not ad.leave_on_deletion or others:
        return Converged("the hosts stay as they are")
    facts = next(iter(cluster.seen.values()), None)
    if facts is None:
        return Wait(Reason.WAITING_FOR_NODES, f"no file server can be asked, and {ad.realm} is to be left")
    sid = facts[DOMAIN].sid
    if isinstance(sid, Absent):
        return Converged(f"{ad.realm} was left")
    if not isinstance(sid, Known):
        return unseen(facts, "whether it has joined a domain", sid)
    keytabs = [host for host, one in cluster.seen.items() if isinstance(one[KEYTABS].keys, Known)]
    if keytabs:
        return Proceed(tuple(RemoveKeytab(host=host, why=f"{ad.realm} is left") for host in keytabs))
    name, tried = server_name(share), facts[DOMAIN].tried
    key = leave_key(smb, name)
    if isinstance(tried, Known) and tried.value.key == key and tried.value.refusal:
        return _refused(share, facts.host, tried.value.refusal)
    return Proceed(
        (
            LeaveDomain(
                host=facts.host,
                why=f"{share.metadata.name} is deleted, and spec.smb.activeDirectory.leaveOnDeletion is set",
                name=name,
                key=key,
                username=SecretRef(ad.join_secret_ref.name, USERNAME),
                password=SecretRef(ad.join_secret_ref.name, PASSWORD),
            ),
        )
    )
