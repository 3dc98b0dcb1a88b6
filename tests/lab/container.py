"""The operator's container image, built for real on a plain machine: no registry, no daemon, no container runtime.

    PYTHONPATH=tests uv run python -m lab operator-image

The Dockerfile is carried out by buildah with chroot isolation. Its base is a small Debian that mmdebstrap installs,
with a compiler for the first stage, or any image that --base names. All of it is cached by content.
"""

import configparser
import hashlib
import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.cache import cache_dir, cached_folder, locked
from lab.errors import LabError
from lab.shell import Argument, require_programs, require_root, run, timed

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "localhost/heretic-operator"
SUITE = "trixie"
PACKAGES = ("python3", "python3-venv", "ca-certificates", "libxml2")
COMPILER = ("gcc", "libc6-dev", "libxml2-dev", "python3-dev")
"""What the first stage has besides: the oVirt SDK is published as source."""
# What the image is made of: also what .dockerignore lets through.
SOURCES = (
    *("Dockerfile", ".dockerignore", "LICENSE", "README.md"),
    *("pyproject.toml", "requirements", "manifests", "operator"),
)
PROGRAMS = {"buildah": "buildah", "mmdebstrap": "mmdebstrap", "unshare": "util-linux"}
"""What building and starting it needs -> the Debian package that brings it."""
CERTIFICATES = "/run/certificates.pem"
"""Where the build finds the certificates that the building machine trusts."""

_NOT_NEEDED = ("man", "info", "locale", "doc", "lintian", "bash-completion")
# Names of the building machine, and where it takes its packages from.
_CLEAN = 'cd "$1" && rm -f etc/hostname etc/hosts etc/resolv.conf etc/apt/sources.list && rm -rf var/log/* var/cache/*'
_PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host", "cert", "proxy")


@dataclass(frozen=True)
class OperatorImage:
    """A built image.

    Attributes:
        reference: Its name in buildah's storage and in the archive.
        archive: For `k3s ctr images import` and `kind load image-archive`.
    """

    reference: str
    archive: Path


def version() -> str:
    """Of the project."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"])


def buildah(*arguments: Argument, timeout: float | None = 1200) -> str:
    """Runs buildah on the cached storage."""
    return run([*command(), *arguments], timeout=timeout).strip()


def command() -> list[str]:
    """What a buildah command line begins with. Plain folders as storage: it works on every filesystem."""
    folder = cache_dir() / "containers"
    return ["buildah", "--root", f"{folder}/storage", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]


def ensure(base: str | None = None) -> OperatorImage:
    """The image of the present sources, built if this machine has not got it yet.

    Args:
        base: The Dockerfile's BASE; None: a small Debian that is installed here.
    """
    require_root()
    require_programs("buildah", "mmdebstrap")
    bases = {"BASE": base or _debian(*PACKAGES), "BUILD_BASE": base or _debian(*PACKAGES, *COMPILER)}
    digest = _digest(bases)
    reference = f"{NAME}:{version()}"
    folder = cached_folder(f"operator-image-{digest}", lambda part: _build(bases, digest, reference, part))
    built = OperatorImage(reference, folder / "heretic-operator.tar")
    with locked(_lock()):
        if f"{NAME}:{digest}" not in _images():  # the image of other sources has replaced it
            buildah("pull", "--quiet", f"docker-archive:{built.archive}")
            buildah("tag", reference, f"{NAME}:{digest}")
        buildah("tag", f"{NAME}:{digest}", reference)
    return built


def make_container(name: str, image: OperatorImage) -> Path:
    """Makes a container of that name, in place of one that has it; returns its root folder."""
    remove_container(name)
    with locked(_lock()):
        buildah("from", "--name", name, image.reference)
        return Path(buildah("mount", name))


def remove_container(name: str) -> None:
    """Throws a container away, if it is there."""
    with locked(_lock()):
        if name in buildah("containers", "--format", "{{.ContainerName}}").split():
            buildah("umount", name)  # `rm` never ends when what used it was killed
            buildah("rm", name)


def _lock() -> Path:
    """Of the storage: what looks at it and then changes it holds this lock."""
    return cache_dir() / ".containers.lock"


def _images() -> dict[str, str]:
    """What the storage holds: names, and the number of the image that each means."""
    listed = buildah("images", "--no-trunc", "--format", "{{.Name}}:{{.Tag}} {{.ID}}").splitlines()
    return {name: number.removeprefix("sha256:") for name, number in map(str.split, listed)}


def _remove_old_images() -> None:
    """All of the operator but those that a container is made of."""
    used = buildah("containers", "--notruncate", "--format", "{{.ImageID}}").split()
    for name, number in _images().items():
        if name.startswith(f"{NAME}:") and number not in used:
            buildah("rmi", name)


def _digest(bases: Mapping[str, str]) -> str:
    digest = hashlib.sha256(repr(bases).encode())
    for name in SOURCES:
        path = REPOSITORY / name
        for file in sorted([path] if path.is_file() else path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"\0{file.relative_to(REPOSITORY)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _build(bases: Mapping[str, str], digest: str, reference: str, folder: Path) -> None:
    settings = _pip_settings()
    volume: list[str] = []
    if certificates := settings.get("cert"):
        volume = ["--volume", f"{certificates}:{CERTIFICATES}:ro"]
        settings["cert"] = CERTIFICATES
    arguments = {**bases, "VERSION": version(), "REVISION": _revision()}
    arguments |= {f"PIP_{name.replace('-', '_').upper()}": value for name, value in settings.items()}
    built = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    with locked(_lock()), timed("building the operator's image", expect="1 to 2 min"):
        _remove_old_images()
        buildah("bud", "--isolation", "chroot", *volume, *built, "--tag", f"{NAME}:{digest}", REPOSITORY)
        buildah("push", "--quiet", f"{NAME}:{digest}", f"docker-archive:{folder}/heretic-operator.tar:{reference}")


def _revision() -> str:
    found = subprocess.run(["git", "-C", REPOSITORY, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _debian(*packages: str) -> str:
    """A small Debian with those packages: its name in buildah's storage."""
    recipe = " ".join([SUITE, *packages, *_NOT_NEEDED, _CLEAN, *_sources()])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    name = f"localhost/heretic-base:{digest}"
    folder = cached_folder(f"operator-base-{digest}", lambda part: _install(packages, part))
    with locked(_lock()):
        if name not in _images():
            container = buildah("from", "scratch")
            buildah("add", "--quiet", container, folder / "base.tar", "/")
            buildah("commit", "--quiet", "--rm", container, name)
    return name


def _sources() -> list[str]:
    mirror = os.environ.get("HERETIC_LAB_MIRROR", "http://deb.debian.org/debian")
    signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    suites = ((mirror, SUITE), (mirror, f"{SUITE}-updates"), (f"{mirror}-security", f"{SUITE}-security"))
    return [f"{signed} {where} {suite} main" for where, suite in suites]


def _install(packages: Sequence[str], folder: Path) -> None:
    log = folder.parent / "operator-base-build.log"
    with timed("installing a base of the operator's image", expect="1 min, once; network needed"):
        try:
            run(
                [
                    "mmdebstrap",
                    "--mode=root",
                    "--variant=minbase",
                    "--architectures=amd64",
                    f"--include={','.join(packages)}",
                    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _NOT_NEEDED),
                    f"--customize-hook={_CLEAN}",
                    SUITE,
                    folder / "base.tar",
                    *_sources(),
                ],
                log=log,
                timeout=1800,
            )
        except LabError as error:
            raise LabError(f"the base image cannot be made; everything said is in {log}\n{error}") from None


def _pip_settings() -> dict[str, str]:
    """Where this machine's pip takes packages from, as its configuration and its environment say."""
    parser = configparser.ConfigParser(interpolation=None)
    home = Path.home()
    parser.read(
        [os.environ.get("PIP_CONFIG_FILE", "/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf"]
    )
    found = dict(parser["global"]) if parser.has_section("global") else {}
    for name in _PIP_SETTINGS:
        if value := os.environ.get(f"PIP_{name.replace('-', '_').upper()}"):
            found[name] = value
    return {name: found[name] for name in _PIP_SETTINGS if found.get(name)}
