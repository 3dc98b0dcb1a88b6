"""One look at an engine: a fixed number of requests, whatever runs on it."""

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

from heretic.domain.engine import read
from heretic.domain.engine.extras import Extra, Question
from heretic.domain.engine.facts import AttachedDomain, EngineFacts, EngineHost, Event, News
from heretic.domain.engine.record import Record
from heretic.domain.engine.vnic import network_filter, vnic_profile
from heretic.domain.errors import HereticError, Reason, Transient
from heretic.domain.facts import NOT_OBSERVED, Fact, Known, Unknown
from heretic.engine.certificate import authority_of
from heretic.engine.power_look import power_of_hosts
from heretic.engine.reading import listed
from heretic.engine.session import EngineSession
from heretic.engine.worker import Worker

T = TypeVar("T")


class Look:
    """Asks the questions of one look.

    Args:
        session: With the engine.
        worker: Reads the answers.
    """

    def __init__(self, session: EngineSession, worker: Worker) -> None:
        self._session = session
        self._worker = worker

    async def facts(self, last_event: int | None, extras: Collection[Question] = ()) -> EngineFacts:
        """Seven requests, one for each data center, one for some of the extras; the first look of a session one more.

        A list that cannot be told together with what belongs to its things is asked for once more, without.

        Of switching hosts it is asked where that is due: one request a host, and one test at most.

        Args:
            last_event: Index of the newest event at the look before; None at the first one.
            extras: What is asked besides.

        Raises:
            HereticError: The engine does not even say who it is.
        """
        root = await listed(self._session, self._worker, "", doing="who it is")
        identity = read.identity(root[0] if root else {}, authority_of(self._session.settings))
        if not isinstance(identity, Known):
            cause = identity.cause if isinstance(identity, Unknown) else "it says nothing"
            raise HereticError(Transient(Reason.OUTPUT_NOT_UNDERSTOOD, f"{self._session.settings}: {cause}"))
        data_centers = await self._all("datacenters", read.data_center)
        attached: dict[str, Fact[tuple[AttachedDomain, ...]]] = {}
        for one in data_centers.value if isinstance(data_centers, Known) else ():
            attached[one.id] = await self._all(f"datacenters/{one.id}/storagedomains", read.attached_domain)
        facts = EngineFacts(
            identity=identity.value,
            data_centers=data_centers,
            clusters=await self._with("networks", "clusters", read.cluster),
            hosts=await self._hosts(extras),
            networks=await self._all("networks", read.network),
            storage_domains=await self._all("storagedomains", read.storage_domain),
            attached=attached,
            certificate_until=self._session.certificate_until,
            mac_pools=await self._all("macpools", read.mac_pool) if Extra.MAC_POOLS in extras else NOT_OBSERVED,
            own_machine=await self._asked("vms", read.own_machine) if Extra.OWN_MACHINE in extras else NOT_OBSERVED,
            affinity_labels=await self._with("hosts", "affinitylabels", read.affinity_label)
            if Extra.AFFINITY_LABELS in extras
            else NOT_OBSERVED,
            vnic_profiles=await self._all("vnicprofiles", vnic_profile)
            if Extra.VNIC_PROFILES in extras
            else NOT_OBSERVED,
            network_filters=await self._all("networkfilters", network_filter)
            if Extra.NETWORK_FILTERS in extras
            else NOT_OBSERVED,
            ssh_key=await self._ssh_key(),
            power=await power_of_hosts(self._session, self._worker, extras, identity.value.time),
        )
        events = await self._events()
        return replace(facts, news=_new_in(events, last_event), recent=events)

    async def _hosts(self, extras: Collection[Question]) -> Fact[tuple[EngineHost, ...]]:
        if Extra.HOST_NETWORKS in extras:
            inner = "network_attachments,nics" if Extra.HOST_INTERFACES in extras else "network_attachments"
            found = await self._with(inner, "hosts", read.host, all_content="true")
            if isinstance(found, Known):
                return found  # else the hosts themselves are worth more than their networks
        return await self._all("hosts", read.host, all_content="true")

    async def _with(self, inner: str, path: str, one: Callable[[Record], T], **query: str) -> Fact[tuple[T, ...]]:
        """A list with what belongs to its things; the list alone, of an engine that refuses to tell both."""
        try:
            asked = {**query, "follow": inner}
            told = await listed(self._session, self._worker, path, doing=f"its {path}", query=asked)
        except HereticError:
            return await self._all(path, one, **query)
        return read.read_all(told, one)

    async def news(self, last_event: int | None) -> Fact[News]:
        """What is new: one request.

        Args:
            last_event: As for ``facts``.
        """
        return _new_in(await self._events(), last_event)

    async def _events(self) -> Fact[tuple[Event, ...]]:
        return await self._asked("events", read.recent, max=str(read.EVENTS))

    async def _ssh_key(self) -> Fact[str]:
        try:
            return read.ssh_key(await self._session.ssh_key())
        except HereticError as error:
            return Unknown(error.failure.message)

    async def _all(self, path: str, one: Callable[[Record], T], **query: str) -> Fact[tuple[T, ...]]:
        return await self._asked(path, lambda found: read.read_all(found, one), **query)

    async def _asked(self, path: str, parse: Callable[[list[Record]], Fact[T]], **query: str) -> Fact[T]:
        try:
            return parse(await listed(self._session, self._worker, path, doing=f"its {path}", query=query))
        except HereticError as error:
            return Unknown(error.failure.message)


def _new_in(events: Fact[tuple[Event, ...]], last: int | None) -> Fact[News]:
    return Known(read.new_in(events.value, last)) if isinstance(events, Known) else events
