"""What is declared of switching a host's power through the engine, and what was seen of it."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from heretic.api.schema import Cap, Rule, Unique, matching
from heretic.api.v1alpha1.common import Model, StatusModel
from heretic.api.v1alpha1.site import SecretReference
from heretic.api.v1alpha1.values import HostAddress, Port, Text


class FenceAgentType(StrEnum):
    """What switches a host, in the engine's words."""

    AMT_WS = "amt_ws"
    APC = "apc"
    APC_SNMP = "apc_snmp"
    BLADECENTER = "bladecenter"
    CISCO_UCS = "cisco_ucs"
    DRAC5 = "drac5"
    DRAC7 = "drac7"
    EPS = "eps"
    HPBLADE = "hpblade"
    ILO = "ilo"
    ILO2 = "ilo2"
    ILO3 = "ilo3"
    ILO4 = "ilo4"
    ILO_SSH = "ilo_ssh"
    IPMILAN = "ipmilan"
    REDFISH = "redfish"
    RSA = "rsa"
    RSB = "rsb"
    WTI = "wti"


class FenceOption(Model):
    """One option of a fence agent."""

    name: Annotated[
        str,
        StringConstraints(max_length=63),
        matching("[A-Za-z][-A-Za-z0-9_]*", "must be the name of an option such as 'lanplus'"),
    ] = Field(description="Name as the agent has it, such as lanplus, slot or ssl_insecure. No option for a password.")
    value: Annotated[
        str,
        StringConstraints(max_length=250),
        matching("[!-+\\--<>-~]+", "must be letters, digits and signs without ',', '=' and spaces"),
    ] = Field(description="Its value, such as '1'. The engine shows it to everybody who may see the host.")


class FenceAgent(Model):
    """A device that switches the host, and how the engine speaks to it."""

    order: Annotated[int, Field(strict=True, ge=1, le=8)] = Field(
        description="The engine tries the agents one after the other, the lowest number first."
    )
    type: FenceAgentType = Field(
        description=(
            "Which sort of device. ipmilan: any with IPMI over the network. redfish: any with Redfish. drac7: Dell "
            "iDRAC 7 and later. ilo4: HPE iLO 4 and later over IPMI; ilo_ssh: over SSH. apc, apc_snmp, eps, wti: "
            "sockets that can be switched."
        )
    )
    address: HostAddress = Field(description="The device's own address, not the host's: IPv4 address or DNS name.")
    port: Port | None = Field(default=None, description="TCP or UDP port of the device. Unset: the usual one.")
    username: Annotated[
        str,
        StringConstraints(max_length=64),
        matching("[!-~]+", "must be the name of a user: letters, digits and signs without spaces"),
    ] = Field(description="Who may switch the host there. Give Heretic a user of its own, which may do nothing else.")
    credentials_ref: SecretReference = Field(
        description=(
            "The Secret whose key password has that user's password. A changed one is given to the engine within two "
            "minutes. The operator must be allowed to read it (manifests/operator/site-access)."
        )
    )
    options: Annotated[list[FenceOption], Field(max_length=16), Unique("name")] = Field(
        default=[],
        description=(
            "What the agent needs besides: for a BMC with a certificate of its own, ssl_insecure 1; for a socket, its "
            "number in port or slot. The agent has exactly these."
        ),
    )
    encrypt_options: bool = Field(
        default=False, strict=True, description="Whether the engine's database keeps the options encrypted."
    )


class PowerManagement(Model):
    """How the engine switches the host's power, which it does to a host that fails while guests run on it."""

    RULES: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!self.enabled || self.agents.size() > 0",
            message="`agents` must list at least one agent when `enabled` is true",
            holds=lambda power: not power.enabled or bool(power.agents),
        ),
    )

    enabled: bool = Field(
        default=True,
        strict=True,
        description="Whether the engine may switch the host's power. False: the agents are kept, and not used.",
    )
    kdump_detection: bool | None = Field(
        default=None,
        strict=True,
        description=(
            "Whether the engine first waits for a host whose kernel crashed to write its memory down. Unset: as it is "
            "in the engine."
        ),
    )
    agents: Annotated[list[FenceAgent], Field(max_length=8), Unique("order")] = Field(
        default=[], description="The devices that switch the host, by order; two agents of one order are refused."
    )


class FenceAgentStatus(StatusModel):
    """A fence agent that Heretic keeps in the engine."""

    order: int = Field(description="As declared.")
    id: Text = Field(default="", description="The engine's id of it, recorded once it was found.")
    secret: Text = Field(
        default="",
        description=(
            "Hash of the password that the engine was given last, under the one that opens the engine; empty: not "
            "known, and it is given once more."
        ),
    )


class PowerManagementStatus(StatusModel):
    """What is known of switching the host's power."""

    state: Text = Field(
        default="", description="On or Off, as a device answered; Failing: none answered; empty: not asked yet."
    )
    tested: Text = Field(default="", description="When that was asked last, by the engine's clock.")
    checked: Text = Field(
        default="", description="When the agents were looked at last, which happens once an hour; likewise."
    )
    message: Text = Field(default="", description="What went wrong at the last test, in the engine's words.")
    applied: Text = Field(
        default="", description="Hash of the declaration that the agents were last seen to be as; empty: they were not."
    )
    agents: Annotated[list[FenceAgentStatus], Cap(16)] = Field(
        default=[], description="The agents that Heretic keeps; others it leaves alone."
    )
