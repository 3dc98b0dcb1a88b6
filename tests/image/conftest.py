"""What the tests of the image share: the image, and one control plane that knows nothing but manifests/operator."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import container
from lab.controlplane import ControlPlane
from lab.operator_container import OperatorContainer
from lab.pod import REPOSITORY, Pod, rendered
from lab.shell import run
from sim.addresses import NETWORK, PREFIX


@pytest.fixture(scope="session")
def built() -> container.OperatorImage:
    """The image of these sources; `make image` has built it."""
    return container.ensure()


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Simulated hosts listen on the addresses that they are declared with: a container takes no detour."""
    route = ["local", NETWORK, "dev", "lo"]
    run(["ip", "route", "replace", *route])
    monkeypatch.setattr("sim.addresses._LOOPBACK", PREFIX)
    yield
    run(["ip", "route", "del", *route])


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane on which `kubectl apply -k` was all."""
    with ControlPlane(tmp_path_factory.mktemp("control-plane")) as plane:
        plane.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator"))
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield plane
    plane.wipe()


@pytest.fixture(scope="session")
def pod(control_plane: ControlPlane) -> Pod:
    """What the Deployment says."""
    return rendered(control_plane)


@pytest.fixture
def operator(built: container.OperatorImage, pod: Pod, tmp_path: Path) -> Iterator[OperatorContainer]:
    """A container of the image, in which nothing was started yet."""
    made = OperatorContainer(pod, tmp_path, f"heretic-test-{os.getpid()}")
    made.create(built)
    yield made
    made.close()
