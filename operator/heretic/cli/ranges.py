"""Ranges of addresses, as a person writes them: 192.168.1.0/24, 192.168.1.10-20, 192.168.1.11."""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from heretic.api.v1alpha1.values import OF_A_HOST
from heretic.cli.errors import fail

MOST = 1024
"""Addresses of all ranges together: a network of a site is smaller, and a mistyped one takes hours."""

FORMS = "write it as 192.168.1.0/24, as 192.168.1.10-20 or as one address"


def addresses_of(ranges: tuple[str, ...]) -> tuple[IPv4Address, ...]:
    """All addresses of some ranges, in order, each once.

    Raises:
        HereticError: One is no range, too large, or has addresses that no other host can have.
    """
    bounds = [_bounds(text) for text in ranges]
    size = sum(last - first + 1 for first, last in bounds)
    if size > MOST:
        raise fail(f"the address range has {size} addresses, at most {MOST} are looked at: make it smaller")
    return tuple(map(IPv4Address, sorted({n for first, last in bounds for n in range(first, last + 1)})))


def network_of(text: str) -> IPv4Network | None:
    """The network that a range is, None where it is written as addresses."""
    return IPv4Network(text.strip(), strict=False) if "/" in text else None


def _bounds(text: str) -> tuple[int, int]:
    """The first and the last address of a range, as numbers."""
    if ":" in text:
        raise fail(
            f"the address range {text!r} is of IPv6, where nobody can look at each address: hosts are found by IPv4 "
            "addresses. Write spec.address of the Nodes yourself where they have none"
        )
    try:
        first, last = _read(text.strip())
    except (AddressValueError, NetmaskValueError, ValueError):
        raise fail(f"{text!r} is no range of addresses: {FORMS}") from None
    if last < first:
        raise fail(f"the address range {text!r} ends before it begins")
    for end in (first, last):
        if OF_A_HOST.holds is not None and not OF_A_HOST.holds(str(IPv4Address(end))):
            raise fail(f"the address range {text!r} {OF_A_HOST.message.replace('be an address', 'be of addresses')}")
    return first, last


def _read(text: str) -> tuple[int, int]:
    network = network_of(text)
    if network is not None:
        first, last = int(network.network_address), int(network.broadcast_address)
        # The first names the network, and the last one means all of it.
        return (first + 1, last - 1) if network.prefixlen < 31 else (first, last)
    begin, dash, end = (part.strip() for part in text.partition("-"))
    if not dash:
        end = begin
    elif "." not in end:  # 192.168.1.10-20: the end counts in the last place
        end = f"{begin.rpartition('.')[0]}.{end}"
    return int(IPv4Address(begin)), int(IPv4Address(end))
