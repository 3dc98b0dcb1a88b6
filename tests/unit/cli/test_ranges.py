"""Ranges of addresses, as people write them and as they get them wrong."""

import pytest

from heretic.cli.ranges import MOST, addresses_of
from heretic.domain.errors import HereticError


@pytest.mark.parametrize(
    ("ranges", "first", "last", "count"),
    [
        (("192.168.1.0/24",), "192.168.1.1", "192.168.1.254", 254),
        (("192.168.1.77/24",), "192.168.1.1", "192.168.1.254", 254),
        (("192.168.1.10-20",), "192.168.1.10", "192.168.1.20", 11),
        (("192.168.1.10 - 192.168.1.20",), "192.168.1.10", "192.168.1.20", 11),
        (("192.168.1.250-192.168.2.5",), "192.168.1.250", "192.168.2.5", 12),
        (("192.168.1.11",), "192.168.1.11", "192.168.1.11", 1),
        ((" 192.168.1.11 ",), "192.168.1.11", "192.168.1.11", 1),
        (("192.168.1.11/32",), "192.168.1.11", "192.168.1.11", 1),
        (("192.168.1.10/31",), "192.168.1.10", "192.168.1.11", 2),
        (("192.168.1.12", "192.168.1.11", "192.168.1.11-12"), "192.168.1.11", "192.168.1.12", 2),
        (("10.0.0.0/22",), "10.0.0.1", "10.0.3.254", 1022),
    ],
    ids=str,
)
def test_a_range_is_all_addresses_that_hosts_can_have(
    ranges: tuple[str, ...], first: str, last: str, count: int
) -> None:
    addresses = addresses_of(ranges)
    assert (str(addresses[0]), str(addresses[-1]), len(addresses)) == (first, last, count)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "'' is no range of addresses: write it as 192.168.1.0/24"),
        ("home", "'home' is no range of addresses"),
        ("192.168.1", "is no range of addresses"),
        ("192.168.1.300", "is no range of addresses"),
        ("192.168.1.0/33", "is no range of addresses"),
        ("192.168.1.0/x", "is no range of addresses"),
        ("192.168.1.10-", "is no range of addresses"),
        ("192.168.1.10-300", "is no range of addresses"),
        ("192.168.1.10-20-30", "is no range of addresses"),
        ("192.168.1.0/24-30", "is no range of addresses"),
        ("192.168.1.*", "is no range of addresses"),
        ("192.168.1.20-10", "ends before it begins"),
        ("192.168.1.20-192.168.1.10", "ends before it begins"),
        ("fe80::/64", "is of IPv6, where nobody can look at each address"),
        ("127.0.0.0/24", "must be of addresses that other hosts can reach"),
        ("169.254.1.1-5", "must be of addresses that other hosts can reach"),
        ("224.0.0.1", "must be of addresses that other hosts can reach"),
        ("0.0.0.0/0", "must be of addresses that other hosts can reach"),
        ("10.0.0.0/21", "has 2046 addresses, at most 1024 are looked at: make it smaller"),
        ("10.0.0.0/8", "has 16777214 addresses"),
        ("10.0.0.1-10.255.0.1", "at most 1024 are looked at"),
    ],
)
def test_what_is_none_or_too_large_is_told(text: str, said: str) -> None:
    with pytest.raises(HereticError) as caught:
        addresses_of((text,))
    assert said in caught.value.failure.message


def test_the_limit_counts_for_all_ranges_together() -> None:
    assert len(addresses_of(("10.0.0.0/23", "10.0.2.0/23"))) <= MOST
    with pytest.raises(HereticError, match="1272 addresses"):
        addresses_of(("10.0.0.0/22", "10.1.0.1-250"))
