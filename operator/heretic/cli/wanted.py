"""What ``heretic init`` is told by its options: read, and checked against the rules of the API."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from pydantic import TypeAdapter, ValidationError

from heretic.api.v1alpha1 import subnets
from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.api.v1alpha1.network import NetworkRole
from heretic.api.v1alpha1.node import DiskId
from heretic.api.v1alpha1.values import IPv4, ObjectName, Size, UserName
from heretic.cli.address_plan import NODES, OFFSETS, IPNetwork, Subnets
from heretic.cli.errors import fail
from heretic.cli.site_folder import NewVolume

NOT_A_SITE = re.compile("heretic-system|kube-.*")
"""Namespaces in which no site may live."""

VOLUME = "vmstore"
"""The volume that a site gets where no other is asked for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known before hosts are looked for; None = to be asked, or the default.

    Attributes:
        name: Of the Site.
        namespace: Of its objects; None = the name.
        folder: To be written; None = the name.
        ranges: Where to look for hosts.
        excluded: Addresses that are no hosts of the site.
        user: Account that logs in.
        port: Of sshd.
        networks: Subnets by role.
        offsets: First numbers of the address plan, where others than the usual ones are asked for.
        disks: Names below /dev/disk/by-id, by the name of the Node.
        minimum_disk: Smaller disks are left alone.
        volumes: The volumes.
        single: Whether one host is meant.
    """

    name: str | None = None
    namespace: str | None = None
    folder: str | None = None
    ranges: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    user: str | None = None
    port: int = 22
    networks: Mapping[NetworkRole, Subnets] | None = None
    offsets: Mapping[str, int] = field(default_factory=dict)
    disks: Mapping[str, tuple[str, ...]] | None = None
    minimum_disk: str = "100G"
    volumes: tuple[NewVolume, ...] = ()
    single: bool = False


def check(asked: Wanted) -> None:
    """Checks the plain options against the rules of the API.

    Raises:
        HereticError: A value is none that the API takes.
    """
    for text, read in (
        (asked.name, name),
        (asked.namespace or asked.name, namespace),
        (asked.user, user),
        (asked.minimum_disk, size),
    ):
        if text is not None:
            read(text)


def name(text: str) -> str:
    """A name of an object."""
    return _valid(ObjectName, text, "the name")


def namespace(text: str) -> str:
    """A namespace of a site."""
    if NOT_A_SITE.fullmatch(text):
        raise fail(f"{text} belongs to Kubernetes or to the operator: give the site a namespace of its own")
    return _valid(ObjectName, text, "the namespace")


def excluded(texts: Sequence[str]) -> frozenset[str]:
    """Addresses that are left out."""
    return frozenset(_valid(IPv4, text, "--exclude") for text in texts)


def user(text: str) -> str:
    """A name of an account."""
    return _valid(UserName, text, "the account")


def size(text: str) -> str:
    """A size of a volume or a disk."""
    return _valid(Size, text, "the size")


def networks(texts: Sequence[str]) -> dict[NetworkRole, Subnets]:
    """Subnets by role, from ROLE=SUBNET or ROLE=SUBNET,SUBNET of IPv6."""
    found: dict[NetworkRole, Subnets] = {}
    for text in texts:
        word, rest = _pair("--network", "ROLE=SUBNET", text)
        role = _one_of(NetworkRole, word, "--network")
        if role in found:
            raise fail(f"--network names the role {role.value} twice")
        found[role] = tuple(map(subnet, rest.split(",")))
        if [one.version for one in found[role]] not in ([4], [6], [4, 6]):
            raise fail(f"--network {text!r} is neither one subnet nor one of IPv4 and then one of IPv6")
    return found


def subnet(text: str) -> IPNetwork:
    """A subnet of a Network."""
    return ip_network(_valid(subnets.Subnet, text, "the network"))


def offsets(texts: Sequence[str]) -> dict[str, int]:
    """First numbers of the address plan, from WHAT=NUMBER."""
    found: dict[str, int] = {}
    for text in texts:
        what, number = _pair("--offset", "WHAT=NUMBER", text)
        if what not in (NODES, *OFFSETS):
            raise fail(f"--offset knows no {what!r}: use one of {', '.join((NODES, *OFFSETS))}")
        if what in found:
            raise fail(f"--offset names {what} twice")
        if not number.isascii() or not number.isdecimal() or not 0 < int(number) < 65536:
            raise fail(f"--offset {text!r} has no number from 1 to 65535")
        found[what] = int(number)
    return found


def disks(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Disks by node, from NODE=ID."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        node, disk = _pair("--disk", "NODE=ID", text)
        disk = _valid(DiskId, disk.removeprefix("/dev/disk/by-id/"), f"the disk of {node}")
        if disk in found.get(node, ()):
            raise fail(f"--disk names {disk} of {node} twice")
        found[node] = (*found.get(node, ()), disk)
    return found


def volumes(texts: Sequence[str]) -> tuple[NewVolume, ...]:
    """Volumes, from NAME=PURPOSE:SIZE."""
    found: dict[str, NewVolume] = {}
    for text in texts:
        volume, rest = _pair("--volume", "NAME=PURPOSE:SIZE", text)
        purpose, colon, amount = rest.partition(":")
        if not colon:
            raise fail(f"--volume {text!r} is not of the form NAME=PURPOSE:SIZE")
        if volume in found:
            raise fail(f"--volume names {volume} twice")
        found[volume] = NewVolume(name(volume), _one_of(Purpose, purpose, "--volume").value, size(amount))
    return tuple(found.values())


def default_volume(amount: str) -> NewVolume:
    """The volume of a site for which no other is asked."""
    return NewVolume(VOLUME, Purpose.VIRTUAL_MACHINES.value, size(amount))


def _valid(kind: Any, text: str, what: str) -> str:
    """A text that the API takes for a kind of field."""
    try:
        return str(TypeAdapter(kind).validate_python(text))
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise fail(f"{what} {text!r} cannot be used: {said[0].lower()}{said[1:]}") from None


def _pair(option: str, form: str, text: str) -> tuple[str, str]:
    left, equals, right = text.partition("=")
    if not equals or not left or not right:
        raise fail(f"{option} {text!r} is not of the form {form}")
    return left, right


def _one_of(kinds: Any, word: str, option: str) -> Any:
    for kind in kinds:
        if kind.value.lower() == word.lower():
            return kind
    raise fail(f"{option} knows no {word!r}: use one of {', '.join(kind.value for kind in kinds)}")
