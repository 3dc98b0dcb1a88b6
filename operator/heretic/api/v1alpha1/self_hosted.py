"""An engine that Heretic deploys on the site's own hosts: what is declared of it, and how far it is."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.quantity import parse_bytes
from heretic.api.schema import Cap, Rule, Unique, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.engine_restore import AbsolutePath, EngineRestore
from heretic.api.v1alpha1.subnets import IPv4Subnet
from heretic.api.v1alpha1.values import Attempt, IPv4, ObjectName, Size, Text

_INTERFACE = "[A-Za-z0-9][-A-Za-z0-9_.]{0,14}"


def _at_least(most: str) -> Rule:
    least = parse_bytes(most)
    return Rule(
        cel=f"!isQuantity(self) || quantity(self).compareTo(quantity('{most}')) >= 0",
        message=f"must be at least {most}: the engine does not run with less",
        holds=lambda text: parse_bytes(text) >= least,
    )


class NetworkTest(StrEnum):
    """How a host finds out whether its network works, which counts in its score."""

    DNS = "Dns"
    PING = "Ping"
    TCP = "Tcp"
    NONE = "None"


class EngineMachine(Model):
    """The virtual machine in which the engine runs."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.prefix) || (has(self.nameServers) && self.nameServers.size() > 0)",
            message="`nameServers` must be set where `prefix` is: the machine asks no DHCP server then",
            holds=lambda machine: machine.prefix is None or bool(machine.name_servers),
        ),
    )

    memory: Annotated[Size, _at_least("4Gi")] = Field(
        default="16Gi", description="Memory, 4Gi at least; the first host must have 512 MiB more than that."
    )
    cpus: Annotated[int, Field(strict=True, ge=1, le=64)] = Field(default=4, description="Virtual processors.")
    disk_size: Annotated[Size, _at_least("50Gi")] = Field(
        default="61Gi",
        description="Size of its disk, 50Gi at least. The volume must have 10Gi more, for the hosts' notes.",
    )
    mac_address: Annotated[
        str,
        StringConstraints(max_length=17),
        matching("[0-9a-f][02468ace](?::[0-9a-f]{2}){5}", "must be a MAC address such as '00:16:3e:1d:2c:01'"),
    ] = Field(
        default="", description="MAC address, by which a DHCP server knows it. Unset: chosen by chance when it is made."
    )
    prefix: Annotated[int, Field(strict=True, ge=8, le=30)] | None = Field(
        default=None,
        description="Length of the prefix of spec.address. Unset: the machine gets its address by DHCP.",
    )
    name_servers: Annotated[list[IPv4], Field(max_length=3), Unique()] = Field(
        default=[],
        description="Its name servers, three at most; with a prefix they must be set. Unset: those that DHCP tells.",
    )


class SelfHostedSpec(Model):
    """How an engine is deployed on the site's own hosts."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.networkTest != 'Tcp' || has(self.testAddress)",
            message="`testAddress` must be set for the test Tcp: an address and a port such as '172.20.10.1:22'",
            holds=lambda spec: spec.network_test is not NetworkTest.TCP or bool(spec.test_address),
        ),
        Rule(
            cel="!has(self.virtualMachine.prefix) || has(self.gateway)",
            message="`gateway` must be set where `virtualMachine.prefix` is",
            holds=lambda spec: spec.virtual_machine.prefix is None or bool(spec.gateway),
        ),
        Rule(
            cel="!has(self.restore) || !has(self.appliance) || has(self.restore.engineVersion)",
            message="`restore.engineVersion` must be set where `appliance` is: a file does not tell its version",
            holds=lambda spec: not spec.restore or not spec.appliance or spec.restore.engine_version is not None,
        ),
        Rule(
            cel="self.networkTest != 'Ping' || has(self.gateway)",
            message="`gateway` must be set for the test Ping: what answers while the site's network works",
            holds=lambda spec: spec.network_test is not NetworkTest.PING or bool(spec.gateway),
        ),
    )

    storage_volume: ObjectName = Field(
        default="engine", description="The GlusterVolume of purpose Engine on which the machine's disk lies."
    )
    virtual_machine: EngineMachine = Field(default=EngineMachine(), description="The machine in which the engine runs.")
    network_interface: Annotated[
        str,
        StringConstraints(max_length=15),
        matching(_INTERFACE, "must be the name of a network interface such as 'eno1', 'bond0' or 'bond0.10'"),
    ] = Field(
        default="",
        description=(
            "Interface of the first host that becomes the port of the bridge ovirtmgmt: a port, a bond that is called "
            "bond and a number, or a VLAN that is called PARENT.ID. Unset: the one with the Node's address."
        ),
    )
    network_test: NetworkTest = Field(
        default=NetworkTest.DNS,
        description=(
            "How hosts find out whether their network works, which counts in their score. Dns: the name server "
            "answers. "
            "Ping: the gateway answers. Tcp: testAddress takes connections. None: it is not tested."
        ),
    )
    gateway: IPv4 = Field(
        default="",
        description=(
            "Default gateway of a machine with a prefix, and what is pinged for the test Ping. One that stays up while "
            "the internet is away, such as the site's switch, takes no host's score then."
        ),
    )
    test_address: Annotated[
        str,
        StringConstraints(max_length=80),
        matching("[A-Za-z0-9.-]+:[0-9]{1,5}", "must be an address and a port such as '172.20.10.1:22'"),
    ] = Field(default="", description="Where a connection is made for the test Tcp.")
    appliance: AbsolutePath = Field(
        default="",
        description=(
            "The engine's appliance as an OVA file on the first host. Unset: the package that belongs to the host's "
            "oVirt, installed by the deployment."
        ),
    )
    nat_subnet: Annotated[
        IPv4Subnet,
        Rule(
            cel="self.endsWith('/24')",
            message="must be a /24",
            holds=lambda text: text.endswith("/24"),
        ),
    ] = Field(
        default="192.168.222.0/24",
        description="Network that exists on the first host alone while the engine is set up. No other may overlap it.",
    )
    first_node: ObjectName = Field(
        default="",
        description=(
            "Node on which the engine is deployed; it must hold a brick of the volume. Unset: chosen once among the "
            "Nodes of role Hypervisor that do, and recorded in status."
        ),
    )
    restore: EngineRestore | None = Field(
        default=None,
        description=(
            "The backup out of which the engine is made. Where an engine once lived, nothing is done before the plan "
            "is approved, and never while its machine runs. Unset: a new engine."
        ),
    )
    attempt: Attempt = Field(
        default=1,
        description=(
            "Raise it by one to have a deployment that failed tried again, once its cause is gone. It has no effect "
            "where an engine was deployed."
        ),
    )


class DeploymentStatus(StatusModel):
    """How far a deployment is."""

    first_node: Text = Field(default="", description="Node on which the engine is deployed, recorded once and kept.")
    stage: Text = Field(default="", description="What is being done.")
    percent: int | None = Field(default=None, description="How far it is, roughly; missing: not known.")
    failure: Annotated[str, Cap(2048)] = Field(default="", description="How the last try failed.")
    restored: Text = Field(default="", description="Id of the last restore that was done; it is never done again.")
