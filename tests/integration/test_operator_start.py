"""An operator that cannot start: it says why in one sentence, waits, and starts when that is mended."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.controlplane import ControlPlane
from lab.kubeconfig import redirect_kubeconfig
from lab.ports import free_port
from lab.processes import Process

REPOSITORY = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).parent / "heretic-operator"
PATIENCE = 60.0


class Starting:
    """An operator process, and what its probes say."""

    def __init__(self, folder: Path) -> None:
        self.process = Process("operator", folder)
        self.port = free_port()

    def start(self, kubeconfig: Path, *arguments: str) -> None:
        command: list[str | Path] = [PROGRAM, "--kubeconfig", kubeconfig, "--metrics-port", str(self.port), *arguments]
        self.process.start(command, detached=False)

    def ask(self, path: str) -> str:
        """What a probe hears: "ok", or why not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return str(answer.read().decode()).strip()
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode().strip()
        except OSError:
            return "nobody listens"

    @property
    def log(self) -> str:
        return self.process.log.read_text(errors="replace")

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}\n{self.log}"
            time.sleep(0.2)


@pytest.fixture
def starting(tmp_path: Path) -> Iterator[Starting]:
    made = Starting(tmp_path)
    yield made
    made.process.kill()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster in which nothing was installed yet."""
    with ControlPlane(tmp_path_factory.mktemp("bare")) as plane:
        yield plane
    plane.wipe()


def refused_with(starting: Starting, *words: str) -> None:
    """Waits until it says so; it lives, is not ready, and no traceback was shown."""
    starting.wait(
        f"it says {words}", lambda: all(word in starting.ask("/readyz") for word in ("it cannot start yet", *words))
    )
    assert starting.ask("/healthz") == "ok"
    assert "Traceback" not in starting.log
    assert starting.log.count("cannot start yet") == 1


def test_it_waits_for_rights(control_plane: ControlPlane, starting: Starting) -> None:
    control_plane.kubectl("apply", "--server-side", "-k", str(REPOSITORY / "manifests/operator"))
    control_plane.kubectl("create", "serviceaccount", "nobody", "--namespace=default")
    starting.start(control_plane.create_service_account_kubeconfig("default", "nobody"))

    refused_with(starting, "forbidden")

    who = "--serviceaccount=default:nobody"
    control_plane.kubectl("create", "clusterrolebinding", "nobody", "--clusterrole=heretic-operator", who)
    control_plane.kubectl("create", "rolebinding", "nobody", "--role=heretic-leader", who, "-n", "heretic-system")
    starting.wait("it is ready", lambda: starting.ask("/readyz") == "ok")


def test_it_waits_for_crds_of_its_version(bare: ControlPlane, starting: Starting) -> None:
    crds = bare.kubectl("kustomize", str(REPOSITORY / "crds")).stdout
    starting.start(bare.kubeconfig, "--lease-namespace", "default")

    refused_with(starting, "the CRDs are not installed", "kubectl apply")

    bare.kubectl("apply", "--server-side", "-f", "-", input=crds)
    starting.wait("it is ready", lambda: starting.ask("/readyz") == "ok")
    bare.kubectl("delete", "crd", "--all")


def test_crds_of_another_version_are_not_enough(bare: ControlPlane, starting: Starting) -> None:
    crds = bare.kubectl("kustomize", str(REPOSITORY / "crds")).stdout
    bare.kubectl("apply", "--server-side", "-f", "-", input=crds.replace("name: v1alpha1", "name: v1beta1"))
    starting.start(bare.kubeconfig, "--lease-namespace", "default")

    refused_with(starting, "of version v1beta1", "speaks v1alpha1")

    bare.kubectl("delete", "crd", "--all", "--wait=false")


def test_it_waits_for_the_api_server(control_plane: ControlPlane, starting: Starting, tmp_path: Path) -> None:
    nowhere = redirect_kubeconfig(control_plane.kubeconfig, tmp_path / "nowhere", f"https://127.0.0.1:{free_port()}")
    starting.start(nowhere)

    refused_with(starting, "no answer from the API server")


def without_context(config: dict[str, object]) -> None:
    config["current-context"] = ""


def with_context_of_nobody(config: dict[str, object]) -> None:
    config["current-context"] = "elsewhere"


@pytest.mark.parametrize("change", [without_context, with_context_of_nobody])
def test_a_kubeconfig_that_names_no_cluster_ends_it_with_a_sentence(
    control_plane: ControlPlane, tmp_path: Path, change: Callable[[dict[str, object]], None]
) -> None:
    shown = control_plane.kubectl("config", "view", "--raw", "-o", "json").stdout
    config = json.loads(shown)
    change(config)
    (tmp_path / "config").write_text(json.dumps(config))

    done = subprocess.run(
        [PROGRAM, "--kubeconfig", tmp_path / "config"], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "config") in done.stderr
    assert "context" in done.stderr.lower()


@pytest.mark.parametrize("wrong", ["--metrics-port", "--audit-log"])
def test_a_port_or_a_file_that_cannot_be_had_ends_it_with_a_sentence(control_plane: ControlPlane, wrong: str) -> None:
    taken = control_plane.url.rpartition(":")[2]
    value = {"--metrics-port": taken, "--audit-log": "/proc/audit.jsonl"}[wrong]

    done = subprocess.run(
        [PROGRAM, "--kubeconfig", control_plane.kubeconfig, wrong, value],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert wrong in done.stderr
    assert value in done.stderr
