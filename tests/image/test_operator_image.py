"""The operator out of its image: what is in it, and that it works as its Deployment starts it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from integration.operator_process import RunningSite, converged_hosts, running_site
from lab import container, system
from lab.controlplane import ControlPlane
from lab.operator_container import OperatorContainer
from lab.pod import Pod

MIB = 1 << 20
PATIENCE = 90.0

# Loads every compiled module, and has those work that choose their instructions by the processor.
USE_NATIVE_CODE = """
import importlib, pathlib, sysconfig
import heretic.main, heretic.cli.app, asyncssh
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
site = pathlib.Path(sysconfig.get_paths()["platlib"])
modules = [p for p in site.rglob("*.so") if ".cpython-" in p.name or ".abi3." in p.name]
for path in modules:
    importlib.import_module(".".join((*path.relative_to(site).parts[:-1], path.name.split(".")[0])))
for cipher in (AESGCM, ChaCha20Poly1305):
    sealed = cipher(bytes(32)).encrypt(bytes(12), b"text" * 500, b"")
    assert cipher(bytes(32)).decrypt(bytes(12), sealed, b"") == b"text" * 500
for algorithm in ("ssh-ed25519", "ecdsa-sha2-nistp256"):
    key = asyncssh.generate_private_key(algorithm)
    assert key.convert_to_public().verify(b"text", key.sign(b"text", algorithm.encode()))
print(len(modules), "modules")
"""


def wait(what: str, holds: Callable[[], bool], operator: OperatorContainer) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}\n{operator.log}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def emulator() -> Path:
    system.install({"qemu-x86_64-static": "qemu-user-static"})
    return Path("/usr/bin/qemu-x86_64-static")


@pytest.fixture
def site(control_plane: ControlPlane, tmp_path: Path, reachable: None) -> Iterator[RunningSite]:
    with running_site(control_plane, tmp_path / "site", converged_hosts()) as running:
        running.apply()
        yield running


def test_the_image_is_what_the_deployment_wants(built: container.OperatorImage, pod: Pod) -> None:
    found = json.loads(container.buildah("inspect", "--type", "image", built.reference))
    size = json.loads(container.buildah("images", "--json", built.reference))[0]["size"]

    config, labels = found["OCIv1"]["config"], found["OCIv1"]["config"]["Labels"]
    assert float(size.removesuffix(" MB")) < 250
    assert config["User"] == "65532:65532"
    assert pod.user == 65532
    assert config["Entrypoint"] == ["heretic-operator"]
    assert pod.image == built.reference
    assert labels["org.opencontainers.image.version"] == container.version()
    assert len(labels["org.opencontainers.image.revision"]) == 40


def test_the_image_holds_no_compiler_and_nothing_that_its_user_may_change(operator: OperatorContainer) -> None:
    found = {
        path.name
        for folder in ("usr/bin", "usr/local/bin", "opt/heretic/bin")
        for path in (operator.root / folder).glob("*")
    }

    assert {"heretic", "heretic-operator"} <= found
    assert not found & {"cc", "gcc", "c++", "g++", "ld", "make", "cargo", "rustc"}
    changeable = subprocess.run(
        ["find", operator.root / "opt", "(", "-perm", "/022", "-o", "!", "-user", "0", ")", "!", "-type", "l"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert changeable.stdout == ""
    assert not (operator.root / "etc/apt/sources.list").exists()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("processor", ["Conroe"])
def test_it_runs_on_a_processor_of_2006(operator: OperatorContainer, emulator: Path, processor: str) -> None:
    """A Core 2 lacks all that came after SSSE3, and the emulator stops at an instruction that its processor lacks."""
    copy = operator.root / "tmp/qemu"
    copy.write_bytes(emulator.read_bytes())
    copy.chmod(0o755)
    python = ["/opt/heretic/bin/python3", "-c", USE_NATIVE_CODE]

    done = subprocess.run(
        ["chroot", operator.root, "/tmp/qemu", "-cpu", processor, *python], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 10


@pytest.mark.timeout(300)
def test_it_brings_a_site_to_ready_as_its_deployment_starts_it(
    operator: OperatorContainer, site: RunningSite, control_plane: ControlPlane
) -> None:
    begun = time.time()
    operator.start(control_plane)

    wait("every object is Ready", site.ready, operator)

    assert operator.ask("/healthz").status == 200
    assert operator.ask("/readyz").said == "ok\n"
    assert "heretic_leader 1.0" in operator.ask("/metrics").said
    assert '"verb": "AnnounceOperator"' in operator.log  # the audit
    assert operator.resident_mebibytes() < 160
    written = [p for p in operator.root.rglob("*") if p.is_file() and not p.is_symlink() and p.stat().st_mtime > begun]
    assert written == []

    operator.terminate()
    wait("it has ended", lambda: operator.process.pid is None, operator)
    lease = control_plane.kubectl("get", "lease", "heretic-operator", "-n", "heretic-system", "-o", "json").stdout
    assert json.loads(lease)["spec"]["holderIdentity"] == ""
    assert "Traceback" not in operator.log


def test_any_user_can_run_it(operator: OperatorContainer, control_plane: ControlPlane) -> None:
    operator.start(control_plane, user="1000640000:0")

    wait("it is ready", lambda: operator.ask("/readyz").status == 200, operator)
    assert "Traceback" not in operator.log
