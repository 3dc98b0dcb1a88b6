"""The platform of a run is one value, and nothing of one platform is taken for another's."""

import pytest

from lab import image
from lab.booted import folder_name
from lab.errors import LabError
from lab.identity import Identity
from lab.machine import Machine
from lab.network import Network
from lab.platforms import DEFAULT, PLATFORMS, VARIABLE, chosen, named
from lab.spec import NodeSpec, SiteSpec
from sim.host_tools import storage_machine


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_variable_chooses_it_for_machines_and_simulated_hosts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, name)
    assert chosen() is PLATFORMS[name]
    assert SiteSpec.uniform().platform == name
    assert storage_machine().host.platform.name == name
    assert PLATFORMS[name].suite in storage_machine().files["/etc/os-release"].content


@pytest.mark.parametrize("unset", [True, False], ids=["unset", "empty"])
def test_without_it_there_is_a_default(monkeypatch: pytest.MonkeyPatch, unset: bool) -> None:
    if unset:
        monkeypatch.delenv(VARIABLE, raising=False)
    else:
        monkeypatch.setenv(VARIABLE, "")
    assert chosen() is DEFAULT


def test_a_platform_that_does_not_exist_is_refused_with_those_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ubuntu24")
    with pytest.raises(LabError, match="HERETIC_LAB_PLATFORM is 'ubuntu24'; it can be debian13 or debian12"):
        chosen()


def test_a_site_keeps_its_platform_whatever_is_chosen_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "debian12")
    saved = SiteSpec.uniform().model_dump_json()
    monkeypatch.setenv(VARIABLE, "debian13")
    assert SiteSpec.model_validate_json(saved).platform == "debian12"
    assert SiteSpec.uniform() != SiteSpec.model_validate_json(saved)


def test_images_and_booted_nodes_of_all_platforms_lie_side_by_side(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("site")
    names = []
    for name in PLATFORMS:
        spec = SiteSpec(nodes=(NodeSpec(),), platform=name)
        machine = Machine(Identity(spec, 1), spec.nodes[0], (), folder, folder, Network("test"))
        names += [image.folder_name(named(name)), folder_name(machine, "key")]
        assert all(name in cached for cached in names[-2:])
    assert len(set(names)) == 2 * len(PLATFORMS)
