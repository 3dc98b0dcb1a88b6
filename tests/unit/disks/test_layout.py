import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.disks.layout import Candidate, DiskUse, choose, group_for, uses

HDD, SSD = True, False


def disk(name: str, size: int, rotational: bool = HDD) -> Candidate:
    return Candidate(name, size, rotational)


# situation, disks, data disks of the site, group → disk. HVP's examples (rule:hvp-layout) come first.
LAYOUTS = [
    ("one disk of several: the first biggest", [disk("a", 1), disk("b", 2), disk("c", 2)], 1, {"vgdisk1": "b"}),
    (
        "two: shares on the first biggest, the rest on the last smallest",
        [disk("a", 2), disk("b", 1), disk("c", 2), disk("d", 1)],
        2,
        {"vgdisk2": "a", "vgdisk1": "d"},
    ),
    ("two equal ones", [disk("a", 1), disk("b", 1)], 2, {"vgdisk2": "a", "vgdisk1": "b"}),
    (
        "three: shares first biggest, engine last smallest, machines first remaining",
        [disk("a", 2), disk("b", 3), disk("c", 1), disk("d", 1), disk("e", 2)],
        3,
        {"vgdisk2": "b", "vgdisk1": "d", "vgdisk3": "a"},
    ),
    (
        "three equal ones",
        [disk("a", 1), disk("b", 1), disk("c", 1)],
        3,
        {"vgdisk2": "a", "vgdisk1": "c", "vgdisk3": "b"},
    ),
    (
        "all solid state is chosen as if all were rotating",
        [disk("a", 1, SSD), disk("b", 1, SSD), disk("c", 1, SSD)],
        3,
        {"vgdisk2": "a", "vgdisk1": "c", "vgdisk3": "b"},
    ),
    (
        "of two kinds machines get solid state, even if it is the biggest",
        [disk("a", 1), disk("b", 9, SSD)],
        2,
        {"vgdisk2": "a", "vgdisk1": "b"},
    ),
    (
        "the engine leaves the only solid state to the machines",
        [disk("a", 2), disk("b", 1, SSD), disk("c", 2)],
        3,
        {"vgdisk2": "a", "vgdisk1": "c", "vgdisk3": "b"},
    ),
    ("fewer disks than uses", [disk("a", 1)], 2, {"vgdisk2": "a"}),
    ("none", [], 3, {}),
]


@pytest.mark.parametrize(("disks", "count", "expected"), [c[1:] for c in LAYOUTS], ids=[c[0] for c in LAYOUTS])
def test_disks_of_a_data_node(disks: list[Candidate], count: int, expected: dict[str, str]) -> None:
    assert {c.group: c.id for c in choose(disks, {}, arbiter=False, data_disk_count=count)} == expected


def test_the_arbiter_takes_the_first_smallest_disk() -> None:
    (choice,) = choose([disk("a", 2), disk("b", 1), disk("c", 1)], {}, arbiter=True, data_disk_count=3)
    assert (choice.id, choice.use, choice.group) == ("b", DiskUse.ARBITER, "vgarbiter")


def test_what_was_settled_stays_although_a_better_disk_came() -> None:
    chosen = choose([disk("a", 1), disk("z", 99)], {"vgdisk1": "a"}, arbiter=False, data_disk_count=1)
    assert [(c.id, c.group) for c in chosen] == [("a", "vgdisk1")]


def test_a_settled_disk_that_is_not_there_is_not_replaced() -> None:
    chosen = choose([disk("a", 1)], {"vgdisk1": "gone"}, arbiter=False, data_disk_count=1)
    assert [c.id for c in chosen] == ["gone"]


@pytest.mark.parametrize(
    ("purpose", "groups"),
    [
        (Purpose.ENGINE, ("vgdisk1", "vgdisk1", "vgdisk1")),
        (Purpose.VIRTUAL_MACHINES, ("vgdisk1", "vgdisk1", "vgdisk3")),
        (Purpose.ISO, ("vgdisk1", "vgdisk1", "vgdisk1")),
        (Purpose.LOCK, ("vgdisk1", "vgdisk2", "vgdisk2")),
        (Purpose.SMB_SHARE, ("vgdisk1", "vgdisk2", "vgdisk2")),
        (Purpose.NFS_SHARE, ("vgdisk1", "vgdisk2", "vgdisk2")),
        (Purpose.BLOCK_SHARE, ("vgdisk1", "vgdisk2", "vgdisk2")),
        (Purpose.BACKUP, ("vgdisk1", "vgdisk2", "vgdisk2")),
    ],
)
def test_groups_of_each_purpose_with_one_two_and_three_disks(purpose: Purpose, groups: tuple[str, ...]) -> None:
    assert tuple(group_for(purpose, count, arbiter=False) for count in (1, 2, 3)) == groups
    assert {group_for(purpose, count, arbiter=True) for count in (1, 2, 3)} == {"vgarbiter"}


@given(st.integers(0, 5), st.booleans(), st.sampled_from(Purpose))
def test_every_purpose_finds_its_group_in_the_layout(count: int, arbiter: bool, purpose: Purpose) -> None:
    assert group_for(purpose, count, arbiter) in {group for _, group in uses(arbiter, count)}


candidates = st.lists(
    st.builds(Candidate, st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 4), st.booleans()),
    unique_by=lambda c: c.id,
    max_size=8,
)


@given(candidates, st.integers(1, 4), st.booleans(), st.data())
def test_a_layout_half_made_before_a_crash_is_finished_as_it_was_begun(
    disks: list[Candidate], count: int, arbiter: bool, data: st.DataObject
) -> None:
    whole = choose(disks, {}, arbiter, count)
    done = data.draw(st.sets(st.sampled_from(whole))) if whole else set()
    shuffled = data.draw(st.permutations(disks))
    assert choose(shuffled, {c.group: c.id for c in done}, arbiter, count) == whole


@given(candidates, st.integers(1, 4), st.booleans())
def test_no_disk_is_chosen_twice(disks: list[Candidate], count: int, arbiter: bool) -> None:
    chosen = choose(disks, {}, arbiter, count)
    assert len({c.id for c in chosen}) == len(chosen) == min(len(disks), len(uses(arbiter, count)))
