"""What would make a deployment fail an hour later, looked for before anything starts. All of it is told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from heretic.api.quantity import format_bytes, parse_bytes
from heretic.api.v1alpha1 import GlusterVolume, HostedEngine, Network
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.api.v1alpha1.self_hosted import SelfHostedSpec
from heretic.api.v1alpha1.subnets import is_ipv6
from heretic.domain.conditions import ConditionType
from heretic.domain.declared.view import SiteView
from heretic.domain.errors import Reason
from heretic.domain.facts import Absent, Known, Unknown
from heretic.domain.host.facts import Cpu, HostFacts, HostView
from heretic.domain.hosted_engine.bridge_port import interface_of, unsuitable
from heretic.domain.hosted_engine.cpu import one_vendor
from heretic.domain.hosted_engine.first_host import LOCAL_MACHINE, SPACE, FirstHost, engine_volume
from heretic.domain.hosted_engine.hindrance import GIB, EngineNameSeen, Hindrance, name_hindrances, not_known
from heretic.domain.hosted_engine.versions import apart

ROOM = 30 * GIB
"""Bytes for the temporary machine: the appliance, unpacked, and what engine-setup adds."""

BESIDE_MACHINE = 512 * 2**20
"""Bytes of memory that the host keeps for itself beside the engine's machine."""

BESIDE_DISK = 10 * GIB
"""Bytes of the volume that the hosts' notes take, and that a storage domain keeps free."""


@dataclass(frozen=True, slots=True)
class DeploymentGround:
    """Everything that the checks look at.

    Attributes:
        engine: What is declared.
        spec: Its part for a deployment.
        view: The declared site.
        hosts: The hosts that may run the engine's machine, by Node.
        first: What the host says on which it is deployed.
        facts: Likewise, of its own facts.
    """

    engine: HostedEngine
    spec: SelfHostedSpec
    view: SiteView
    hosts: Mapping[str, HostView]
    first: FirstHost
    facts: HostFacts


def hindrances(ground: DeploymentGround, *, former: bool = False) -> tuple[Hindrance, ...]:
    """Everything that is in the way of a deployment; empty when nothing is.

    Args:
        ground: What is looked at.
        former: Whether there was an engine, whose machine may still be known to libvirt.
    """
    tools = tuple(_tools(ground))
    more = () if tools else (*_leftovers(ground, former=former), *_content(ground))
    checks = (_versions, _name, _subnet, _room, _interface, _firewall, _cpus, _volume)
    return (*tools, *(found for check in checks for found in check(ground)), *more)


def _tools(ground: DeploymentGround) -> Iterator[Hindrance]:
    """The programs decide, not the distribution: whoever has them is a host that can."""
    first = ground.first
    lacking = []
    for what, fact in (("Ansible (ansible-playbook)", first.runner), ("oVirt's role hosted_engine_setup", first.role)):
        if isinstance(fact, Unknown):
            yield not_known(what, first.host, fact)
        elif fact != Known(True):
            lacking.append(what)
    if isinstance(first.deployed, Absent):
        lacking.append("the program hosted-engine")
    elif isinstance(first.deployed, Unknown):
        yield not_known("whether an engine was deployed", first.host, first.deployed)
    if lacking:
        yield Hindrance(
            Reason.ENGINE_TOOLS_MISSING,
            f"{first.host} has not got {', '.join(lacking)}. Install oVirt's packages ovirt-hosted-engine-setup and "
            "ovirt-ansible-collection there; they exist for EL 9",
        )
    if ground.spec.appliance and first.appliance != Known(True):
        yield Hindrance(
            Reason.APPLIANCE_MISSING,
            f"{ground.spec.appliance} is not known to be on {first.host}. Copy the appliance there, or leave "
            "spec.selfHosted.appliance unset",
        )


def _versions(ground: DeploymentGround) -> Iterator[Hindrance]:
    yield from (Hindrance(Reason.ENGINE_TOOLS_MISSING, why) for why in apart(ground.first, ground.facts))


def _name(ground: DeploymentGround) -> Iterator[Hindrance]:
    first, spec = ground.first, ground.engine.spec
    own = {a.partition("/")[0]: name for name, a in _addresses(ground)}
    own |= {node.spec.address: name for name, node in ground.view.nodes.items()}

    def wrong(address: str) -> str:
        if address not in own and not address.startswith("127."):
            return ""
        return f"is {own.get(address, first.host)}'s own. The engine's machine needs an address of its own"

    yield from name_hindrances(EngineNameSeen(spec.fqdn, spec.address, first.host, first.addresses, first.names), wrong)


def _addresses(ground: DeploymentGround) -> Iterator[tuple[str, str]]:
    """Every address with its prefix that a host has, with the name of its Node."""
    for name, seen in ground.hosts.items():
        if isinstance(seen, HostFacts) and isinstance(seen.interfaces, Known):
            yield from ((name, address) for i in seen.interfaces.value for address in i.addresses)


def _subnet(ground: DeploymentGround) -> Iterator[Hindrance]:
    nat = ip_network(ground.spec.nat_subnet)
    taken = {f"Network {name}": net.spec.subnet for name, net in sorted(ground.view.of(Network).items())}
    # libvirt's own bridge has the NAT network of an earlier try, and it is made anew.
    taken |= {
        f"{i.name} of {name}": address
        for name, seen in ground.hosts.items()
        if isinstance(seen, HostFacts) and isinstance(seen.interfaces, Known)
        for i in seen.interfaces.value
        if not i.name.startswith("virbr")
        for address in i.addresses
    }
    for whose, subnet in taken.items():
        if not is_ipv6(subnet) and nat.overlaps(ip_network(subnet, strict=False)):
            yield Hindrance(
                Reason.NAT_SUBNET_CLASHES,
                f"{nat}, which the temporary machine uses, overlaps {subnet} of {whose}. Declare another one in "
                "spec.selfHosted.natSubnet",
            )


def _room(ground: DeploymentGround) -> Iterator[Hindrance]:
    first = ground.first
    if not isinstance(first.room, Known):
        yield not_known(f"the free space in {SPACE}", first.host, first.room)
    elif first.room.value < ROOM:
        yield Hindrance(
            Reason.DOES_NOT_FIT,
            f"{SPACE} of {first.host} has {format_bytes(first.room.value)} free, and the temporary machine needs "
            f"{format_bytes(ROOM)}",
        )
    wanted, memory = parse_bytes(ground.spec.virtual_machine.memory) + BESIDE_MACHINE, ground.facts.memory_bytes
    if not isinstance(memory, Known):
        yield not_known("the memory", first.host, memory)
    elif memory.value < wanted:
        yield Hindrance(
            Reason.DOES_NOT_FIT,
            f"{first.host} has {format_bytes(memory.value)} of memory, and the engine's machine with what the "
            f"host keeps needs {format_bytes(wanted)}. Declare less in spec.selfHosted.virtualMachine.memory",
        )


def _interface(ground: DeploymentGround) -> Iterator[Hindrance]:
    facts, first = ground.facts, ground.first
    if not isinstance(facts.interfaces, Known):
        yield not_known("the list of interfaces", first.host, facts.interfaces)
        return
    address = ground.view.nodes[first.host].spec.address
    name = interface_of(facts, address, ground.spec.network_interface)
    found = next((i for i in facts.interfaces.value if i.name == name), None)
    if found is None:
        lacks = f"no interface {name}" if name else f"no interface with its address {address}"
        yield Hindrance(
            Reason.INTERFACE_UNSUITABLE,
            f"{first.host} has {lacks} for the bridge ovirtmgmt. Declare one in spec.selfHosted.networkInterface",
        )
        return
    yield from (
        Hindrance(Reason.INTERFACE_UNSUITABLE, f"{first.host}: {why}")
        for why in unsuitable(found, facts.interfaces.value, first.bond_modes)
    )


def _firewall(ground: DeploymentGround) -> Iterator[Hindrance]:
    first = ground.first
    if first.firewall != Known("active"):
        word = first.firewall.value if isinstance(first.firewall, Known) else "not known"
        yield Hindrance(
            Reason.FIREWALL_NOT_RUNNING,
            f"firewalld of {first.host} is {word}, and the deployment opens ports in it. Install it, unmask it "
            "and start it",
        )


def _leftovers(ground: DeploymentGround, *, former: bool) -> Iterator[Hindrance]:
    first = ground.first
    if not isinstance(first.machines, Known):
        yield not_known("the list of machines", first.host, first.machines)
    elif "HostedEngine" in first.machines.value and not former:
        yield Hindrance(
            Reason.ENGINE_DEPLOYED_BEFORE,
            f"{first.host} has a machine HostedEngine. It may be an engine's own: find out whose it is, and never "
            "remove it while hosts know of it",
        )
    elif LOCAL_MACHINE in first.machines.value:
        yield Hindrance(
            Reason.DEPLOYMENT_LEFTOVERS,
            f"{first.host} has a machine {LOCAL_MACHINE} of a deployment that Heretic did not begin. Let that "
            "end, or run `ovirt-hosted-engine-cleanup` there where no engine was ever deployed",
        )


def _cpus(ground: DeploymentGround) -> Iterator[Hindrance]:
    known: dict[str, Cpu] = {}
    for name, seen in sorted(ground.hosts.items()):
        if isinstance(seen, HostFacts) and isinstance(seen.cpu, Known):
            known[name] = seen.cpu.value
        else:
            yield Hindrance(Reason.NOT_OBSERVED, f"the processor of {name} is not known; see Node {name}")
    if not one_vendor(known.values()):
        said = ", ".join(f"{name} {cpu.vendor}" for name, cpu in known.items())
        yield Hindrance(
            Reason.CPUS_DIFFER, f"hosts of one cluster have processors of one vendor, and these have not: {said}"
        )


def _volume(ground: DeploymentGround) -> Iterator[Hindrance]:
    name = ground.spec.storage_volume
    volume = engine_volume(ground.engine, ground.view)
    if volume is None:
        yield Hindrance(
            Reason.ENGINE_VOLUME_NOT_READY, f"there is no GlusterVolume {name}. Declare it, with the purpose Engine"
        )
        return
    if volume.spec.purpose is not Purpose.ENGINE:
        yield Hindrance(
            Reason.ENGINE_VOLUME_NOT_READY,
            f"GlusterVolume {name} has the purpose {volume.spec.purpose.value}, not Engine",
        )
    for kind in (ConditionType.READY, ConditionType.HEALED):
        if not _is_true(volume, kind):
            yield Hindrance(
                Reason.ENGINE_VOLUME_NOT_READY, f"GlusterVolume {name} is not {kind.value}; see its conditions"
            )
    wanted = parse_bytes(ground.spec.virtual_machine.disk_size) + BESIDE_DISK
    if parse_bytes(volume.spec.size) < wanted:
        yield Hindrance(
            Reason.DOES_NOT_FIT,
            f"GlusterVolume {name} has {volume.spec.size}, and the disk of the engine's machine needs "
            f"{format_bytes(wanted)} with what the hosts write beside it",
        )


def _is_true(volume: GlusterVolume, kind: ConditionType) -> bool:
    generation = volume.metadata.generation
    return any(
        c.type == kind.value and c.status == "True" and c.observed_generation == generation
        for c in volume.status.conditions
    )


def _content(ground: DeploymentGround) -> Iterator[Hindrance]:
    domain, name = ground.first.domain, ground.spec.storage_volume
    if isinstance(domain, Unknown):
        yield not_known(f"what lies on GlusterVolume {name}", ground.first.host, domain)
    elif domain != Known(()):
        said = ", ".join(domain.value[:3]) if isinstance(domain, Known) else "it could not be listed"
        yield Hindrance(
            Reason.ENGINE_VOLUME_NOT_EMPTY,
            f"GlusterVolume {name} is not empty ({said}). An engine may live there: nothing is deployed on it. "
            "Where none "
            "ever did, empty it by hand",
        )
