"""The control plane's binaries: taken from KUBEBUILDER_ASSETS, or built from their Go modules and cached.

No container and no download page is involved: kubernetes/go.mod and go.sum pin every module by version and
hash.
"""

import hashlib
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.cache import cached_folder
from lab.golang import build_environment, find_go

MODULE = Path(__file__).with_name("kubernetes")
PACKAGES = (
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    "k8s.io/kubernetes/cmd/kubectl",
    "go.etcd.io/etcd/server/v3",
)


@dataclass(frozen=True)
class Binaries:
    """The commands that a control plane is made of."""

    etcd: Path
    kube_apiserver: Path
    kubectl: Path
    kube_controller_manager: Path | None
    """Without it (envtest's assets lack it) namespaces are never deleted and owner references never followed."""


def find_binaries() -> Binaries:
    """The binaries from KUBEBUILDER_ASSETS if that is set, else the cached ones, built first if need be."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    return _in_folder(Path(assets)) if assets else _in_folder(cached_folder(_cache_name(), _build))


def kubernetes_version() -> str:
    """The version that go.mod pins, such as v1.36.3."""
    match = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE)
    if match is None:
        raise RuntimeError(f"{MODULE / 'go.mod'} does not require k8s.io/kubernetes")
    return match[1]


def _in_folder(folder: Path) -> Binaries:
    names = ("etcd", "kube-apiserver", "kubectl")
    missing = [name for name in names if not os.access(folder / name, os.X_OK)]
    if missing:
        raise RuntimeError(
            f"{folder} lacks {', '.join(missing)}. Unset KUBEBUILDER_ASSETS to have them built, "
            "or remove the folder if it is the lab's own."
        )
    etcd, apiserver, kubectl = (folder / name for name in names)
    manager = folder / "kube-controller-manager"
    return Binaries(etcd, apiserver, kubectl, manager if os.access(manager, os.X_OK) else None)


def _flags() -> list[str]:
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".", 2)
    # Without these, client and server call themselves v0.0.0, and clients that compare versions go astray.
    stamps = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamped = [
        f"-X k8s.io/{package}/version.{key}={value}"
        for package in ("component-base", "client-go/pkg")
        for key, value in stamps.items()
    ]
    return ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", " ".join(["-s -w", *stamped])]


def _cache_name() -> str:
    pins = [(MODULE / name).read_text() for name in ("go.mod", "go.sum")]
    inputs = "\0".join([platform.machine(), *pins, *_flags(), *PACKAGES])
    return f"kubernetes-{kubernetes_version()}-{hashlib.sha256(inputs.encode()).hexdigest()[:12]}"


def _build(folder: Path) -> None:
    go = find_go()
    print(
        f"lab: building Kubernetes {kubernetes_version()} and etcd with {go}. The first time this takes about "
        "5 minutes on 2 cores, 1 GB of modules to fetch and 3 GB for Go's build cache; the result is kept.",
        file=sys.stderr,
        flush=True,
    )
    with _ticking("still building"):
        result = subprocess.run(
            [go, "build", *_flags(), "-o", f"{folder}/", *PACKAGES],
            cwd=MODULE,
            env=build_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        tail = "\n".join(result.stderr.splitlines()[-20:])
        raise RuntimeError(
            f"building the control plane failed:\n{tail}\n"
            f"To try by hand: cd {MODULE} && go build {PACKAGES[0]}. To do without: set KUBEBUILDER_ASSETS."
        )
    (folder / "server").rename(folder / "etcd")


@contextmanager
def _ticking(what: str, every: float = 30.0) -> Iterator[None]:
    """Say every now and then that work goes on, and at the end how long it took."""
    began = time.monotonic()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(every):
            print(f"lab: {what}, {time.monotonic() - began:.0f} s so far", file=sys.stderr, flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    print(f"lab: done in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
