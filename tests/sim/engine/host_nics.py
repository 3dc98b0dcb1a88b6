"""Interfaces of hosts, and the networks that are attached to them, as the engine shows them."""

from typing import Any

from ovirtsdk4 import services, types

from sim.engine.calls import Call, Operations
from sim.engine.host_net import HostWires, WiredNetwork, carries, device_of, in_sync, interface_id, net_of, wanted
from sim.engine.messages import BareError, FaultError
from sim.engine.render import Item, Listing, ref
from sim.engine.routes import API
from sim.engine.state import EngineState

_PROTOCOLS = {"NONE": "none", "DHCP": "dhcp", "STATIC_IP": "static"}


def _nics(call: Call) -> Listing:
    host, net = _known(call)
    return Listing("host_nics", [_nic_item(call.state, host, net, name) for name in _names(call.state, net)])


def _nic(call: Call) -> Item:
    host, net = _known(call, inside=1)
    return _nic_item(call.state, host, net, _name_of(call, net, call.route.ids[1]))


def _known(call: Call, inside: int = 0) -> tuple[Any, HostWires]:
    """The host in the path, and its network."""
    host = call.state.hosts.get(call.route.ids[0])
    if host is None:
        raise BareError(404) if inside else FaultError(404, "Entity not found: Host")
    return host, net_of(call.state, host)


def _names(state: EngineState, net: HostWires) -> list[str]:
    """All interfaces: cards, bonds, and devices of networks with a VLAN."""
    if not net.known:
        return []
    plain = [*net.ports, *net.now.bonds]
    return [*plain, *(name for name in _carriers(state, net) if name not in plain)]


def _carriers(state: EngineState, net: HostWires) -> dict[str, WiredNetwork]:
    return {device_of(state, wired): wired for wired in net.now.attachments.values()}


def _name_of(call: Call, net: HostWires, key: str) -> str:
    for name in _names(call.state, net):
        if interface_id(call.state, net, name) == key:
            return name
    raise BareError(404)


def _nic_ref(state: EngineState, host: Any, net: HostWires, name: str) -> Any:
    return ref(types.HostNic, interface_id(state, net, name), f"hosts/{host.id}/nics")


def _nic_item(state: EngineState, host: Any, net: HostWires, name: str) -> Item:
    wired = _carriers(state, net).get(name)
    there = wired.there if wired else {}
    base = wired.interface if wired and wired.interface != name else None
    port = net.ports.get(net.now.bonds[name][0][0] if name in net.now.bonds else base or name)
    value = types.HostNic(
        name=name,
        id=interface_id(state, net, name),
        base_interface=base,
        boot_protocol=_protocol(there.get("ipv4_boot_protocol")),
        ipv6_boot_protocol=_protocol(there.get("ipv6_boot_protocol")),
        bridged=there.get("bridged") == "true",
        custom_configuration=bool(wired) and not in_sync(state, host, wired) if wired else False,
        host=ref(types.Host, host.id),
        mac=types.Mac(address=port.mac) if port else None,
        mtu=int(there.get("mtu") or 1500),
        properties=[],
        speed=port.speed if port and port.carrier and name in net.ports else None,
        status=types.NicStatus.UP if carries(net, base or name) else types.NicStatus.DOWN,
    )
    if wired:
        value.network = ref(types.Network, wired.network)
        value.ip = _ip(there, port.address if port else "")
        value.vlan = types.Vlan(id=int(str(there["vlan"]))) if base and there.get("vlan") else None
    if name in net.now.bonds:
        value.bonding = _bonding(state, host, net, name)
    return Item(value, f"{API}/hosts/{host.id}/nics/{value.id}")


def _bonding(state: EngineState, host: Any, net: HostWires, name: str) -> Any:
    slaves, options = net.now.bonds[name]
    return types.Bonding(
        options=[types.Option(name=key, value=value) for key, value in options.items()],
        slaves=[_nic_ref(state, host, net, slave) for slave in slaves],
    )


def _protocol(told: str | None) -> Any:
    return types.BootProtocol(_PROTOCOLS.get(told or "NONE", (told or "").lower()))


def _ip(there: dict[str, str | None], by_dhcp: str) -> Any:
    if there.get("ipv4_boot_protocol") == "DHCP" and by_dhcp:
        return types.Ip(address=by_dhcp, netmask="255.255.255.0", version=types.IpVersion.V4)
    if "ipv4_address" not in there:
        return None
    return types.Ip(
        address=there["ipv4_address"],
        netmask=there["ipv4_netmask"],
        gateway=there.get("ipv4_gateway"),
        version=types.IpVersion.V4,
    )


def _attachments(call: Call) -> Listing:
    host, net = _known(call)
    found = list(net.now.attachments.values()) if net.known else []
    if "/nics/" in call.route.path:
        name = _name_of(call, net, call.route.ids[1])
        found = [wired for wired in found if wired.interface == name]
    return Listing("network_attachments", [_attachment_item(call, host, net, wired) for wired in found])


def _attachment(call: Call) -> Item:
    host, net = _known(call, inside=1)
    wired = net.now.attachments.get(call.key)
    if wired is None:
        raise BareError(404)
    return _attachment_item(call, host, net, wired)


def _attachment_item(call: Call, host: Any, net: HostWires, wired: WiredNetwork) -> Item:
    wants = wanted(call.state, host, wired)
    reported = [
        types.ReportedConfiguration(
            name=name,
            actual_value=wired.there.get(name),
            expected_value=wants.get(name),
            in_sync=wired.there.get(name) == wants.get(name),
        )
        for name in [*wants, *(name for name in wired.there if name not in wants)]
    ]
    value = types.NetworkAttachment(
        id=wired.id,
        host=ref(types.Host, host.id),
        host_nic=_nic_ref(call.state, host, net, wired.interface),
        network=ref(types.Network, wired.network),
        in_sync=in_sync(call.state, host, wired),
        ip_address_assignments=wired.addresses,
        reported_configurations=reported,
    )
    return Item(value, f"{API}/hosts/{host.id}/networkattachments/{wired.id}")


def _labels(call: Call) -> Listing:
    host, net = _known(call)
    name = _name_of(call, net, call.route.ids[1])
    place = f"{API}/hosts/{host.id}/nics/{call.route.ids[1]}/networklabels"
    found = [types.NetworkLabel(id=label) for label, where in net.now.labels.items() if where == name]
    for value in found:
        value.host_nic = _nic_ref(call.state, host, net, name)
    return Listing("network_labels", [Item(value, f"{place}/{value.id}") for value in found])


NIC_LABELS = _labels
"""The labels of an interface. The service is the one of networks, too, which asks here for the others."""

OPERATIONS: Operations = {
    (services.HostNicsService, "list"): _nics,
    (services.HostNicService, "get"): _nic,
    (services.NetworkAttachmentsService, "list"): _attachments,
    (services.NetworkAttachmentService, "get"): _attachment,
}
