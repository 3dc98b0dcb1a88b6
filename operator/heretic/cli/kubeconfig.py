"""What commands need of a kubeconfig themselves: whether there is one, and its namespace."""

from pathlib import Path

from heretic.cluster import kubeconfig

IN_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
FALLBACK = "default"


def is_configured(path: str | None) -> bool:
    """Whether there is a cluster to ask: a kubeconfig file, or the service account of a pod."""
    return path is not None or IN_POD.exists() or any(file.exists() for file in kubeconfig.paths(None))


def namespace_of(path: str | None, context: str | None) -> str:
    """The namespace that kubectl would use.

    Args:
        path: Of a kubeconfig; None = $KUBECONFIG (which may list several), else the user's default.
        context: Name of a context; None = the current one.

    Returns:
        The context's namespace; in a pod that of the pod; else "default".

    Raises:
        HereticError: The file is not a kubeconfig, or there is no such context.
    """
    found = kubeconfig.read(kubeconfig.paths(path))
    if context is not None:
        found.name_of(context)
    chosen = found.contexts.get(context or found.current)
    if chosen is not None:
        return str(chosen.get("namespace") or FALLBACK)
    return IN_POD.read_text().strip() if not found.paths and IN_POD.exists() else FALLBACK
