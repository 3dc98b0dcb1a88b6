"""The vNIC profile that has the name of a logical network: kept where a Network declares it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from heretic.api.v1alpha1 import Network
from heretic.api.v1alpha1.vnic_profile import NO_FILTER
from heretic.domain.engine.call import (
    ApiMethod,
    BodyElement,
    EngineCall,
    EngineRequest,
    EngineStep,
    Expectation,
    Fields,
    Thing,
)
from heretic.domain.engine.facts import EngineFacts, LogicalNetwork
from heretic.domain.engine.site import LATER, EngineSite, not_told_apart, recorded_or_named
from heretic.domain.engine.vnic import NetworkFilter, VnicProfile
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Fact, Known, Unknown
from heretic.domain.plan import Blocked, Obstacle, Step, Wait

_OFF = "disabled"
"""A guest with a part of the host's card is tied to hosts that have such cards, and no filter sees its packets."""


@dataclass(frozen=True, kw_only=True)
class ProfileValues:
    """What a vNIC profile is declared to have; pass-through is always off.

    Attributes:
        name: Its name.
        filter: Id of its network filter; "" = none, None = whatever the engine has.
        port_mirroring: Whether a guest is shown the packets of all others.
    """

    name: str
    filter: str | None
    port_mirroring: bool

    def body(self) -> tuple[BodyElement, ...]:
        """Elements of a profile; an empty filter takes the one away that is there."""
        filtered = () if self.filter is None else (BodyElement("network_filter", (), id=self.filter),)
        return (
            BodyElement("name", self.name),
            BodyElement("pass_through", (BodyElement("mode", _OFF),)),
            BodyElement("port_mirroring", self.port_mirroring),
            *filtered,
        )

    def fields(self) -> Fields:
        """Likewise, as the engine shows it."""
        filtered: Fields = () if self.filter is None else (("network_filter.id", self.filter or None),)
        told: Fields = (("name", self.name), ("pass_through.mode", _OFF), ("port_mirroring", self.port_mirroring))
        return (*told, *filtered)

    def __str__(self) -> str:
        filtered = "the engine's filter" if self.filter is None else f"filter {self.filter or NO_FILTER}"
        return f"{self.name}, {filtered}, port mirroring {'on' if self.port_mirroring else 'off'}"


@dataclass(frozen=True, kw_only=True)
class AddVnicProfile(EngineStep):
    """Makes the vNIC profile of a network.

    Attributes:
        network: Id of the network.
        values: What it has.
    """

    verb: ClassVar[str] = "AddVnicProfile"

    network: str
    values: ProfileValues

    def call(self) -> EngineCall:
        """Adds it where the network has none of its name; another network may have one."""
        thing = Thing("vnicprofiles", name=self.values.name, within=(("network.id", self.network),))
        body = BodyElement("vnic_profile", (*self.values.body(), BodyElement("network", (), id=self.network)))
        return EngineCall(
            done=(Expectation(thing),),
            guards=(Expectation(Thing("networks", id=self.network)),),
            request=EngineRequest(ApiMethod.ADD, "vnicprofiles", body),
        )


@dataclass(frozen=True, kw_only=True)
class UpdateVnicProfile(EngineStep):
    """Gives a vNIC profile what it is declared to have. A guest that runs has it once its card is plugged in anew.

    Attributes:
        id: Of the profile.
        values: What it has afterwards.
    """

    verb: ClassVar[str] = "UpdateVnicProfile"

    id: str
    values: ProfileValues

    def call(self) -> EngineCall:
        """Sends everything that is declared; the engine refuses what guests would have to be unplugged for."""
        thing = Thing("vnicprofiles", id=self.id)
        return EngineCall(
            done=(Expectation(thing, fields=self.values.fields()),),
            guards=(Expectation(thing),),
            request=EngineRequest(
                ApiMethod.UPDATE, f"vnicprofiles/{self.id}", BodyElement("vnic_profile", self.values.body())
            ),
        )


def profile_of(network: Network, there: LogicalNetwork, facts: EngineFacts) -> Fact[VnicProfile]:
    """The profile that is kept: by its recorded id, else by the network's name.

    Args:
        network: The object.
        there: Its logical network.
        facts: Of the engine.
    """
    recorded = network.status.logical_network.vnic_profile_id if network.status.logical_network else ""
    if not isinstance(facts.vnic_profiles, Known):
        return facts.vnic_profiles
    here = tuple(one for one in facts.vnic_profiles.value if one.network == there.id)
    return recorded_or_named(Known(here), recorded, there.name)


def plan_profile(network: Network, there: LogicalNetwork, site: EngineSite) -> Iterator[Step | Obstacle]:
    """What to do for the profile that a Network declares; a network that is not for guests has none.

    Args:
        network: The object.
        there: Its logical network.
        site: Where in the engine the site lives.
    """
    if network.spec.logical_network.vnic_profile is None or not there.for_machines:
        return
    values = _values(network, there, site)
    if not isinstance(values, ProfileValues):
        yield values
        return
    match profile_of(network, there, site.facts):
        case Unknown() as unknown:
            yield not_told_apart("vNIC profiles", site.facts.vnic_profiles, unknown)
        case Absent():
            why = f"network {there.name!r} has no vNIC profile {values.name!r}, so that no guest can be attached to it"
            yield AddVnicProfile(engine=site.name, why=why, network=there.id, values=values)
        case Known(profile):
            yield from _kept(profile, values, site)


def _kept(profile: VnicProfile, values: ProfileValues, site: EngineSite) -> Iterator[Step | Obstacle]:
    if profile.port_mirroring is None or not profile.pass_through:
        yield Wait(Reason.NOT_OBSERVED, f"what vNIC profile {profile.name!r} has was not told", LATER)
        return
    wanted = profile.filter if values.filter is None else values.filter
    named = {one.id: one.name for one in _known(site)}
    pairs = (
        ("name", profile.name, values.name),
        ("pass-through", profile.pass_through, _OFF),
        ("port mirroring", _on(profile.port_mirroring), _on(values.port_mirroring)),
        ("network filter", named.get(profile.filter, profile.filter), named.get(wanted, wanted)),
    )
    different = [
        f"{what} is {has or NO_FILTER}, {shall or NO_FILTER} is declared" for what, has, shall in pairs if has != shall
    ]
    if different:
        why = f"vNIC profile {profile.name!r}: {'; '.join(different)}"
        yield UpdateVnicProfile(engine=site.name, why=why, id=profile.id, values=values)


def _values(network: Network, there: LogicalNetwork, site: EngineSite) -> ProfileValues | Obstacle:
    declared = network.spec.logical_network.vnic_profile
    assert declared is not None
    chosen: str | None = declared.network_filter
    if chosen == NO_FILTER:
        chosen = ""
    elif chosen is not None:
        filters = site.facts.network_filters
        if isinstance(filters, Unknown):
            return not_told_apart("network filters", filters, filters)
        found = next((one.id for one in _known(site) if one.name == chosen), None)
        if found is None:
            have = ", ".join(sorted(one.name for one in _known(site))) or "none"
            return Blocked(
                Reason.INVALID_SPEC,
                f"the engine has no network filter {chosen!r} for network {there.name!r} (there are: {have}); correct "
                "spec.logicalNetwork.vnicProfile.networkFilter",
            )
        chosen = found
    return ProfileValues(name=there.name, filter=chosen, port_mirroring=declared.port_mirroring)


def _known(site: EngineSite) -> tuple[NetworkFilter, ...]:
    return site.facts.network_filters.value if isinstance(site.facts.network_filters, Known) else ()


def _on(value: bool) -> str:
    return "on" if value else "off"
