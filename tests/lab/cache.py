"""Where the lab keeps what is slow to make: binaries and disk images, shared by every run on this machine."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path


def cache_dir() -> Path:
    """The folder of things worth keeping: $HERETIC_CACHE, /var/cache/heretic for root, or ~/.cache/heretic."""
    chosen = os.environ.get("HERETIC_CACHE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/cache/heretic")
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "heretic"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, made if missing. It goes away with the process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """The cached folder of that name, filled first where it is missing.

    `fill` gets an empty folder beside the final place, which is renamed once it returns: an interrupted fill
    leaves nothing that a later run could take for the real thing. Two processes never fill the same folder at
    once.
    """
    folder = cache_dir() / name
    if folder.is_dir():
        return folder
    with locked(folder.with_name(f".{folder.name}.lock")):
        if folder.is_dir():
            return folder
        for stale in folder.parent.glob(f".{folder.name}.part-*"):
            shutil.rmtree(stale)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.part-", dir=folder.parent))
        try:
            fill(part)
            part.chmod(0o755)  # mkdtemp's 0700 would hide it from the other users of a shared cache
            part.rename(folder)
        except BaseException:  # on Ctrl-C too: nothing half-filled stays behind
            shutil.rmtree(part, ignore_errors=True)
            raise
    return folder
