"""NFS-Ganesha on the file servers: in which order it comes to serve, what is repaired, and what stays as it was."""

from collections.abc import Callable
from copy import deepcopy
from itertools import groupby
from typing import Any

import pytest

from heretic.api.v1alpha1 import FileShare
from heretic.domain.conditions import Condition, ConditionType, State
from heretic.domain.errors import Reason
from heretic.domain.kind import Assessment
from heretic.domain.plan import Blocked, Wait, steps_of
from heretic.domain.shares.ganesha import texts
from heretic.domain.shares.ganesha.facts import TriedFile
from heretic.domain.shares.ganesha.plan import unsound
from heretic.domain.shares.ganesha.steps import PutGaneshaConfiguration
from sim.site_rules import resource
from unit.shares.cluster_model import SPEC, FileServers

FOLDERS: list[dict[str, Any]] = [
    {"name": "homes", "mode": "0711"},
    {"name": "software", "readOnly": True, "clients": ["172.20.12.7", "172.20.13.0/24"], "nfs": {"squash": "All"}},
]


def verbs(site: FileServers) -> list[str]:
    return [verb for verb, _ in groupby(step.verb for step in site.steps)]


def served(found: Assessment) -> Condition:
    return next(c for c in found.report.conditions if c.type is ConditionType.SERVED)


def change_spec(site: FileServers, **spec: Any) -> None:
    changed = resource(FileShare, "files", {**SPEC, **spec})
    site.share = site.share.model_copy(update={"spec": changed.spec})


def numbers(found: Assessment) -> list[tuple[str, int]]:
    return [(one["name"], one["number"]) for one in found.report.status.model_dump()["exports"]]


@pytest.fixture
def site() -> FileServers:
    """One that serves."""
    made = FileServers(folders=FOLDERS)
    made.run()
    made.steps.clear()
    return made


def test_nothing_is_in_force_before_it_is_everywhere_and_ctdb_watches_what_runs() -> None:
    site = FileServers(folders=FOLDERS)
    found = site.run()
    order = verbs(site)
    assert order[order.index("GivePublicAddresses") + 1 :] == [
        "MountVolume",
        "MakeFolder",
        "WriteFile",
        "PutGaneshaConfiguration",
        "StartGanesha",
        "PutEventScript",
    ]
    assert (served(found).state, steps_of(found.plan)) == (State.TRUE, ())
    assert {tuple(host.exports or ()) for host in site.hosts.values()} == {(1, 2)}


def test_each_host_keeps_what_its_clients_have_open_under_its_own_number(site: FileServers) -> None:
    for number, host in enumerate(site.hosts.values()):
        assert f" -I {number}\n" in host.files[texts.DROP_IN]
        assert f'echo {number} >/gluster/lock/ganesha-addresses/"$3"' in host.files[texts.SCRIPT]


def test_an_export_is_for_the_clients_that_are_declared(site: FileServers) -> None:
    homes, software = texts.owned_exports(site.hosts["n2"].files[texts.CONFIGURATION])
    assert "Clients = 172.20.12.0/24;\n\t\tAccess_Type = RW;" in homes.text
    assert "Squash = Root_Squash;" in homes.text
    assert "Clients = 172.20.12.7, 172.20.13.0/24;\n\t\tAccess_Type = RO;" in software.text
    assert "Squash = All_Squash;" in software.text
    assert all("\tAccess_Type = None;\n\tProtocols = 4;" in export.text for export in (homes, software))


def state(site: FileServers) -> dict[str, Any]:
    return {name: (host.files, host.modes, host.exports) for name, host in site.hosts.items()}


def stop(site: FileServers) -> None:
    site.hosts["n1"].exports = None


def edit(site: FileServers) -> None:
    site.hosts["n2"].files[texts.CONFIGURATION] = "EXPORT {}\n"


def take_out(site: FileServers) -> None:
    assert site.hosts["n2"].exports is not None
    del site.hosts["n2"].exports[1]


def add(site: FileServers) -> None:
    assert site.hosts["n3"].exports is not None
    site.hosts["n3"].exports[77] = "/etc"


def swap(site: FileServers) -> None:
    assert site.hosts["n3"].exports is not None
    site.hosts["n3"].exports[1] = "/etc"


def drop_script(site: FileServers) -> None:
    del site.hosts["n3"].files[texts.SCRIPT]


def disable_script(site: FileServers) -> None:
    site.hosts["n3"].modes[texts.SCRIPT] = "0644"


def drop_unit(site: FileServers) -> None:
    del site.hosts["n1"].files[texts.DROP_IN]


def unmount(site: FileServers) -> None:
    site.hosts["n1"].shares.clear()


@pytest.mark.parametrize(
    ("spoil", "mended"),
    [
        (stop, ["StartGanesha"]),
        (edit, ["TryExports", "PutGaneshaConfiguration"]),
        (take_out, ["AddExport"]),
        (add, ["RemoveExport"]),
        (swap, ["RemoveExport", "AddExport"]),
        (drop_script, ["PutEventScript"]),
        (disable_script, ["PutEventScript"]),
        (drop_unit, ["WriteFile"]),
        (unmount, ["MountVolume"]),
    ],
)
def test_what_somebody_changed_is_mended(
    site: FileServers, spoil: Callable[[FileServers], None], mended: list[str]
) -> None:
    before = deepcopy(state(site))
    spoil(site)
    assert served(site.assess()).state is not State.TRUE
    site.run()
    assert verbs(site) == mended
    assert state(site) == before


def test_what_one_ganesha_refuses_is_in_force_on_none(site: FileServers) -> None:
    before = {name: host.files[texts.CONFIGURATION] for name, host in site.hosts.items()}
    site.hosts["n2"].refuses = "Unknown parameter (Squash)"
    change_spec(site, folders=[{**FOLDERS[0], "readOnly": True}])
    found = site.run()
    assert isinstance(found.plan, Blocked)
    assert (found.plan.reason, "n2" in found.plan.message) == (Reason.GANESHA_REFUSES, True)
    assert "Unknown parameter (Squash)" in found.plan.message
    assert served(found).reason is Reason.GANESHA_REFUSES
    assert {name: host.files[texts.CONFIGURATION] for name, host in site.hosts.items()} == before
    assert verbs(site) == ["WriteFile", "TryExports"]


def test_words_about_another_file_refuse_nothing(site: FileServers) -> None:
    site.hosts["n2"].tried = TriedFile("0" * 64, "Unknown parameter")
    change_spec(site, folders=[{"name": "homes", "readOnly": True}])
    assert served(site.run()).state is State.TRUE


def test_a_change_of_a_live_share_is_read_again_and_nothing_is_restarted(site: FileServers) -> None:
    change_spec(site, folders=[{"name": "homes", "readOnly": True}, {"name": "data"}])
    site.run()
    assert verbs(site) == [
        "MakeFolder",
        "WriteFile",
        "TryExports",
        "PutGaneshaConfiguration",
        *["RemoveExport", "AddExport"] * 3,
    ]
    puts = [step for step in site.steps if isinstance(step, PutGaneshaConfiguration)]
    assert {tuple(argv[-1] for argv in step.tell) for step in puts} == {("EXPORT(Export_Id=1)",)}
    assert {tuple(sorted((host.exports or {}).items())) for host in site.hosts.values()} == {
        ((1, "/homes"), (3, "/data"))
    }


def test_what_ganesha_may_not_have_read_it_reads_again(site: FileServers) -> None:
    site.hosts["n2"].marks = {texts.SERVICE}
    site.run()
    (step,) = site.steps
    assert isinstance(step, PutGaneshaConfiguration)
    assert [argv[-1] for argv in step.tell] == ["EXPORT(Export_Id=1)", "EXPORT(Export_Id=2)"]


def test_a_version_that_could_not_be_asked_for_is_waited_for() -> None:
    site = FileServers(folders=FOLDERS)
    site.hosts["n2"].ganesha = ""
    found = site.run()
    assert isinstance(found.plan, Wait)
    assert (found.plan.reason, verbs(site)[-1]) == (Reason.NOT_OBSERVED, "GivePublicAddresses")


def test_a_number_is_kept_for_a_folder_that_went_and_is_nobody_elses(site: FileServers) -> None:
    change_spec(site, folders=[{"name": "data"}])
    found = site.run()
    assert numbers(found) == [("homes", 1), ("software", 2), ("data", 3)]
    change_spec(site, folders=[{"name": "software"}, {"name": "data"}])
    assert numbers(site.run()) == [("homes", 1), ("software", 2), ("data", 3)]
    assert site.hosts["n1"].exports == {2: "/software", 3: "/data"}


def test_numbers_outlive_their_record(site: FileServers) -> None:
    site.share = resource(FileShare, "files", {**SPEC, "folders": [{"name": "new"}, *reversed(FOLDERS)]})
    assert numbers(site.run()) == [("homes", 1), ("software", 2), ("new", 3)]


def test_a_record_is_not_overruled_by_a_file(site: FileServers) -> None:
    host = site.hosts["n1"]
    host.files[texts.CONFIGURATION] = host.files[texts.CONFIGURATION].replace("Export_Id = 1;", "Export_Id = 9;")
    assert numbers(site.run()) == [("homes", 1), ("software", 2)]
    assert host.exports == {1: "/homes", 2: "/software"}


def test_two_shares_never_give_one_number_twice(site: FileServers) -> None:
    other = {**SPEC, "folders": [{"name": "else"}]}
    recorded = {"exports": [{"name": "else", "number": 1}]}
    site.instead = (resource(FileShare, "zweite", other, status=recorded),)
    site.run()
    assert site.hosts["n1"].exports == {1: "/homes", 2: "/software", 3: "/else"}


@pytest.mark.parametrize("spec", [{"paused": True}, {"mode": "Observe"}])
def test_what_another_share_serves_stays_while_it_may_not_act(site: FileServers, spec: dict[str, Any]) -> None:
    other = {**SPEC, "folders": [{"name": "else", "readOnly": True}]}
    site.instead = (resource(FileShare, "another", other),)
    site.run()
    section = '# FileShare another\nEXPORT {\n\tExport_Id = 3;\n\tPath = "/else";\n'
    before = site.hosts["n1"].files[texts.CONFIGURATION]
    assert section in before
    site.instead = (resource(FileShare, "another", {**other, "folders": [{"name": "else"}], **spec}),)
    site.run()
    assert site.hosts["n1"].files[texts.CONFIGURATION] == before
    site.instead = ()
    site.run()
    assert site.hosts["n1"].files[texts.CONFIGURATION] == before
    assert site.hosts["n1"].exports == {1: "/homes", 2: "/software", 3: "/else"}


def test_one_lost_host_holds_nobody_up(site: FileServers) -> None:
    site.hosts["n2"].lost = True
    change_spec(site, folders=[*FOLDERS, {"name": "data"}])
    assert served(site.run()).state is State.TRUE
    assert site.hosts["n1"].exports == {1: "/homes", 2: "/software", 3: "/data"}


@pytest.mark.parametrize(
    ("version", "dies"),
    [
        ("4.3-2", False),
        ("5.3-1", False),
        ("5.4-1", True),
        ("5.9-1.el9", True),
        ("6.5-5", True),
        ("6.5-1.el9s", True),
        ("6.5-5+deb13u1", True),
        ("6.6-1", False),
        ("9.1-1.el9", False),
        ("", False),
    ],
)
def test_a_version_that_dies_when_it_forgets_a_file_is_known(version: str, dies: bool) -> None:
    assert unsound(version) is dies


def test_nothing_is_served_with_a_version_that_dies() -> None:
    site = FileServers(folders=FOLDERS)
    site.hosts["n2"].ganesha = "6.5-5"
    found = site.run()
    assert isinstance(found.plan, Blocked)
    assert (found.plan.reason, "n2" in found.plan.message, "6.5-5" in found.plan.message) == (
        Reason.GANESHA_UNSOUND,
        True,
        True,
    )
    assert verbs(site)[-1] == "GivePublicAddresses"
    assert served(found).state is State.FALSE
