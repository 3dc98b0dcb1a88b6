"""What is asked of the host on which an engine is deployed, while none is recorded: one host, for a while only.

It is a fact of the site, not a section of every host's: what is asked depends on what is declared (the engine's name,
the brick of its volume), and one host alone is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heretic.api.v1alpha1 import GlusterVolume, HostedEngine
from heretic.api.v1alpha1.node import Role
from heretic.domain.commands import Output, Probe
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import NOT_OBSERVED, Fact, Known
from heretic.domain.host.facts import HostFacts, HostView
from heretic.domain.host.section import NO_ANSWER
from heretic.domain.hosted_engine.parse import first_host as parse
from heretic.domain.memo import Memo
from heretic.domain.shared import SharedFact, stays

ROLE = "/usr/share/ansible/collections/ansible_collections/ovirt/ovirt/roles/hosted_engine_setup"
"""Where oVirt's package puts the role that deploys an engine."""

AUTHORITY = "/etc/pki/vdsm/certs/cacert.pem"
"""What a host of an engine trusts: the authority of that engine, put there when the engine took the host in."""

LOCAL_MACHINE = "HostedEngineLocal"
"""The machine in which the engine is set up, before it is moved to the volume."""

SPACE = "/var/tmp"  # noqa: S108 - where the role makes the temporary machine
RUNNER = ("env", "LC_ALL=C.UTF-8", "ansible-playbook")
"""What runs the role; without a locale of UTF-8 it does nothing at all."""

CHECK_DEPLOYED = ("hosted-engine", "--check-deployed")
_VERSION_OF = ("rpm", "-q", "--queryformat", "%{VERSION}")
MACHINES = ("virsh", "-r", "list", "--all", "--name")
RUNNING_MACHINES = ("virsh", "-r", "list", "--name")


def in_brick(path: str) -> tuple[str, ...]:
    """Lists what a storage domain would be in the brick of a volume; Gluster's own folders begin with a dot."""
    return ("find", path, "-mindepth", "1", "-maxdepth", "1", "!", "-name", ".*", "!", "-name", "__DIRECT_IO_TEST__")


@dataclass(frozen=True, slots=True)
class FirstHost:
    """What one host says that matters before, during and after a deployment.

    Attributes:
        host: Name of the Node.
        deployed: Whether an engine was ever deployed on it; Absent where it has not got the program.
        role: Whether the role that deploys an engine is there.
        runner: Whether what runs the role is there.
        addresses: What the engine's name resolves to there; Absent where it does not.
        names: What the first of these is called; Absent where it has no name.
        room: Free bytes for the temporary machine.
        machines: Names of the machines that libvirt knows.
        firewall: State of firewalld, in systemd's word.
        bond_modes: By bond.
        domain: What lies in the brick of the engine's volume and could be a storage domain.
        appliance: Whether the declared file is there.
        authority: What it trusts as an engine's host.
        backup: Version of the engine in the declared backup.
        appliance_version: Version of the package with the appliance; Absent where it is not installed.
        vdsm: Version of VDSM; Absent where it is not installed.
    """

    host: str
    deployed: Fact[bool] = NOT_OBSERVED
    role: Fact[bool] = NOT_OBSERVED
    runner: Fact[bool] = NOT_OBSERVED
    addresses: Fact[tuple[str, ...]] = NOT_OBSERVED
    names: Fact[tuple[str, ...]] = NOT_OBSERVED
    room: Fact[int] = NOT_OBSERVED
    machines: Fact[tuple[str, ...]] = NOT_OBSERVED
    firewall: Fact[str] = NOT_OBSERVED
    bond_modes: Fact[Mapping[str, str]] = NOT_OBSERVED
    domain: Fact[tuple[str, ...]] = NOT_OBSERVED
    appliance: Fact[bool] = NOT_OBSERVED
    authority: Fact[str] = NOT_OBSERVED
    backup: Fact[str] = NOT_OBSERVED
    appliance_version: Fact[str] = NOT_OBSERVED
    vdsm: Fact[str] = NOT_OBSERVED


_PARSERS: Mapping[str, Any] = {
    "deployed": parse.parse_check_deployed,
    "role": parse.parse_present,
    "runner": parse.parse_present,
    "addresses": parse.parse_addresses,
    "names": parse.parse_names,
    "room": parse.parse_room,
    "machines": parse.parse_lines,
    "firewall": parse.parse_firewall,
    "bond_modes": parse.parse_bond_modes,
    "domain": parse.parse_lines,
    "appliance": parse.parse_present,
    "authority": parse.parse_authority,
    "backup": parse.parse_version,
    "appliance_version": parse.parse_version,
    "vdsm": parse.parse_version,
}


def is_to_be_deployed(engine: HostedEngine) -> bool:
    """Whether Heretic deploys this engine, and none was ever seen at its name: what was recorded is never deployed."""
    return engine.spec.self_hosted is not None and not engine.status.engine_id


def is_to_be_restored(engine: HostedEngine) -> bool:
    """Whether a restore is declared that was never done."""
    restore = engine.spec.self_hosted.restore if engine.spec.self_hosted else None
    return restore is not None and engine.status.deployment.restored != restore.id


def engine_volume(engine: HostedEngine, view: SiteView) -> GlusterVolume | None:
    """The volume on which the engine's machine shall lie."""
    spec = engine.spec.self_hosted
    return view.of(GlusterVolume).get(spec.storage_volume) if spec else None


def brick_on(volume: GlusterVolume | None, node: str) -> str:
    """The brick of a volume on a node; "" = it has none there that is known."""
    return next((b.path for b in volume.status.bricks if b.node == node), "") if volume else ""


def first_node(engine: HostedEngine, view: SiteView) -> str:
    """The node on which the engine is deployed: the recorded one, the declared one, or the first that can.

    Bricks with data come before the arbiter's. "" = there is none yet.
    """
    spec, volume = engine.spec.self_hosted, engine_volume(engine, view)
    if spec is None:
        return ""
    if named := engine.status.deployment.first_node or spec.first_node:
        return named if named in view.nodes else ""
    bricks = volume.status.bricks if volume else []
    able = [
        (b.arbiter, b.node) for b in bricks if b.node in view.nodes and Role.HYPERVISOR in view.nodes[b.node].spec.roles
    ]
    return min(able)[1] if able else ""


def first_host(engine: HostedEngine, view: SiteView) -> SharedFact[FirstHost]:
    """The fact, for one declared engine of a site."""
    brick = brick_on(engine_volume(engine, view), first_node(engine, view))

    def whom(now: SiteView, hosts: Mapping[str, HostView]) -> str | None:
        node = first_node(engine, now)
        return node if isinstance(hosts.get(node), HostFacts) else None

    return SharedFact(
        name="first host of the engine",
        whom=whom,
        nobody="no host can be asked that is a Hypervisor and holds a brick of the engine's volume",
        probes=lambda before: tuple(_probes(engine, brick, before)),
        assemble=_assemble,
        without=stays,
    )


def _probes(engine: HostedEngine, brick: str, before: FirstHost | None) -> Sequence[Probe[object]]:
    spec = engine.spec.self_hosted
    bonds = ("grep", "-rsH", "Bonding Mode", "/proc/net/bonding")
    asked: dict[str, tuple[str, ...]] = {
        "deployed": CHECK_DEPLOYED,
        "role": ("find", ROLE, "-maxdepth", "0"),
        "runner": (*RUNNER, "--version"),
        "addresses": ("getent", "ahostsv4", engine.spec.fqdn),
        "room": ("stat", "-f", "-c", "%S %a", SPACE),
        "machines": MACHINES,
        "firewall": ("systemctl", "is-active", "firewalld.service"),
        "bond_modes": bonds,
        "authority": ("cat", AUTHORITY),
        "vdsm": (*_VERSION_OF, "vdsm"),
    }
    if brick:
        asked["domain"] = in_brick(brick)
    if spec and spec.appliance:
        asked["appliance"] = ("find", spec.appliance, "-maxdepth", "0")
    if spec and spec.restore and is_to_be_restored(engine):
        asked["backup"] = ("tar", "-xOf", spec.restore.file, "./version")
        asked["appliance_version"] = (*_VERSION_OF, "ovirt-engine-appliance")
    if before and isinstance(before.addresses, Known) and before.addresses.value:
        asked["names"] = ("getent", "hosts", before.addresses.value[0])
    return [Probe(name, argv, _PARSERS[name], timeout=20) for name, argv in asked.items()]


def _assemble(host: str, outputs: Mapping[str, Output], memo: Memo) -> FirstHost:
    return FirstHost(host, **{name: work(outputs.get(name, NO_ANSWER)) for name, work in _PARSERS.items()})
