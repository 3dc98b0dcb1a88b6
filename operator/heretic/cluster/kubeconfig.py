"""Kubeconfig files: which ones count, and what is wrong with them, each in a sentence that says what to do.

The client library reads them too, and says only that a key is missing, or fails with a mistake of its own.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from heretic.domain.errors import HereticError, NeedsUser, Reason

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The files merged as kubectl merges them: where a name stands twice, the first entry counts.

    Attributes:
        paths: The files that are there, in order.
        current: Name of the current context; empty where none is named.
        contexts: By name.
        clusters: By name.
        users: By name.
    """

    paths: tuple[Path, ...]
    current: str
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]

    @property
    def said(self) -> str:
        """How messages name it."""
        return f"the kubeconfig {os.pathsep.join(map(str, self.paths))}"

    def name_of(self, context: str | None) -> str:
        """The name of the context to use: the one that the user names, else the current one.

        Raises:
            HereticError: NeedsUser, when it is not there.
        """
        if not self.contexts:
            raise wrong(f"{self.said} has no context: give the right file, or copy it anew from the cluster")
        names = ", ".join(sorted(self.contexts))
        wanted = context or self.current
        if not wanted:
            raise wrong(f"{self.said} has no current context: choose with kubectl config use-context one of {names}")
        if wanted not in self.contexts:
            which = "" if context else "current "
            raise wrong(f"{self.said} has no {which}context {wanted!r}; it has {names}")
        return wanted

    def user_of(self, context: str) -> Entry:
        """Whom a context logs in as; empty where it names nobody."""
        return self.users.get(str(self.contexts[context].get("user")), {})

    def choose(self, context: str | None) -> str:
        """The same as ``name_of``, after a look at all that the context needs.

        Raises:
            HereticError: NeedsUser, when it is not there or names what is not there.
        """
        wanted = self.name_of(context)
        said = f"context {wanted!r} of {self.said}"
        cluster, user = self.contexts[wanted].get("cluster"), self.contexts[wanted].get("user")
        if str(cluster) not in self.clusters:
            raise wrong(f"{said} names the cluster {cluster!r}: it is not there")
        if user and str(user) not in self.users:
            raise wrong(f"{said} names the user {user!r}: it is not there")
        server, proxy = (self.clusters[str(cluster)].get(key) for key in ("server", "proxy-url"))
        if not _is_address(server):
            raise wrong(f"cluster {cluster!r} of {self.said} has no server: give it an https:// address")
        if proxy and not _is_address(proxy):
            raise wrong(f"the proxy-url of cluster {cluster!r} of {self.said} must be an http:// address")
        if not user and str(server).startswith("https://"):
            raise wrong(f"{said} names no user: copy it anew from the cluster, with its user")
        if not isinstance(self.user_of(wanted).get("exec"), Mapping | None):
            raise wrong(f"the exec of user {user!r} of {self.said} is no plugin: it needs a command")
        return wanted


def _is_address(value: object) -> bool:
    try:
        parts = urlsplit(str(value or ""))
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def wrong(message: str) -> HereticError:
    """The error for a configuration that gives no API server."""
    return HereticError(NeedsUser(Reason.API_SERVER, message))


def paths(path: str | None) -> tuple[Path, ...]:
    """The files that count: the one that is named, else those of $KUBECONFIG, else the user's default file."""
    if path is not None:
        return (Path(path).expanduser(),)
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(Path(part).expanduser() for part in named) or (Path.home() / ".kube" / "config",)


def read(files: Sequence[Path]) -> Kubeconfig:
    """Reads the files; those that are missing do not count.

    Raises:
        HereticError: NeedsUser, when one that is there cannot be read or is no kubeconfig.
    """
    present = tuple(path for path in files if path.exists())
    parts = [_read(path) for path in present]
    current = next((str(file["current-context"]) for file in parts if file.get("current-context")), "")
    entries = [_entries(parts, present, section) for section in ("context", "cluster", "user")]
    return Kubeconfig(present, current, *entries)


def _read(path: Path) -> Entry:
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise wrong(f"the kubeconfig {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        said = " ".join(str(error).split())
        raise wrong(f"the kubeconfig {path} cannot be read, because it is not YAML: {said}") from None
    if not isinstance(content, Mapping):
        raise wrong(f"{path} is not a kubeconfig: it has no clusters, contexts and users")
    return content


def _entries(parts: Sequence[Entry], files: Sequence[Path], section: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for part, path in zip(parts, files, strict=True):
        listed = part.get(f"{section}s") or []
        if not isinstance(listed, list):
            raise wrong(f"{path} is not a kubeconfig: its {section}s are not a list")
        for entry in listed:
            inner = entry.get(section) if isinstance(entry, Mapping) else None
            if not isinstance(entry, Mapping) or "name" not in entry or not isinstance(inner, Mapping):
                raise wrong(f"{path} is not a kubeconfig: each of its {section}s needs a name and a {section}")
            found.setdefault(str(entry["name"]), inner)
    return found
