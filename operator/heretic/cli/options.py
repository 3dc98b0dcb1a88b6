"""What every command takes: which cluster, which namespace, which output; and how commands end."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command writes its answer."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"


class Overlay(StrEnum):
    """What kind of cluster the operator is installed into."""

    K3S = "k3s"
    KIND = "kind"


class Exit(IntEnum):
    """How a command ends (docs/reference/cli.md)."""

    OK = 0
    ERROR = 1
    TO_DO = 2


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster and namespace a command works with; None = as the kubeconfig says.

    Attributes:
        kubeconfig: Path of a kubeconfig file.
        context: Name of a context in it.
        namespace: The site's namespace.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None


def merge(ctx: typer.Context, kubeconfig: str | None, context: str | None, namespace: str | None) -> Where:
    """The options given before the command's name, overruled by those given after it."""
    before = ctx.obj if isinstance(ctx.obj, Where) else Where()
    return Where(
        kubeconfig if kubeconfig is not None else before.kubeconfig,
        context if context is not None else before.context,
        namespace if namespace is not None else before.namespace,
    )


KubeconfigOption = Annotated[
    str | None,
    typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig file (default: $KUBECONFIG, else ~/.kube/config)."),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig (default: the current one).")
]
NamespaceOption = Annotated[
    str | None,
    typer.Option("-n", "--namespace", metavar="NAME", help="The site's namespace (default: that of the context)."),
]
OutputOption = Annotated[
    Format, typer.Option("-o", "--output", metavar="FORMAT", help="text, json or yaml.", show_default=True)
]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colours, as with the variable NO_COLOR.")]
FilesOption = Annotated[
    list[str] | None,
    typer.Option(
        "-f",
        "--filename",
        metavar="FILE|DIR",
        help="Manifests: a file, a folder, a kustomization, or - for standard input; repeatable. "
        "They are laid over the cluster's objects, if there is a cluster.",
    ),
]
IdentityOption = Annotated[
    str | None,
    typer.Option(
        "--identity", metavar="FILE", help="SSH private key for all hosts, instead of the Secret that the Site names."
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="With -f: do not ask any cluster; automatic choices are made afresh.")
]

EngineOption = Annotated[
    str | None,
    typer.Option("--engine", metavar="FQDN[:PORT][=ADDRESS]", help="The oVirt engine that the hosts belong to."),
]
EngineUserOption = Annotated[str, typer.Option("--engine-user", metavar="NAME", help="Who logs in to the engine.")]
EnginePasswordOption = Annotated[
    str | None, typer.Option("--engine-password-file", metavar="FILE", help="File with the password.")
]
EngineCaOption = Annotated[
    str | None, typer.Option("--engine-ca", metavar="FILE", help="The engine's /etc/pki/ovirt-engine/ca.pem.")
]

NetworkOption = Annotated[
    list[str] | None,
    typer.Option(
        "--network",
        metavar="ROLE=SUBNET",
        help="A network: gluster=10.0.0.0/24, or lan=10.0.1.0/24,fd00:1::/64 with IPv6; repeatable.",
    ),
]

OffsetOption = Annotated[
    list[str] | None,
    typer.Option("--offset", metavar="WHAT=NUMBER", help="First number of nodes, engine, shares or bmcs; repeatable."),
]
