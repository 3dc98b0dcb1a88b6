"""What the engine tells of the networks of a host, read from its records."""

from ipaddress import ip_interface

from heretic.domain.engine.host_parts import DifferingValue, EngineInterface, HostAttachment
from heretic.domain.engine.record import Record, flag, identifier, items, required, text


def attachment(record: Record) -> HostAttachment:
    """A logical network that is attached to a host."""
    told, assigned = items(record, "reported_configurations"), items(record, "ip_address_assignments")
    return HostAttachment(
        id=identifier(record),
        network=required(record, "network.id"),
        in_sync=flag(record, "in_sync"),
        different=None if told is None else tuple(_differing(one) for one in told if flag(one, "in_sync") is False),
        interface=text(record, "host_nic.id"),
        addresses=None if assigned is None else _addresses(assigned),
    )


def _differing(record: Record) -> DifferingValue:
    return DifferingValue(required(record, "name"), text(record, "actual_value"), text(record, "expected_value"))


def _addresses(assigned: list[Record]) -> tuple[str, ...] | None:
    static = [one for one in assigned if text(one, "assignment_method") == "static"]
    try:
        return tuple(str(ip_interface(f"{text(one, 'ip.address')}/{text(one, 'ip.netmask')}")) for one in static)
    except ValueError:
        return None


def interface(record: Record) -> EngineInterface:
    """A port, a bond or a VLAN of a host."""
    ports, options = items(record, "bonding.slaves") or (), items(record, "bonding.options") or ()
    return EngineInterface(
        id=identifier(record),
        name=required(record, "name"),
        ports=tuple(identifier(one) for one in ports),
        options=tuple((required(one, "name"), text(one, "value")) for one in options),
    )
