"""What Samba lacks on the file servers: the same proved configuration everywhere first, then it runs, under CTDB."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

from heretic.api.v1alpha1 import FileShare, Network
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.domain.commands import SecretRef
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import HostFacts
from heretic.domain.host.rule import HostContext, unseen, write_file
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.accounts import adding, numbers, recorded
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.folders import folders, volumes_of
from heretic.domain.shares.samba import domain_plan, texts
from heretic.domain.shares.samba.domain import accounts_of, in_domain, server_name
from heretic.domain.shares.samba.facts import SAMBA
from heretic.domain.shares.samba.steps import (
    MARK,
    EnableScript,
    PutSambaConfiguration,
    RemovePassword,
    SetPassword,
    StartSamba,
    described_by,
)
from heretic.domain.shares.samba.texts import OwnedSection
from heretic.domain.shares.server_facts import SERVER
from heretic.domain.shares.volumes import MountedVolume

ServingStage = Callable[[], Iterable[PlanItem]]


def accounts(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """The users of shares, on every file server."""
    given = numbers(users_of(share), cluster.seen, recorded(cluster.view))
    if isinstance(given, Wait | Blocked):
        yield given
        return
    yield from adding(given, cluster.seen)


def users_of(share: FileShare) -> list[str]:
    """The local users of Samba, of whom all shares say the same."""
    return share.spec.smb.users if share.spec.smb else []


def stages(share: FileShare, cluster: ServerCluster) -> tuple[ServingStage, ...]:
    """What brings Samba to serve, in order; in a domain folders come behind winbind, which knows their owners."""
    member = in_domain(share)
    return (
        lambda: _next(share, cluster),
        lambda: _refused(share, cluster),
        lambda: _configured(share, cluster),
        lambda: domain_plan.joined(share, cluster),
        lambda: _passwords(share, cluster),
        lambda: _running(cluster),
        lambda: domain_plan.winbind(cluster) if member else (),
        lambda: _watched(cluster, (texts.SCRIPT, domain_plan.SCRIPT) if member else (texts.SCRIPT,)),
        lambda: domain_plan.known(share, cluster) if member else (),
        lambda: folders(share, cluster) if member else (),
        lambda: _serving(share, cluster),
    )


def _next(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """The file that is to be in force, on all hosts before it is on any."""
    for host in cluster.contexts():
        if isinstance(host, Wait | Blocked):
            yield host
            continue
        text = _wanted(share, cluster, host)
        if isinstance(text, Wait):
            yield text
            continue
        yield from write_file(host, texts.NEXT, lambda _, text=text: text, "the configuration of Samba")  # type: ignore[misc]


def _wanted(share: FileShare, cluster: ServerCluster, host: HostContext) -> str | Wait:
    """The file for one host: folders of the shares that may act, and what it has of the others (decision 0060)."""
    assert share.spec.smb is not None
    shares = [s for s in cluster.acting(share) if s.spec.protocol is ShareProtocol.SMB]
    volumes = volumes_of(shares, cluster)
    own: dict[str, tuple[OwnedSection, ...]] = {}
    for one in shares:
        volume, network = volumes.get(one.spec.volume), cluster.view.of(Network).get(one.spec.network)
        if isinstance(volume, MountedVolume) and network is not None:
            own[one.metadata.name] = tuple(texts.sections_of(one, cluster.view, volume, network, host))
        elif one is share:
            return volume if isinstance(volume, Wait) else Wait(Reason.VOLUME_NOT_FOUND, "its volume is not known")
    sections = {section.folder.lower(): section for section in _kept(own, cluster)}
    sections |= {section.folder.lower(): section for of_one in own.values() for section in of_one}
    accounts = accounts_of(cluster.acting(share)) if share.spec.smb.active_directory else ()
    return texts.configuration(share.spec.smb, server_name(shares[0]), sections.values(), accounts)


def _kept(own: Collection[str], cluster: ServerCluster) -> Iterator[OwnedSection]:
    """Sections of shares that are gone, may not act or cannot be worked out now: they stay in force as they are."""
    for facts in reversed(tuple(cluster.seen.values())):
        file = facts.files.get(texts.CONFIGURATION, NOT_OBSERVED)
        if isinstance(file, Known):
            yield from (s for s in texts.owned_sections(file.value.content) if s.share not in own)


def _refused(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What testparm does not like: nothing is put in force then, on no host."""
    names = {folder.name for folder in share.spec.folders}
    for facts in cluster.seen.values():
        tested = facts[SAMBA].tested
        if isinstance(tested, Absent):
            yield Wait(Reason.NOT_OBSERVED, f"{facts.host}: there is no testparm")
        elif isinstance(tested, Unknown):
            yield unseen(facts, f"what testparm says of {texts.NEXT}", tested)
        elif tested.value.complaints:
            yield _refusal(facts, "; ".join(tested.value.complaints))
        elif missing := names - tested.value.sections:
            yield _refusal(facts, f"it does not know {', '.join(sorted(missing))}")


def _refusal(facts: HostFacts, words: str) -> Blocked:
    return Blocked(
        Reason.SAMBA_REFUSES,
        f"testparm of {facts.host} refuses {texts.NEXT}: {words}. The file servers go on with the configuration before",
    )


def _configured(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """Puts the proved file in force everywhere."""
    for found in cluster.files(texts.NEXT):
        if isinstance(found, Wait | Blocked):
            yield found
            continue
        host, following = found
        smbd, text = texts.UNITS[host.profile.family].smbd, following.content
        runs = _state(host.facts, smbd) == "active"
        tell = (("smbcontrol", "smbd", "reload-config"),) if runs else ()
        sections = tuple(section.folder for section in texts.owned_sections(text))
        yield from write_file(
            host,
            texts.CONFIGURATION,
            lambda _, text=text: text,  # type: ignore[misc]
            "the configuration of Samba",
            reader=smbd if runs else "",
            tell=tell,
            step=partial(PutSambaConfiguration, sections=sections),
        )


def _state(facts: HostFacts, unit: str) -> str:
    services = facts.services.value if isinstance(facts.services, Known) else {}
    return services[unit].active if unit in services else "missing"


def _passwords(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """Samba's users, whom CTDB shares between all hosts; one of them sets what is missing."""
    assert share.spec.smb is not None
    facts = next(iter(cluster.seen.values()), None)
    if facts is None:
        return
    users = facts[SAMBA].users
    if not isinstance(users, Known):
        yield unseen(facts, "who may log in to Samba", users)
        return
    secret = share.spec.smb.users_secret_ref.name
    for user in share.spec.smb.users:
        if users.value.get(user) != described_by(secret):
            yield SetPassword(
                host=facts.host,
                why=f"user {user} has no password out of Secret {secret}",
                user=user,
                password=SecretRef(secret, user),
                origin=secret,
            )
    for user, description in users.value.items():
        if description.startswith(MARK) and user not in share.spec.smb.users:
            yield RemovePassword(host=facts.host, why=f"{user} is no user of shares any more", user=user)


def _running(cluster: ServerCluster) -> Iterator[PlanItem]:
    for host in cluster.contexts():
        if isinstance(host, Wait | Blocked):
            yield host
            continue
        smbd = texts.UNITS[host.profile.family].smbd
        state = _state(host.facts, smbd)
        if state != "active":
            yield StartSamba(host=host.name, why=f"{smbd} is {state}", smbd=smbd)


def _watched(cluster: ServerCluster, wanted: Sequence[str]) -> Iterator[PlanItem]:
    """CTDB's script comes last: it takes a host out whose Samba does not answer."""
    for facts in cluster.seen.values():
        scripts = facts[SERVER].scripts
        if not isinstance(scripts, Known):
            yield unseen(facts, "which scripts CTDB runs", scripts)
            continue
        for script in (script for script in wanted if script not in scripts.value):
            yield EnableScript(host=facts.host, why=f"CTDB does not run {script}", name=script)


def _serving(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What each running smbd itself lists must have the folders (those that are hidden aside)."""
    shown = {f.name for f in share.spec.folders if f.smb is None or f.smb.browseable}
    for facts in cluster.seen.values():
        served = facts[SAMBA].served
        if isinstance(served, Absent):
            yield Wait(Reason.SAMBA_NOT_SERVING, f"{facts.host}: Samba does not answer at port 445", 10.0)
        elif isinstance(served, Unknown):
            yield unseen(facts, "what Samba serves", served)
        elif missing := shown - served.value:
            names = ", ".join(sorted(missing))
            yield Wait(Reason.SAMBA_NOT_SERVING, f"{facts.host}: the running Samba does not serve {names}", 10.0)
