"""Values of Gluster options are compared by what they mean to Gluster."""

from dataclasses import replace
from pathlib import Path

import pytest

from heretic.api.v1alpha1.gluster_volume import Purpose
from heretic.domain.gluster.difference import foreign_options, options_to_set, sharding_difference
from heretic.domain.gluster.placement import Placement
from heretic.domain.gluster.purposes import options_of
from heretic.domain.gluster.values import DEFAULTS, same_value
from heretic.domain.pool.facts import Brick, VolumeInfo, VolumeState
from lab.platforms import DEBIAN_13, PLATFORMS, Platform
from sim.gluster_options import DEFAULTS_AT_CREATION, names_of

DATA = Path(__file__).resolve().parents[2] / "data/gluster"
SHARD, BLOCK = "features.shard", "features.shard-block-size"

SAME = [
    (BLOCK, None, "64MB"),
    *(
        (BLOCK, found, "64MB")
        for found in ("67108864", "64mb", "64M", "64MiB", "65536KB", "0.0625GB", "64MB (DEFAULT)")
    ),
    (BLOCK, "0.5GB", "512MB"),
    ("cluster.eager-lock", None, "enable"),
    ("cluster.eager-lock", "ON", "enable"),
    ("performance.read-ahead", None, "off"),
    ("network.remote-dio", None, "disable"),
    ("performance.strict-o-direct", "1", "on"),
    ("cluster.quorum-type", "AUTO", "auto"),
    ("network.ping-timeout", "1min", "60"),
    ("network.ping-timeout", "20sec", "20"),
    ("cluster.heal-timeout", "10m", "600"),
    ("cluster.shd-max-threads", "08", "8"),
    ("cluster.min-free-disk", "80%", "80"),
    ("performance.cache-size", "32MB", "33554432"),
    ("performance.quick-read", "off (DEFAULT)", "off"),
    ("user.cifs", "disable", "off"),
]
DIFFERENT = [
    (BLOCK, "512MB", "64MB"),
    (BLOCK, "4MB", "64MB"),
    (BLOCK, "64", "64MB"),
    (BLOCK, "64GB", "64MB"),
    (BLOCK, "64 parsecs", "64MB"),
    (SHARD, None, "on"),
    (SHARD, "off", "on"),
    (SHARD, "(null)", "on"),
    ("cluster.quorum-type", None, "auto"),
    ("cluster.server-quorum-type", None, "server"),
    ("cluster.server-quorum-type", "none", "server"),
    ("storage.owner-uid", None, "36"),
    ("storage.owner-uid", "0", "36"),
    ("network.ping-timeout", None, "20"),
    ("network.ping-timeout", "20min", "20"),
    ("performance.cache-size", "10m", "600"),
    ("user.cifs", None, "off"),
    ("user.note", "ABC", "abc"),
    ("auth.allow", "192.0.2.1", "192.0.2.2"),
]


@pytest.mark.parametrize(("name", "found", "wanted"), SAME)
def test_one_value_in_two_spellings(name: str, found: str | None, wanted: str) -> None:
    assert same_value(found, wanted, name)
    assert found is None or same_value(wanted, found, name), "either way round"


@pytest.mark.parametrize(("name", "found", "wanted"), DIFFERENT)
def test_two_values(name: str, found: str | None, wanted: str) -> None:
    assert not same_value(found, wanted, name)


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=lambda platform: platform.name)
def test_every_default_is_one_of_an_option_that_gluster_knows(platform: Platform) -> None:
    assert set(DEFAULTS) <= names_of(platform)


def test_a_new_volume_has_these_defaults() -> None:
    """``gluster volume get V all`` of a replicated volume that was just created, as 11.1 printed it."""
    rows = (line.split(maxsplit=1) for line in (DATA / DEBIAN_13.name / "options.txt").read_text().splitlines()[2:])
    found = {name: value.strip().removesuffix(" (DEFAULT)") for name, value in (row for row in rows if len(row) == 2)}
    expected = {name: DEFAULTS_AT_CREATION.get(name, default) for name, default in DEFAULTS.items()}
    assert {name: found[name] for name in DEFAULTS} == expected


def _placed(purpose: str) -> Placement:
    return Placement("v", (), 3, 1, options_of(Purpose(purpose), 3))


def _info(state: VolumeState, **options: str) -> VolumeInfo:
    brick = Brick("n1", "/b", "u")
    return VolumeInfo("v", "id", state, 3, 1, (brick,), {k.replace("__", "."): v for k, v in options.items()})


def test_what_has_its_default_is_set_only_where_that_is_another_value() -> None:
    placed = _placed("VirtualMachines")
    wanted = options_to_set(placed, _info(VolumeState.STARTED))
    assert "cluster.eager-lock" not in wanted
    assert {"cluster.quorum-type", "cluster.server-quorum-type", "network.ping-timeout"} <= set(wanted)
    assert SHARD not in wanted


def test_every_option_is_written_out_before_the_first_start_although_it_has_its_default() -> None:
    placed = _placed("VirtualMachines")
    assert {SHARD, BLOCK, "cluster.eager-lock"} <= set(placed.options)
    assert options_to_set(placed, _info(VolumeState.CREATED)) == placed.options
    written = replace(_info(VolumeState.CREATED), options=dict(placed.options) | {BLOCK: "67108864"})
    assert options_to_set(placed, written) == {}


@pytest.mark.parametrize(
    ("purpose", "options", "differs"),
    [
        ("VirtualMachines", {SHARD: "enable"}, ""),
        ("VirtualMachines", {SHARD: "on", BLOCK: "512MB"}, f"{BLOCK} is 512MB, 64MB is declared"),
        ("VirtualMachines", {}, f"{SHARD} is not set, on is declared"),
        ("NFSShare", {}, ""),
        ("NFSShare", {SHARD: "disable"}, ""),
        ("NFSShare", {SHARD: "enable"}, f"{SHARD} is enable, and this purpose has files in one piece"),
    ],
)
def test_sharding_of_a_started_volume(purpose: str, options: dict[str, str], differs: str) -> None:
    placed, info = _placed(purpose), replace(_info(VolumeState.STARTED), options=options)
    assert sharding_difference(placed, info) == differs
    assert set(foreign_options(placed, info)) == set()
