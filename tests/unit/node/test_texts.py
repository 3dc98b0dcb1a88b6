import pytest
from hypothesis import given
from hypothesis import strategies as st

from heretic.domain.disks.multipath import exclusion, wwids
from heretic.domain.host.facts import Disk
from heretic.domain.node.texts import block_lines, followed, hosts_lines, with_block
from heretic.domain.pool.glusterd import DROP_IN_TEXT

BLOCK = "# BEGIN heretic\n10.0.0.1 a\n# END heretic\n"

line = st.text(st.characters(exclude_characters="\r\n", codec="ascii"), min_size=1).filter(lambda t: "heretic" not in t)


@pytest.mark.parametrize(
    ("before", "first", "after"),
    [
        ("", True, BLOCK),
        ("127.0.0.1 x\n", True, BLOCK + "127.0.0.1 x\n"),
        ("server x", False, "server x\n" + BLOCK),
        ("top\n# BEGIN heretic\nold\n# END heretic\nend\n", True, "top\n" + BLOCK + "end\n"),
        (BLOCK + "mid\n" + BLOCK, True, BLOCK + "mid\n"),
    ],
    ids=["no file", "at the top", "at the end, without a last line feed", "in its place", "one of two blocks"],
)
def test_block(before: str, first: bool, after: str) -> None:
    assert with_block(before, ["10.0.0.1 a"], first=first) == after


def test_no_lines_no_block() -> None:
    assert with_block("a\n" + BLOCK + "b\n", [], first=True) == "a\nb\n"
    assert with_block("a\n", [], first=False) == "a\n"


@given(st.lists(line), st.lists(line, min_size=1), st.booleans())
def test_writing_a_block_twice_changes_nothing_and_leaves_the_rest(
    others: list[str], lines: list[str], first: bool
) -> None:
    content = "".join(f"{text}\n" for text in others)
    once = with_block(content, lines, first=first)
    assert with_block(once, lines, first=first) == once
    assert block_lines(once) == tuple(lines)
    assert with_block(once, [], first=first) == content


@pytest.mark.parametrize(
    ("pool", "kept"),
    [(frozenset({"gone.lab"}), True), (frozenset(), False), (None, True)],
    ids=["still a peer", "no peer", "not known"],
)
def test_a_name_that_the_pool_uses_is_kept(pool: frozenset[str] | None, kept: bool) -> None:
    lines = hosts_lines({"a.lab": "10.0.0.1"}, ["10.0.0.9 gone.lab", "10.0.0.7 a.lab"], pool)
    assert lines == (("10.0.0.1 a.lab", "10.0.0.9 gone.lab") if kept else ("10.0.0.1 a.lab",))


@pytest.mark.parametrize(
    ("present", "has", "address"),
    [
        pytest.param([], {"10.0.0.1"}, "10.0.0.2", id="it is known by none yet"),
        pytest.param(["10.0.0.1 a.lab"], set(), "10.0.0.2", id="its host was never seen"),
        pytest.param(["10.0.0.1 a.lab"], {"10.0.0.1"}, "10.0.0.1", id="its host has not the new one yet"),
        pytest.param(["10.0.0.1 a.lab"], {"10.0.0.1", "10.0.0.2"}, "10.0.0.2", id="its host has both"),
        pytest.param(["10.0.0.1 a.lab"], {"10.0.0.2"}, "10.0.0.2", id="its host has the new one"),
        pytest.param(["10.0.0.1 a.lab"], {"10.0.0.3"}, "10.0.0.2", id="its host has neither"),
        pytest.param(["10.0.0.1 b.lab"], {"10.0.0.1"}, "10.0.0.2", id="another name leads there"),
    ],
)
def test_a_name_leads_to_where_its_host_is(present: list[str], has: set[str], address: str) -> None:
    assert followed({"a.lab": "10.0.0.2"}, present, {"a.lab": has}) == {"a.lab": address}


def disk(*ids: str) -> Disk:
    return Disk("/dev/sda", ids, 1, True, 512)


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (("wwn-0x600508", "scsi-3600508", "scsi-SHP_LOGICAL_1"), ("3600508", "SHP_LOGICAL_1")),
        (("ata-WDC_WD40_1",), ("WDC_WD40_1",)),
        (("nvme-eui.0025", "nvme-Samsung_1"), ("eui.0025",)),
        (("virtio-pci-0000:00:05.0", "pci-0000:00:05.0"), ()),
        (("virtio-data1",), ("data1",)),
    ],
)
def test_names_by_which_multipath_knows_a_disk(ids: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert wwids(disk(*ids)) == names


def test_multipath_exclusion_only_ever_grows() -> None:
    one = exclusion("", [disk("ata-A")])
    assert '\twwid "A"\n' in one
    assert "devnode" not in one
    assert exclusion(one, []) == one
    both = exclusion(one, [disk("ata-B")])
    assert exclusion(both, [disk("ata-A")]) == both
    assert '\twwid "A"\n\twwid "B"\n' in both


def test_no_disk_no_exclusion() -> None:
    assert exclusion("", []) == ""


def test_glusterd_is_not_ordered_after_what_it_comes_before() -> None:
    """Gluster's own unit says Before=network-online.target: After= the same would be a cycle."""
    assert "network-online.target" not in DROP_IN_TEXT
    assert "Restart=on-failure\n" in DROP_IN_TEXT
