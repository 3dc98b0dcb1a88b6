"""The little that commands need of a kubeconfig themselves: whether there is one, and its namespace."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from heretic.cli.errors import fail

IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
FALLBACK = "default"


def is_configured(kubeconfig: str | None) -> bool:
    """Whether there is a cluster to ask: a kubeconfig file, or the service account of a pod."""
    return kubeconfig is not None or IN_POD.exists() or any(path.exists() for path in _paths(None))


def namespace_of(kubeconfig: str | None, context: str | None) -> str:
    """The namespace that kubectl would use.

    Args:
        kubeconfig: Path of a kubeconfig file; None = $KUBECONFIG (which may list several), else the user's default.
        context: Name of a context; None = the current one.

    Returns:
        The context's namespace; in a pod that of the pod; else "default".

    Raises:
        HereticError: The file is not a kubeconfig, or there is no such context.
    """
    files = [_read(path) for path in _paths(kubeconfig) if path.exists()]
    wanted = context or next((str(f["current-context"]) for f in files if f.get("current-context")), "")
    for entry in (c for f in files for c in f.get("contexts") or [] if isinstance(c, Mapping)):
        if entry.get("name") == wanted:
            return str((entry.get("context") or {}).get("namespace") or FALLBACK)
    if context is not None:
        names = sorted(str(c.get("name")) for f in files for c in f.get("contexts") or [])
        raise fail(f"the kubeconfig has no context {context!r}; it has {', '.join(names) or 'none'}")
    return IN_POD.read_text().strip() if not files and IN_POD.exists() else FALLBACK


def _paths(kubeconfig: str | None) -> list[Path]:
    if kubeconfig is not None:
        return [Path(kubeconfig)]
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part).expanduser() for part in named] or [Path.home() / ".kube" / "config"]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise fail(f"the kubeconfig {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(content, Mapping):
        raise fail(f"{path} is not a kubeconfig")
    return content
