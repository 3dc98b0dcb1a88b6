"""Quantities mean what Kubernetes means by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.quantity import format_bytes, parse_bytes

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500Gi", 500 * GIB),
        ("1.5Gi", 3 * GIB // 2),
        ("100G", 100_000_000_000),
        ("2Ti", 2 * 2**40),
        ("3T", 3 * 10**12),
        ("1k", 1000),
        ("1Ki", 1024),
        ("1Pi", 2**50),
        ("0", 0),
        ("1048576", 2**20),
        ("0.1Ki", 103),  # 102.4: part of a byte counts as one
    ],
)
def test_reads(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Gi",
        "500 Gi",
        " 500Gi",
        "500Gi\n",
        "500GB",
        "500gi",
        "-1Gi",
        "+1Gi",
        "1e3",
        "500m",
        "1,5Gi",
        "½Gi",
        "٣Gi",
    ],
)
def test_refuses_and_shows_what_a_size_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size: give a number and a unit .* for example 500Gi"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (500 * GIB, "500Gi"),
        (2**40, "1Ti"),
        (1536 * GIB, "1536Gi"),
        (100_000_000_000, "100G"),
        (500_107_862_016, "465.76Gi"),  # a disk sold as 500 GB
        (20 * GIB - 1, "19.99Gi"),  # never more than there is
        (1023, "1023"),
        (0, "0"),
    ],
)
def test_writes_for_people(size: int, text: str) -> None:
    assert format_bytes(size) == text


def test_a_negative_size_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="never negative"):
        format_bytes(-1)


@given(st.integers(min_value=0, max_value=2**60))
def test_what_is_written_can_be_read_and_never_promises_more(size: int) -> None:
    read = parse_bytes(format_bytes(size))

    assert 0.98 * size <= read <= size


@given(
    st.integers(min_value=1, max_value=9999),
    st.sampled_from(["Ki", "Mi", "Gi", "Ti", "Pi", "k", "M", "G", "T", "P"]),
)
def test_a_whole_number_of_a_unit_survives(number: int, unit: str) -> None:
    size = parse_bytes(f"{number}{unit}")

    assert parse_bytes(format_bytes(size)) == size
