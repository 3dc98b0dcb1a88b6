"""Volumes of every kind that LVM can show: none of them makes the report unreadable, and only pools lend room."""

import json
from typing import Any

import pytest

from heretic.cli.checks import Finding, check
from heretic.cli.observe import SiteSight
from heretic.domain.commands import Output
from heretic.domain.declared.view import SiteView
from heretic.domain.facts import Known
from heretic.domain.host.facts import HostFacts, LogicalVolume
from heretic.domain.host.parse.lvm import LvmReport, parse_lvm

GIB = 2**30
GROUP = {"vg_name": "vg", "vg_size": str(100 * GIB), "vg_free": "0", "vg_extent_size": "4194304", "vg_attr": "wz--n-"}


def row(name: str, attributes: str, pool: str = "", layout: str = "", **more: str) -> dict[str, str]:
    empty = {"data_percent": "", "metadata_percent": "", "lv_metadata_size": "", "lv_tags": ""}
    named = {"vg_name": "vg", "lv_name": name, "lv_attr": attributes, "lv_size": str(80 * GIB)}
    return named | empty | {"pool_lv": pool, "lv_layout": layout} | more


def parsed(*rows: dict[str, str]) -> tuple[LogicalVolume, ...]:
    text = json.dumps({"report": [{"vg": [GROUP], "pv": [], "lv": list(rows)}]})
    found = parse_lvm(Output(0, text, ""))
    assert isinstance(found, Known), found
    assert isinstance(found.value, LvmReport)
    return found.value.logical_volumes


KINDS: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("a thin volume", row("data", "Vwi-aotz--", "pool", "thin,sparse"), {"pool": "pool", "is_pool": False}),
    ("an origin in a thin pool", row("data", "owi-aotz--", "pool", "thin,sparse"), {"pool": "pool"}),
    ("an origin in a thin pool, no layout told", row("data", "owi-aotz--", "pool"), {"pool": "pool"}),
    ("a cached volume", row("data", "Cwi-aoC---", "[fast_cvol]", "cache", data_percent="99.90"), {"pool": ""}),
    ("a cached volume, no layout told", row("data", "Cwi-aoC---", "[fast_cvol]"), {"pool": ""}),
    ("a cached volume with a snapshot", row("data", "owi-aoC---", "[fast_cvol]", "cache"), {"pool": ""}),
    ("a write cache", row("data", "Cwi-aoC---", "[fast_cvol]", "writecache", origin="[data_wcorig]"), {"pool": ""}),
    ("a hidden cache", row("[fast_cvol]", "Cwi-aoC---", layout="linear"), {"name": "fast_cvol", "is_pool": False}),
    ("a cache pool", row("fast", "Cwi---C---", layout="cache,pool"), {"is_pool": False, "active": False}),
    ("a pool whose data is cached", row("pool", "twi-aotz--", data_lv="[pool_tdata]"), {"is_pool": True}),
    ("a pool under conversion", row("pool", "cwi-aotz--", layout="thin,pool"), {"is_pool": True}),
    ("a pool that needs a check", row("pool", "twi-cotz--"), {"is_pool": True, "active": True}),
    ("a suspended pool", row("pool", "twi-sotz--"), {"is_pool": True, "active": True}),
    ("a VDO pool", row("vpool0", "dwi-ao----", layout="vdo,pool", data_percent="91.00"), {"is_vdo_pool": True}),
    ("a VDO volume", row("data", "vwi-aov---", "vpool0", "vdo"), {"pool": "vpool0", "is_vdo_pool": False}),
    ("a RAID", row("data", "rwi-aor-r-", layout="raid,raid1", lv_health_status="refresh needed"), {"pool": ""}),
    ("a snapshot", row("snap", "swi-a-s---", origin="data", data_percent="12.00"), {"origin": "data", "pool": ""}),
    ("an odd percentage", row("pool", "twi-aotz--", data_percent="nan"), {"data_percent": None}),
    ("a negative percentage", row("pool", "twi-aotz--", data_percent="-1.00"), {"data_percent": None}),
    ("no letters", row("data", ""), {"active": False, "is_pool": False}),
]


@pytest.mark.parametrize(("told", "wanted"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_what_a_volume_is(told: dict[str, str], wanted: dict[str, Any]) -> None:
    beside = row("engine", "-wi-ao----")
    found, other = parsed(told, beside)
    assert {name: getattr(found, name) for name in wanted} == wanted
    assert other.name == "engine"


FULL = {"data_percent": "41.20", "metadata_percent": "19.50", "lv_metadata_size": str(GIB)}
TWO_INSIDE = (row("a", "Vwi-aotz--", "pool"), row("b", "Vwi-aotz--", "pool"))
VERIFY: list[tuple[str, tuple[dict[str, str], ...], set[str]]] = [
    ("in order", (row("pool", "twi-aotz--", **FULL),), set()),
    ("needs repair", (row("pool", "twi-aotzM-", **FULL),), {"HVP-D007 error"}),
    ("has failed", (row("pool", "twi-aotzF-", **FULL),), {"HVP-D007 error"}),
    ("out of space", (row("pool", "twi-aotzD-", **FULL),), {"HVP-D007 error"}),
    ("not known", (row("pool", "twi-aotzX-", **FULL),), {"HVP-D006 warning"}),
    (
        "over-committed",
        (row("pool", "twi-aotz--", **FULL), *TWO_INSIDE),
        {"HVP-D008 warning"},
    ),
    ("a full cache", (row("data", "Cwi-aoC---", "[c_cvol]", data_percent="100.00"),), set()),
    ("a RAID that lags", (row("data", "rwi-aor-r-"),), {"HVP-D010 warning"}),
    ("VDO nearly full", (row("v", "dwi-ao----", data_percent="96.00"),), {"HVP-D005 error"}),
    ("a read-only volume of the system", (row("layer", "Vri-a-tz-k", "pool0"),), set()),
]


@pytest.mark.parametrize(("rows", "codes"), [v[1:] for v in VERIFY], ids=[v[0] for v in VERIFY])
def test_verify_tells_it_by_a_stable_code(rows: tuple[dict[str, str], ...], codes: set[str]) -> None:
    facts = HostFacts("node1", logical_volumes=Known(parsed(*rows)))
    found = verify(facts)
    assert {f"{f.code.id} {f.code.severity.value}" for f in found} == codes
    assert all("node1" in f.message and "vg/" in f.message for f in found)


def verify(facts: HostFacts) -> list[Finding]:
    sight = SiteSight("", SiteView(), (), {facts.host: facts})
    return [f for f in check(sight) if f.code.id.startswith("HVP-D")]
