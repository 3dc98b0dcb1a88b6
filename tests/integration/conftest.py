"""What the integration tests share: one control plane a session, one namespace a test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from integration.used_rights import keep_used_rights
from lab.apiproxy import ApiProxy
from lab.binaries import find_binaries
from lab.controlplane import ControlPlane

CRDS = Path(__file__).parents[2] / "crds"

LONGEST = ("crash_sweep", "operator_erasing", "last_check_sweep", "operator_crashes", "operator_leadership")
"""Files that take longest begin first: the last one of a run keeps one worker busy while the others have ended."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Orders the files; the tests of one stay in their order."""
    last = len(LONGEST)
    place = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, last))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build missing binaries before the first test: it takes minutes, more than a test and its fixtures may.

    `make integration` has done that before it starts several workers, which say nothing while they build.
    """
    needed = any("control_plane" in getattr(item, "fixturenames", ()) for item in session.items)
    if needed and not session.config.option.collectonly:
        capture = session.config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            find_binaries()


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane that knows the CRDs of this repository."""
    plane = ControlPlane(tmp_path_factory.mktemp("control-plane"))
    with plane:
        if any(CRDS.glob("*.yaml")):
            plane.kubectl("apply", "--server-side", f"--kustomize={CRDS}")
            plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield plane
    keep_used_rights(plane)
    plane.wipe()


@pytest.fixture
def api_proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    """A proxy before the API server, without faults yet."""
    with ApiProxy(control_plane) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    """Likewise, for all tests of a module."""
    with ApiProxy(control_plane) as running:
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A fresh namespace."""
    name = f"test-{uuid4().hex[:8]}"
    control_plane.kubectl("create", "namespace", name)
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
