"""Values that specs and statuses are made of: names, addresses, keys, sizes, each with the rule that it obeys."""

import re
from ipaddress import IPv4Address, ip_address
from typing import Annotated

from pydantic import Field, StringConstraints

from heretic.api.quantity import parse_bytes
from heretic.api.schema import Cap, Rule, matching

LONGEST_LABEL = 63
"""Characters of a DNS label (RFC 1035), which every name here becomes part of."""
LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_DOMAIN = r"(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?[.])*[a-z](?:[-a-z0-9]*[a-z0-9])?"
_LOCALHOST = r"(?:.*[.])?localhost|localhost[46]?(?:[.]localdomain[46]?)?|ip6-(?:localhost|loopback)"
_KEY = (
    r"(?:ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/]{43}"
    r"|ssh-rsa AAAAB3NzaC1yc2E[A-Za-z0-9+/]{300,}={0,2}"
    r"|ecdsa-sha2-nistp(?:256|384|521) AAAAE2VjZHNhLXNoYTItbmlzdHA[A-Za-z0-9+/]{80,}={0,2})(?: [ -~]*)?"
)


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ip(text: str) -> bool:
    """Whether it is an address in the one form in which addresses are compared as text; a zone means one host alone."""
    try:
        return str(ip_address(text)) == text and not text.startswith("::ffff:") and "%" not in text
    except ValueError:
        return False


def _is_host_address(text: str) -> bool:
    return _is_ipv4(text) or re.fullmatch(_DOMAIN, text) is not None


def _is_any_address(text: str) -> bool:
    return _is_ip(text) or re.fullmatch(_DOMAIN, text) is not None


def _can_be_a_hosts(text: str) -> bool:
    """Whether another host can have this address; True for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return True
    odd = address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified
    return not odd and (address.version == 6 or (not address.is_reserved and int(address) >> 24 != 0))


def _is_size(text: str) -> bool:
    try:
        return 2**30 <= parse_bytes(text) <= 2**50
    except ValueError:
        return False


ObjectName = Annotated[
    str,
    StringConstraints(max_length=LONGEST_LABEL),
    matching(LABEL, "must be the name of an object: lower-case letters, digits and dashes, such as 'node1'"),
]
"""A name of another object in the same namespace."""

OF_A_HOST = Rule(
    cel=(
        "!isIP(self) || (ip(self).isGlobalUnicast() && "
        "!cidr('0.0.0.0/8').containsIP(self) && !cidr('240.0.0.0/4').containsIP(self))"
    ),
    message=(
        "must be an address that other hosts can reach: not loopback (127…, ::1), link-local (169.254…, fe80…), "
        "unspecified (0…, ::), multicast or reserved (224… and above, ff…)"
    ),
    holds=_can_be_a_hosts,
)
_NOT_LOCAL = Rule(
    cel=f"!self.matches(r'^(?:{_LOCALHOST})$')",
    message="must not be a name of loopback such as 'localhost': it means another host on every host",
    holds=lambda text: re.fullmatch(_LOCALHOST, text) is None,
)

IPv4 = Annotated[
    str,
    StringConstraints(max_length=64),
    Rule("isIP(self) && ip(self).family() == 4", "must be an IPv4 address such as '172.20.10.11'", _is_ipv4),
    OF_A_HOST,
]

_IP = Rule(
    cel="isIP(self) && (ip(self).family() == 4 || ip.isCanonical(self))",
    message="must be an IP address such as '172.20.10.11', or in its short form 'fd00:20:10::11'",
    holds=_is_ip,
)

IP = Annotated[str, StringConstraints(max_length=64), _IP, OF_A_HOST]
"""Of either family."""

IPv6 = Annotated[
    str,
    StringConstraints(max_length=64),
    Rule(
        cel="isIP(self) && ip(self).family() == 6 && ip.isCanonical(self)",
        message="must be an IPv6 address in its short form such as 'fd00:20:10::11'",
        holds=lambda text: ":" in text and _is_ip(text),
    ),
    OF_A_HOST,
]

DomainName = Annotated[
    str,
    StringConstraints(max_length=190),
    matching(_DOMAIN, "must be a DNS domain in lower case such as 'gluster.private'"),
    _NOT_LOCAL,
]
"""So short that any node's name fits before it."""

HostAddress = Annotated[
    str,
    StringConstraints(max_length=253),
    Rule(
        cel=f"isIP(self) ? ip(self).family() == 4 : self.matches(r'^(?:{_DOMAIN})$')",
        message="must be an IPv4 address or a DNS name in lower case: '172.20.10.11', 'node1.mgmt.private'",
        holds=_is_host_address,
    ),
    OF_A_HOST,
    _NOT_LOCAL,
]
"""Of what the engine is told, too: it takes no address of IPv6 where a name could stand."""

AnyHostAddress = Annotated[
    str,
    StringConstraints(max_length=253),
    Rule(
        cel=f"isIP(self) ? (ip(self).family() == 4 || ip.isCanonical(self)) : self.matches(r'^(?:{_DOMAIN})$')",
        message=(
            "must be an IP address without a zone (of IPv6 in its short form) or a DNS name in lower case: "
            "'172.20.10.11', 'fd00:20:10::11', 'node1.mgmt.private'"
        ),
        holds=_is_any_address,
    ),
    OF_A_HOST,
    _NOT_LOCAL,
]
"""Of what only Heretic and the hosts go by."""

PublicKey = Annotated[
    str,
    StringConstraints(max_length=4096),
    matching(
        _KEY, "must be one OpenSSH public key, as ssh-keyscan prints it after the host's name: 'ssh-ed25519 AAAA…'"
    ),
]

UserName = Annotated[
    str,
    StringConstraints(max_length=32),
    matching("[a-z_][-a-z0-9_]*", "must be the name of a Unix account such as 'root'"),
]

Port = Annotated[int, Field(strict=True, ge=1, le=65535)]

Size = Annotated[
    str,
    StringConstraints(max_length=32),
    Rule(
        cel=(
            "self.matches(r'^[0-9]{1,19}([.][0-9]{1,9})?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$') && "
            "quantity(self).compareTo(quantity('1Gi')) >= 0 && quantity(self).compareTo(quantity('1Pi')) <= 0"
        ),
        message="must be a size from 1Gi to 1Pi: a number and a unit, such as '500Gi' or '1.5Ti'",
        holds=_is_size,
    ),
]
"""A Kubernetes quantity of bytes."""

Text = Annotated[str, Cap(1024)]
"""A short text in a status."""
Int64 = Annotated[int, Field(json_schema_extra={"format": "int64"})]

Attempt = Annotated[int, Field(strict=True, ge=1, le=99)]
"""The number of an attempt at work that stopped: a person raises it to have it tried again."""
