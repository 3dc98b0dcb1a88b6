"""The node image: a small Debian with Gluster, built once from its recipe and shared by all machines.

The recipe is the folder node_image/: two package lists, the files to add and a script. A site can ask for machines that
have further packages. The image is cached under a hash of all of it, so that a changed recipe makes a new image and a
known one is found again.
"""

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import gpt
from lab.cache import cached_folder
from lab.errors import LabError
from lab.initrd import uncompressed
from lab.platforms import Platform
from lab.shell import require_programs, require_root, run, timed

RECIPE = Path(__file__).parent / "node_image"
# Raise it when the code below changes what an image is.
RECIPE_VERSION = 1
DISK_BYTES = 8 << 30
_ROOT = gpt.Partition(name="heretic-root", start=gpt.MIB, size=DISK_BYTES - 2 * gpt.MIB)
_NOT_NEEDED = ("man", "info", "locale", "doc", "lintian", "bash-completion")


@dataclass(frozen=True)
class Image:
    """A built image: the disk that nodes overlay, and the kernel that QEMU starts directly."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "disk.qcow2"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"

    @property
    def root_argument(self) -> str:
        """Where the kernel finds its root filesystem."""
        return f"root=PARTUUID={_ROOT.uuid}"


def folder_name(platform: Platform, installed: Collection[str] = ()) -> str:
    """Name in the cache of the image of the present recipe, with further packages installed."""
    return platform.cached("image", _recipe_hash(platform, installed))


def _recipe_hash(platform: Platform, installed: Collection[str]) -> str:
    """What the image is made of, in a few digits."""
    further = "".join(f" +{name}" for name in sorted(installed))
    digest = hashlib.sha256(f"{RECIPE_VERSION} {platform.suite} {DISK_BYTES} {_mirror()}{further}".encode())
    for path in sorted(RECIPE.rglob("*")):
        if path.is_file():
            executable = os.access(path, os.X_OK)
            digest.update(f"\0{path.relative_to(RECIPE)}\0{executable}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def ensure(platform: Platform, installed: Collection[str] = ()) -> Image:
    """The platform's image of the present recipe, built if this machine has not got it yet.

    Args:
        platform: What it runs.
        installed: Packages that it has beyond those of a blank node.
    """
    return Image(cached_folder(folder_name(platform, installed), lambda folder: _build(platform, installed, folder)))


def _mirror() -> str:
    return os.environ.get("HERETIC_LAB_MIRROR", "http://deb.debian.org/debian")


def _build(platform: Platform, installed: Collection[str], folder: Path) -> None:
    require_root()
    require_programs("mmdebstrap", "mke2fs", "qemu-img", "dpkg-deb")
    tree = folder / "tree"
    raw = folder / "disk.raw"
    log = folder.parent / f"node-image-{platform.name}-build.log"
    with timed(f"building the node image of {platform.name}", expect="2 min, once; network needed"):
        try:
            _install(platform, installed, tree, log)
        except LabError as error:
            raise LabError(f"the node image cannot be built; everything said is in {log}\n{error}") from None
        _index_repository(tree / "var/lib/heretic-lab/repository")
        _take_kernel(tree, folder)
        _make_disk(tree, raw)
        run(["qemu-img", "convert", "-O", "qcow2", raw, folder / "disk.qcow2"])
        raw.unlink()
        run(["rm", "-rf", "--one-file-system", tree])


def _install(platform: Platform, installed: Collection[str], tree: Path, log: Path) -> None:
    """Install Debian into a folder, with the files and the script of the recipe."""
    offered = [name for name in packages("repository.txt", platform) if name not in installed]
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _NOT_NEEDED]
    options += [
        # Read while the kernel is being installed; all other files come afterwards.
        '--setup-hook=mkdir -p "$1/etc" "$1/usr/share"'
        ' && cp -r "$RECIPE/files/etc/initramfs-tools" "$1/etc/"'
        ' && cp -r "$RECIPE/files/usr/share/initramfs-tools" "$1/usr/share/"',
        f"--customize-hook={RECIPE / 'customize.sh'}",
    ]
    environment = {"RECIPE": str(RECIPE), "REPOSITORY": " ".join(offered)}
    install_debian(platform, tree, (*packages("packages.txt", platform), *installed), log, options, environment)


def install_debian(
    platform: Platform,
    tree: Path,
    wanted: Collection[str],
    log: Path,
    options: Collection[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Installs a Debian with those packages, and what they depend on, into a folder that is not there yet.

    Args:
        platform: Which Debian.
        tree: The folder.
        wanted: The packages.
        log: Where everything said goes.
        options: Further ones of mmdebstrap.
        environment: For the hooks among them.

    Raises:
        LabError: It did not work.
    """
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")  # a Debian for Ubuntu, too
    run(
        [
            *("mmdebstrap", "--mode=root", "--variant=apt", "--architectures=amd64", "--format=directory"),
            f"--include={','.join(wanted)}",
            *options,
            platform.suite,
            tree,
            f"deb [signed-by={keyring}] {_mirror()} {platform.suite} main",
        ],
        env=environment,
        log=log,
        timeout=1800,
    )


def packages(file: str, platform: Platform) -> list[str]:
    """The packages that a list names for a platform: all but those with another platform's name before theirs."""
    lines = [line for line in (RECIPE / file).read_text().splitlines() if line.strip() and not line.startswith("#")]
    named = [(where.strip(), name.strip()) for where, _, name in (line.rpartition(":") for line in lines)]
    return [name for where, name in named if where in ("", platform.name)]


def _index_repository(folder: Path) -> None:
    """Write the Packages file that makes a folder of packages an apt repository."""
    paragraphs = []
    for deb in sorted(folder.glob("*.deb")):
        content = deb.read_bytes()
        paragraphs.append(
            f"{run(['dpkg-deb', '--field', deb]).strip()}\n"
            f"Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    (folder / "Packages").write_text("\n".join(paragraphs))


def _take_kernel(tree: Path, folder: Path) -> None:
    kernels = sorted((tree / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise LabError(f"the node image has {len(kernels)} kernels in /boot, where one was expected")
    version = kernels[0].name.removeprefix("vmlinuz-")
    (folder / "vmlinuz").write_bytes(kernels[0].read_bytes())
    # Uncompressed: the host reads faster than an emulated processor unpacks.
    packed = (tree / f"boot/initrd.img-{version}").read_bytes()
    (folder / "initrd.img").write_bytes(uncompressed(packed))


def _make_disk(tree: Path, raw: Path) -> None:
    """Put the tree on a partitioned disk image, as an installed host has it; no loop device needed."""
    with raw.open("wb") as file:
        file.truncate(DISK_BYTES)
    gpt.write(raw, [_ROOT])
    features = f"offset={_ROOT.start},lazy_itable_init=0,lazy_journal_init=0"
    size = f"{_ROOT.size // 1024}k"
    run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "heretic-root", "-d", tree, "-E", features, raw, size])
