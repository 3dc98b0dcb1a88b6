"""What an engine tells of vNIC profiles and of the network filters that they can have."""

from dataclasses import dataclass

from heretic.domain.engine.record import Record, flag, identifier, required, text


@dataclass(frozen=True, slots=True)
class VnicProfile:
    """What a guest may do on a network.

    Attributes:
        network: Id of its network.
        filter: Id of its network filter; "" = none.
        pass_through: Whether guests get a part of the host's card: "disabled" or "enabled"; "" = not told.
        port_mirroring: None where it was not told.
    """

    id: str
    name: str
    network: str
    filter: str
    pass_through: str
    port_mirroring: bool | None


@dataclass(frozen=True, slots=True)
class NetworkFilter:
    """A filter for packets, which comes with libvirt."""

    id: str
    name: str


def vnic_profile(record: Record) -> VnicProfile:
    """A vNIC profile."""
    return VnicProfile(
        id=identifier(record),
        name=required(record, "name"),
        network=required(record, "network.id"),
        filter=text(record, "network_filter.id"),
        pass_through=text(record, "pass_through.mode"),
        port_mirroring=flag(record, "port_mirroring"),
    )


def network_filter(record: Record) -> NetworkFilter:
    """A network filter."""
    return NetworkFilter(id=identifier(record), name=required(record, "name"))
