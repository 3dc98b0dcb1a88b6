"""The command line: options, commands and how they end. What a command does is in the module of its name.

Those modules are imported when their command runs: kubernetes, asyncssh and rich take seconds to import on a small
machine, and ``heretic --help`` must not wait for them.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import typer

from heretic.cli.options import (
    ContextOption,
    EngineCaOption,
    EngineOption,
    EnginePasswordOption,
    EngineUserOption,
    Exit,
    FilesOption,
    Format,
    IdentityOption,
    KubeconfigOption,
    NamespaceOption,
    NetworkOption,
    NoColorOption,
    OfflineOption,
    OffsetOption,
    OutputOption,
    Overlay,
    Where,
    merge,
)

DEBUG = "HERETIC_DEBUG"
"""Variable that makes a mistake of ours show where it happened."""

app = typer.Typer(
    name="heretic",
    help="Looks after hyperconverged sites that Kubernetes resources declare.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _everywhere(
    ctx: typer.Context,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    ctx.obj = Where(kubeconfig, context, namespace)


@app.command(short_help="Install the operator, and make an SSH key for a site.")
def bootstrap(
    ctx: typer.Context,
    overlay: Annotated[
        Overlay | None, typer.Option("--overlay", metavar="NAME", help="For a kind of cluster: k3s or kind.")
    ] = None,
    upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Bring what is installed and differs to this version, whoever wrote it."),
    ] = False,
    site_only: Annotated[
        bool, typer.Option("--site-only", help="Leave the operator as it is; only let it into the site's namespace.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")] = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Install the operator, let it into a site's namespace, and make an SSH key for the site.

    The line for authorized_keys of the hosts goes to standard output, all else to standard error. An SSH key that is
    there already is kept and never overwritten. What is installed and differs from this version (an operator or CRDs
    of another version, fields that others set) is told and left alone; --upgrade changes it. Exit status: 0 done,
    1 refused.
    """
    from heretic.cli.bootstrap import run

    where = merge(ctx, kubeconfig, context, namespace)
    _end(run(where, overlay, upgrade=upgrade, site_only=site_only, dry_run=dry_run))


@app.command(short_help="Write the folder of a new site, with the hosts that are found.")
def init(
    ctx: typer.Context,
    folder: Annotated[
        str | None, typer.Argument(metavar="[FOLDER]", help="To be written; must not exist (default: the name).")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the site.")] = None,
    address_range: Annotated[
        list[str] | None,
        typer.Option(
            "--address-range",
            metavar="RANGE",
            help="Where to look for hosts: 192.168.1.0/24, 192.168.1.10-20 or one address; repeatable.",
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="ADDRESS", help="An address in it that is no host of the site; repeatable."),
    ] = None,
    single: Annotated[bool, typer.Option("--single", help="One host is meant: its data have no second copy.")] = False,
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Account to log in as (default: root).")
    ] = None,
    port: Annotated[int, typer.Option("--port", metavar="NUMBER", help="TCP port of sshd.", min=1, max=65535)] = 22,
    network: NetworkOption = None,
    offset: OffsetOption = None,
    disk: Annotated[
        list[str] | None,
        typer.Option("--disk", metavar="NODE=ID", help="A disk below /dev/disk/by-id that a node may use; repeatable."),
    ] = None,
    minimum_disk_size: Annotated[
        str, typer.Option("--minimum-disk-size", metavar="SIZE", help="Smaller disks are left alone.")
    ] = "100G",
    volume: Annotated[
        list[str] | None,
        typer.Option(
            "--volume",
            metavar="NAME=PURPOSE:SIZE",
            help="A volume (default: vmstore=VirtualMachines:50Gi); repeatable.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Ask nothing; needs --name and --address-range.")] = False,
    namespace: Annotated[
        str | None,
        typer.Option("-n", "--namespace", metavar="NAME", help="The site's namespace (default: the name)."),
    ] = None,
) -> None:
    """Write the folder of a new site, ready for Git and kubectl apply -k; asks at a terminal for what no option says.

    Looks for SSH servers in a range of addresses and writes their host keys, for you to compare on their consoles. Logs
    in nowhere and asks no cluster. Servers other than OpenSSH, this machine, and a second address of the same host
    are left out. Nothing is overwritten. Fewer than three hosts are refused, but one with --single. Exit status: 0
    written, 1 refused.
    """
    from heretic.cli import wanted
    from heretic.cli.init import run

    asked = wanted.Wanted(
        name=name,
        namespace=merge(ctx, None, None, namespace).namespace,
        folder=folder,
        ranges=tuple(address_range or ()),
        excluded=wanted.excluded(exclude or ()),
        user=user,
        port=port,
        networks=wanted.networks(network) if network else None,
        offsets=wanted.offsets(offset or ()),
        disks=wanted.disks(disk) if disk else None,
        minimum_disk=minimum_disk_size,
        volumes=wanted.volumes(volume) if volume else (),
        single=single,
    )
    _end(run(asked, yes=yes))


@app.command(short_help="Show what would be done next; change nothing.")
def plan(
    ctx: typer.Context,
    files: FilesOption = None,
    identity: IdentityOption = None,
    offline: OfflineOption = False,
    output: OutputOption = Format.TEXT,
    no_color: NoColorOption = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Show what would be done next, with risk and reason; change nothing.

    Looks at the hosts over SSH. Exit status: 0 everything is as declared, 2 there is something to do or to wait
    for, 1 the plan could not be made or is incomplete.
    """
    from heretic.cli.plan import run

    where = merge(ctx, kubeconfig, context, namespace)
    _end(run(where, files or (), identity, output, offline=offline, no_color=no_color))


@app.command(short_help="Show the site on one screen.")
def status(
    ctx: typer.Context,
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Stay and show changes, until interrupted.")] = False,
    output: OutputOption = Format.TEXT,
    no_color: NoColorOption = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Show the site on one screen, as the operator last reported it.

    Asks the API server only. Exit status: 0 shown, 1 the API server did not answer.
    """
    from heretic.cli.status import run

    _end(run(merge(ctx, kubeconfig, context, namespace), output, watch=watch, no_color=no_color))


@app.command(short_help="Check the health of the site on its hosts; change nothing.")
def verify(
    ctx: typer.Context,
    files: FilesOption = None,
    identity: IdentityOption = None,
    offline: OfflineOption = False,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="Leave out findings of this code; repeatable.")
    ] = None,
    output: OutputOption = Format.TEXT,
    no_color: NoColorOption = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Check the health of the site on the hosts themselves; change nothing.

    Each finding has a stable code (docs/reference/verify-codes.md). Exit status: 0 no errors (there may be
    warnings), 1 errors, or the check could not be made.
    """
    from heretic.cli.verify import run

    where = merge(ctx, kubeconfig, context, namespace)
    _end(run(where, files or (), identity, ignore or (), output, offline=offline, no_color=no_color))


@app.command(short_help="Approve a plan that can destroy data.")
def approve(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(metavar="KIND/NAME", help="The object, such as glustervolume/vmstore.")],
    digest: Annotated[
        str, typer.Argument(metavar="[HASH]", help="Hash of the plan; refused when another plan is pending.")
    ] = "",
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask; needs HASH.")] = False,
    no_color: NoColorOption = False,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Approve a plan that can destroy data, after showing it.

    The approval holds for exactly this plan of exactly this object, once. Exit status: 0 approved, 1 refused.
    """
    from heretic.cli.approve import run

    _end(run(merge(ctx, kubeconfig, context, namespace), target, digest, yes=yes, no_color=no_color))


@app.command(short_help="Print manifests of what already runs on hosts.")
def adopt(
    ctx: typer.Context,
    host: Annotated[
        list[str], typer.Option("--host", metavar="NAME=ADDRESS[:PORT]", help="A host and its name here; repeatable.")
    ],
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Account to log in as.")] = "root",
    port: Annotated[int, typer.Option("--port", metavar="NUMBER", help="TCP port of sshd.", min=1, max=65535)] = 22,
    identity: Annotated[
        str | None,
        typer.Option("--identity", metavar="FILE", help="SSH private key (default: the first one in ~/.ssh)."),
    ] = None,
    host_key: Annotated[
        list[str] | None,
        typer.Option("--host-key", metavar="NAME=KEY", help="Public key of a host, as sshd has it; repeatable."),
    ] = None,
    trust_on_first_use: Annotated[
        bool,
        typer.Option("--trust-on-first-use", help="Believe whatever key a host presents now, and pin it."),
    ] = False,
    site: Annotated[str, typer.Option("--site", metavar="NAME", help="Name of the Site.")] = "site",
    engine: EngineOption = None,
    engine_user: EngineUserOption = "admin@internal",
    engine_password_file: EnginePasswordOption = None,
    engine_ca: EngineCaOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Print manifests of what already runs on hosts, in mode Observe; change nothing.

    Exit status: 0 printed, 1 a host or the engine could not be observed.
    """
    from heretic.cli.adopt import EngineLogin, Request, run

    where = merge(ctx, None, None, namespace)
    request = Request.parse(host, host_key or (), user=user, port=port, site=site, namespace=where.namespace or "")
    asked = EngineLogin.parse(engine, engine_user, engine_password_file, engine_ca) if engine else None
    _end(run(request, identity, trust=trust_on_first_use, engine=asked))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    print(f"heretic {installed('heretic')}")


def _end(command: Coroutine[Any, Any, Exit]) -> None:
    raise typer.Exit(asyncio.run(command))


def main() -> None:
    """Entry point of ``heretic`` and ``kubectl heretic``."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs one command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit status; errors are told on standard error in one sentence, never as a traceback.
    """
    from heretic.domain.errors import HereticError

    try:
        ended = app(arguments, prog_name=_program(), standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _refuse(error.format_message())
    except HereticError as error:
        return _refuse(error.failure.message)
    except (KeyboardInterrupt, typer.Abort):
        return _refuse("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.ERROR
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _refuse(f"a mistake of ours: {type(error).__name__}: {error}; {DEBUG}=1 shows where")
    return ended if isinstance(ended, int) else Exit.OK


def _refuse(message: str, status: int = Exit.ERROR) -> int:
    print(f"heretic: {message}", file=sys.stderr)
    return status


def _program() -> str:
    return "kubectl heretic" if os.path.basename(sys.argv[0]) == "kubectl-heretic" else "heretic"
