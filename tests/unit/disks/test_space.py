from hypothesis import given
from hypothesis import strategies as st

from heretic.domain.disks.space import (
    EXTENT,
    GIB,
    MAXIMUM_METADATA,
    MIB,
    group_bytes,
    group_capacity,
    in_extents,
    metadata_bytes,
    metadata_volume_bytes,
    pool_bytes,
)

sizes = st.integers(0, 200 * 2**40)


def test_a_pool_of_one_tebibyte() -> None:
    pool = pool_bytes(1024 * GIB)
    assert pool == 1024 * GIB
    assert metadata_volume_bytes(pool) == in_extents(1024 * GIB // 200)
    assert metadata_bytes(pool) == 2 * metadata_volume_bytes(pool)


def test_metadata_stays_below_what_lvm_can_use() -> None:
    assert metadata_volume_bytes(100 * 2**40) == MAXIMUM_METADATA < 15.81 * GIB


def test_no_pool_no_metadata() -> None:
    assert group_bytes([10 * GIB], 0) == 10 * GIB


def test_thick_and_thin_together() -> None:
    assert group_bytes([GIB, MIB], 200 * GIB) == GIB + EXTENT + 200 * GIB + 2 * GIB


def test_a_disk_too_small_gives_nothing() -> None:
    assert group_capacity(3 * MIB) == 0


@given(sizes)
def test_capacity_is_whole_extents_below_the_disk(size: int) -> None:
    assert group_capacity(size) % EXTENT == 0
    assert 0 <= group_capacity(size) <= max(0, size - MIB)


@given(sizes, sizes)
def test_more_declared_never_takes_less(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert group_bytes([], small) <= group_bytes([], large)
    assert pool_bytes(small) >= small


@given(st.lists(st.integers(1, 2**42), max_size=5), sizes)
def test_everything_is_whole_extents(thick: list[int], thin: int) -> None:
    assert group_bytes(thick, thin) % EXTENT == 0
