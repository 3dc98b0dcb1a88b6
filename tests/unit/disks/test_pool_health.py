"""Whether a volume or a pool takes writes, by every letter in which LVM says so."""

from dataclasses import replace

import pytest

from heretic.domain.conditions import State
from heretic.domain.disks.health import Trouble, trouble
from heretic.domain.errors import Reason
from heretic.domain.host.facts import LogicalVolume

GIB = 2**30
POOL = LogicalVolume(
    "vg", "pool", 80 * GIB, is_pool=True, data_percent=41.2, metadata_percent=19.5, attributes="twi-aotz--"
)
THIN = LogicalVolume("vg", "data", 60 * GIB, pool="pool", data_percent=50.0, attributes="Vwi-aotz--")
THICK = LogicalVolume("vg", "engine", 60 * GIB, attributes="-wi-ao----")
GOOD, BAD, UNKNOWN = State.TRUE, State.FALSE, State.UNKNOWN


def state(found: Trouble | None) -> State:
    return found.state if found else GOOD


LETTERS = [
    ("twi-aotz--", GOOD, None),
    ("twi-a-tz--", GOOD, None),
    ("twi-aot---", GOOD, None),
    ("twi-aotzM-", BAD, Reason.POOL_NEEDS_REPAIR),
    ("twi-cotz--", BAD, Reason.POOL_NEEDS_REPAIR),
    ("twi-cotzM-", BAD, Reason.POOL_NEEDS_REPAIR),
    ("twi-Cotz--", BAD, Reason.POOL_NEEDS_REPAIR),
    ("twi-aotzF-", BAD, Reason.POOL_FAILED),
    ("twi-cotzF-", BAD, Reason.POOL_FAILED),
    ("twi-aotzD-", BAD, Reason.POOL_OUT_OF_SPACE),
    ("twi-cotzD-", BAD, Reason.POOL_NEEDS_REPAIR),
    ("twi-aotzp-", BAD, Reason.DISK_NOT_FOUND),
    ("twi-sotz--", BAD, Reason.POOL_NOT_ACTIVE),
    ("twi---tz--", UNKNOWN, Reason.POOL_NOT_ACTIVE),
    ("twi-d-tz--", UNKNOWN, Reason.POOL_NOT_ACTIVE),
    ("twi-i-tz--", UNKNOWN, Reason.POOL_NOT_ACTIVE),
    ("twi-XXtzX-", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-aotzX-", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-aotzQ-", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-Zotz--", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-houz--", UNKNOWN, Reason.NOT_OBSERVED),
    ("?wi-aotz--", UNKNOWN, Reason.NOT_OBSERVED),
    ("t?i-aotz--", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-aouz--", UNKNOWN, Reason.NOT_OBSERVED),
    ("tri-aotz--", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("tRi-aotz--", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("Twi-aotz--", GOOD, None),
    ("", UNKNOWN, Reason.NOT_OBSERVED),
    ("twi-aot", UNKNOWN, Reason.NOT_OBSERVED),
    ("Vwi-aotzF-", BAD, Reason.POOL_FAILED),
    ("-wi-ao----", GOOD, None),
    ("-wi-ao--p-", BAD, Reason.DISK_NOT_FOUND),
    ("-ri-ao----", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("rwi-aor---", GOOD, None),
    ("rwi-aor-r-", GOOD, None),
    ("rwi-aor-m-", GOOD, None),
    ("rwi-aor-w-", GOOD, None),
    ("rwi-aor-s-", GOOD, None),
    ("rwi-aor-R-", GOOD, None),
    ("Rwi-aor---", GOOD, None),
    ("rwi-aor-p-", BAD, Reason.DISK_NOT_FOUND),
    ("mwi-aom---", GOOD, None),
    ("Cwi-aoC---", GOOD, None),
    ("Cwi-aoC-F-", BAD, Reason.POOL_FAILED),
    ("Cwi-aoC-M-", BAD, Reason.POOL_NEEDS_REPAIR),
    ("Cwi-aoC-E-", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("owi-aos---", GOOD, None),
    ("swi-a-s---", GOOD, None),
    ("swi-I-s---", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("swi-S-s---", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("Swi-m-s---", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("Swi-M-s---", BAD, Reason.LOGICAL_VOLUME_FAILED),
    ("dwi-ao----", GOOD, None),
    ("vwi-aov---", GOOD, None),
]


@pytest.mark.parametrize(("letters", "wanted", "reason"), LETTERS, ids=[repr(c[0]) for c in LETTERS])
def test_every_letter_of_lvm(letters: str, wanted: State, reason: Reason | None) -> None:
    volume = replace({"t": POOL, "V": THIN}.get(letters[:1], THICK), attributes=letters)
    found = trouble(volume)
    assert state(found) is wanted
    assert (found.reason if found else None) is reason
    assert found is None or "lv_attr" in found.text


WORDS = [
    ("", GOOD),
    ("failed", BAD),
    ("out_of_data", BAD),
    ("metadata_read_only", BAD),
    ("partial", BAD),
    ("error", BAD),
    ("unknown", UNKNOWN),
    ("a word of tomorrow", UNKNOWN),
    ("refresh needed", GOOD),
    ("mismatches exist", GOOD),
]


@pytest.mark.parametrize(("word", "wanted"), WORDS, ids=[c[0] or "nothing" for c in WORDS])
def test_what_lvm_says_in_words_counts_also_without_a_letter(word: str, wanted: State) -> None:
    assert state(trouble(replace(POOL, health=word))) is wanted


SHARES = [
    (99.9, 49.0, None),
    (100.0, 20.0, Reason.POOL_OUT_OF_SPACE),
    (104.2, 20.0, Reason.POOL_OUT_OF_SPACE),
    (40.0, 100.0, Reason.POOL_OUT_OF_SPACE),
    (None, None, None),
]


@pytest.mark.parametrize(("data", "metadata", "reason"), SHARES)
def test_a_pool_that_is_full_takes_no_writes_before_a_letter_says_so(
    data: float | None, metadata: float | None, reason: Reason | None
) -> None:
    found = trouble(replace(POOL, data_percent=data, metadata_percent=metadata))
    assert (found.reason if found else None) is reason


def test_a_full_cache_is_no_full_pool() -> None:
    assert trouble(replace(THICK, attributes="Cwi-aoC---", data_percent=100.0, metadata_percent=100.0)) is None


@pytest.mark.parametrize("letters", ["twi-aotzM-", "twi-cotz--", "twi-cotzM-", "twi-aotzF-"])
def test_a_pool_that_room_does_not_help_says_what_does(letters: str) -> None:
    found = trouble(replace(POOL, attributes=letters))
    assert found is not None
    for words in ("no writes", "does not help any more", "deactivate", "lvconvert --repair vg/pool"):
        assert words in found.text


def test_a_pool_without_room_says_that_room_helps_and_when_it_does_not() -> None:
    for pool, option in ((POOL, "--size"), (replace(POOL, metadata_percent=100.0), "--poolmetadatasize")):
        found = trouble(replace(pool, attributes="twi-aotzD-"))
        assert found is not None
        for words in ("no writes", f"lvextend {option} +SIZE vg/pool", "lvconvert --repair vg/pool"):
            assert words in found.text
