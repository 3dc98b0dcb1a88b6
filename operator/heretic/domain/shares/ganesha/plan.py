"""What Ganesha lacks on the file servers: the same tried configuration everywhere first, then it runs, under CTDB."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from heretic.api.v1alpha1 import FileShare, Network
from heretic.api.v1alpha1.file_share import ShareProtocol
from heretic.domain.errors import Reason
from heretic.domain.facts import NOT_OBSERVED, Absent, Known, Unknown
from heretic.domain.host.facts import FileContent, HostFacts
from heretic.domain.host.rule import HostContext, unseen, write_file
from heretic.domain.plan import Blocked, PlanItem, Wait
from heretic.domain.shares.cluster import ServerCluster
from heretic.domain.shares.folders import volumes_of
from heretic.domain.shares.ganesha import texts
from heretic.domain.shares.ganesha.facts import GANESHA
from heretic.domain.shares.ganesha.numbers import ExportNumbers, export_numbers
from heretic.domain.shares.ganesha.steps import (
    AddExport,
    PutEventScript,
    PutGaneshaConfiguration,
    RemoveExport,
    StartGanesha,
    TryExports,
    update,
)
from heretic.domain.shares.ganesha.texts import OwnedExport, owned_exports
from heretic.domain.shares.kerberos import plan as kerberos
from heretic.domain.shares.volumes import MountedVolume

PACKAGE = "nfs-ganesha-gluster"
"""Holds the part of Ganesha that speaks to Gluster."""

_VERSION = re.compile(r"(?:\d+:)?(\d+)\.(\d+)\b.*")
_FIRST_UNSOUND, _LAST_UNSOUND = (5, 4), (6, 5)


def unsound(version: str) -> bool:
    """Whether a version is known to end when it forgets a file, listed or removed (nfs-ganesha#1107, #1331).

    What a distribution has corrected in the same version cannot be told from its number, so it is not believed.
    """
    found = _VERSION.fullmatch(version)
    return found is not None and _FIRST_UNSOUND <= (int(found[1]), int(found[2])) <= _LAST_UNSOUND


def stages(share: FileShare, cluster: ServerCluster) -> tuple[Callable[[], Iterable[PlanItem]], ...]:
    """What brings Ganesha to serve, in order."""
    return (
        *kerberos.stages(share, cluster),
        lambda: _unit(cluster),
        lambda: _next(share, cluster),
        lambda: _tried(cluster),
        lambda: _configured(cluster),
        lambda: _running(cluster),
        lambda: _exported(cluster),
        lambda: kerberos.taken_away(cluster),
        lambda: _watched(cluster),
        lambda: _serving(share, cluster),
    )


def sound(cluster: ServerCluster) -> Iterator[PlanItem]:
    """Whether Ganesha may be given clients at all."""
    for facts in cluster.seen.values():
        if not isinstance(facts.packages, Known):
            yield unseen(facts, "which Ganesha it has", facts.packages)
        elif unsound(version := facts.packages.value.get(PACKAGE, "")):
            yield Blocked(
                Reason.GANESHA_UNSOUND,
                f"{facts.host} has {PACKAGE} {version}, which dies when clients list or remove files; nothing is "
                "served with it. Install a version in which nfs-ganesha#1107 and #1331 are corrected",
            )


def _unit(cluster: ServerCluster) -> Iterator[PlanItem]:
    for host in cluster.contexts():
        if isinstance(host, Wait | Blocked):
            yield host
            continue
        text = texts.drop_in(cluster.number(host.name))
        yield from write_file(
            host,
            texts.DROP_IN,
            lambda _, text=text: text,  # type: ignore[misc]
            "how Ganesha runs",
            reader="systemd",
            tell=(("systemctl", "daemon-reload"),),
        )


def _next(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """The file that is to be in force, on all hosts before it is on any."""
    numbers = export_numbers(cluster.view, cluster.seen)
    if isinstance(numbers, Wait):
        yield numbers
        return
    for host in cluster.contexts():
        if isinstance(host, Wait | Blocked):
            yield host
            continue
        exports = _wanted(share, cluster, host, numbers)
        if isinstance(exports, Wait):
            yield exports
            continue
        text = texts.configuration(exports)
        yield from write_file(host, texts.NEXT, lambda _, text=text: text, "the configuration of Ganesha")  # type: ignore[misc]


def _wanted(
    share: FileShare, cluster: ServerCluster, host: HostContext, numbers: ExportNumbers
) -> list[OwnedExport] | Wait:
    """Exports of the shares that may act, and of the others what is in force (decision 0060).

    Another share whose clients could not use Kerberos yet is one of these: keys are on every host first.
    """
    shares = [s for s in cluster.acting(share) if s.spec.protocol is ShareProtocol.NFS]
    volumes = volumes_of(shares, cluster)
    own: dict[str, list[OwnedExport]] = {}
    for one in shares:
        volume, network = volumes.get(one.spec.volume), cluster.view.of(Network).get(one.spec.network)
        may = one is share or kerberos.ready(one, cluster)
        if isinstance(volume, MountedVolume) and network is not None and may:
            asked = volume.sources(cluster.view, host.name)[0]
            own[one.metadata.name] = [
                texts.export_of(one, folder, numbers[folder.name], volume.volume, asked, network)
                for folder in one.spec.folders
            ]
        elif one is share:
            return volume if isinstance(volume, Wait) else Wait(Reason.VOLUME_NOT_FOUND, "its volume is not known")
    kept = {e.number: e for e in _in_force(host.facts) if e.share not in own}
    return list({**kept, **{e.number: e for exports in own.values() for e in exports}}.values())


def _file(facts: HostFacts, path: str) -> FileContent | None:
    file = facts.files.get(path, NOT_OBSERVED)
    return file.value if isinstance(file, Known) else None


def _in_force(facts: HostFacts) -> list[OwnedExport]:
    file = _file(facts, texts.CONFIGURATION)
    return list(owned_exports(file.content)) if file else []


def _active(facts: HostFacts) -> bool:
    services = facts.services.value if isinstance(facts.services, Known) else {}
    return texts.SERVICE in services and services[texts.SERVICE].active == "active"


def _tried(cluster: ServerCluster) -> Iterator[PlanItem]:
    """What running Ganeshas make of the next file: where one does not like it, it is in force nowhere."""
    for facts in cluster.seen.values():
        file, there = _file(facts, texts.NEXT), _file(facts, texts.CONFIGURATION)
        if file is None or not _active(facts) or (there and there.content == file.content):
            continue
        tried = facts[GANESHA].tried
        if isinstance(tried, Unknown):
            yield unseen(facts, "what Ganesha made of its next configuration", tried)
        elif isinstance(tried, Absent) or tried.value.sha256 != file.sha256:
            numbers = tuple(export.number for export in owned_exports(file.content))
            yield TryExports(host=facts.host, why="Ganesha has not tried it", sha256=file.sha256, numbers=numbers)
        elif tried.value.complaint:
            yield Blocked(
                Reason.GANESHA_REFUSES,
                f"Ganesha of {facts.host} refuses {texts.NEXT}: {tried.value.complaint}. The file servers go on with "
                "the configuration before",
            )


def _configured(cluster: ServerCluster) -> Iterator[PlanItem]:
    """Puts the tried file in force everywhere."""
    for found in cluster.files(texts.NEXT):
        if isinstance(found, Wait | Blocked):
            yield found
            continue
        host, following = found
        runs, exports, text = _active(host.facts), host.facts[GANESHA].exports, following.content
        there = exports.value if isinstance(exports, Known) and runs else {}
        kept = [export.number for export in owned_exports(text) if there.get(export.number) == export.path]
        yield from write_file(
            host,
            texts.CONFIGURATION,
            lambda _, text=text: text,  # type: ignore[misc]
            "the configuration of Ganesha",
            reader=texts.SERVICE if runs else "",
            tell=tuple(update(number) for number in kept),
            step=partial(PutGaneshaConfiguration, tried=runs),
        )


def _running(cluster: ServerCluster) -> Iterator[PlanItem]:
    for facts in cluster.seen.values():
        if not isinstance(facts.services, Known):
            yield unseen(facts, "its services", facts.services)
        elif not _active(facts):
            yield StartGanesha(host=facts.host, why=f"{texts.SERVICE} is not active")


def _exported(cluster: ServerCluster) -> Iterator[PlanItem]:
    """What the running Ganesha serves is what its file says; it may have been told otherwise."""
    for facts in cluster.seen.values():
        exports, file = facts[GANESHA].exports, _file(facts, texts.CONFIGURATION)
        if isinstance(exports, Absent) or file is None:
            yield Wait(Reason.GANESHA_NOT_SERVING, f"{facts.host}: Ganesha runs, and does not answer yet", 10.0)
            continue
        if isinstance(exports, Unknown):
            yield unseen(facts, "what Ganesha serves", exports)
            continue
        wanted = {export.number: export.path for export in owned_exports(file.content)}
        extra = {number: path for number, path in exports.value.items() if wanted.get(number) != path}
        for number, path in extra.items():
            yield RemoveExport(host=facts.host, why=f"{path} is served and not declared", number=number, path=path)
        for number, path in wanted.items():
            if number not in exports.value:
                yield AddExport(
                    host=facts.host, why=f"{path} is not served", number=number, path=path, sha256=file.sha256
                )


def _watched(cluster: ServerCluster) -> Iterator[PlanItem]:
    """CTDB's script comes last: it takes a host out whose Ganesha does not answer."""
    for facts in cluster.seen.values():
        fact, text = facts.files.get(texts.SCRIPT, NOT_OBSERVED), texts.script(cluster.number(facts.host))
        if isinstance(fact, Unknown):
            yield unseen(facts, texts.SCRIPT, fact)
            continue
        there = fact.value if isinstance(fact, Known) else None
        if there is None or (there.content, there.mode) != (text, "0755"):
            yield PutEventScript(
                host=facts.host,
                why=f"{texts.SCRIPT} differs: CTDB and Ganesha",
                path=texts.SCRIPT,
                content=text,
                mode="0755",
                replaces_sha256=there.sha256 if there else "",
            )


def _serving(share: FileShare, cluster: ServerCluster) -> Iterator[PlanItem]:
    """What each running Ganesha lists must have the folders."""
    wanted = {f"/{folder.name}" for folder in share.spec.folders}
    for facts in cluster.seen.values():
        exports = facts[GANESHA].exports
        served = set(exports.value.values()) if isinstance(exports, Known) else set()
        if missing := wanted - served:
            names = ", ".join(sorted(missing))
            yield Wait(Reason.GANESHA_NOT_SERVING, f"{facts.host}: the running Ganesha does not serve {names}", 10.0)
