"""Network: one network of the site, as far as nodes and volumes refer to it."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from heretic.api.v1alpha1.common import CommonSpec, CommonStatus, Model, Resource


class NetworkRole(StrEnum):
    """What a network carries."""

    MANAGEMENT = "Management"
    GLUSTER = "Gluster"
    LAN = "LAN"
    INTERNAL = "Internal"
    OVN = "OVN"


class NetworkSpec(CommonSpec):
    """What the user declares."""

    role: NetworkRole
    subnet: str
    mtu: int = 1500
    vlan: int | None = None
    gateway: str = ""


class NetworkAttachment(Model):
    """How one node is attached."""

    node: str
    address: str = ""
    interface: str = ""
    mtu: int = 0
    in_sync: bool = False


class NetworkStatus(CommonStatus):
    """What Heretic saw."""

    attachments: list[NetworkAttachment] = []


class Network(Resource):
    """One network of the site."""

    KIND: ClassVar[str] = "Network"
    PLURAL: ClassVar[str] = "networks"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hnet",)

    spec: NetworkSpec
    status: NetworkStatus = Field(default_factory=NetworkStatus)
