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
    Context,
    Exit,
    Files,
    Format,
    Identity,
    Kubeconfig,
    Namespace,
    NoColor,
    Offline,
    Output,
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
    ctx: typer.Context, kubeconfig: Kubeconfig = None, context: Context = None, namespace: Namespace = None
) -> None:
    ctx.obj = Where(kubeconfig, context, namespace)


@app.command(short_help="Show what would be done next; change nothing.")
def plan(
    ctx: typer.Context,
    files: Files = None,
    identity: Identity = None,
    offline: Offline = False,
    output: Output = Format.TEXT,
    no_color: NoColor = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
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
    output: Output = Format.TEXT,
    no_color: NoColor = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
) -> None:
    """Show the site on one screen, as the operator last reported it.

    Asks the API server only. Exit status: 0 shown, 1 the API server did not answer.
    """
    from heretic.cli.status import run

    _end(run(merge(ctx, kubeconfig, context, namespace), output, watch=watch, no_color=no_color))


@app.command(short_help="Check the health of the site on its hosts; change nothing.")
def verify(
    ctx: typer.Context,
    files: Files = None,
    identity: Identity = None,
    offline: Offline = False,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="CODE", help="Leave out findings of this code; repeatable.")
    ] = None,
    output: Output = Format.TEXT,
    no_color: NoColor = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
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
    no_color: NoColor = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    namespace: Namespace = None,
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
    namespace: Namespace = None,
) -> None:
    """Print manifests of what already runs on hosts, in mode Observe; change nothing.

    Exit status: 0 printed, 1 a host could not be observed.
    """
    from heretic.cli.adopt import Request, run

    where = merge(ctx, None, None, namespace)
    request = Request.parse(host, host_key or (), user=user, port=port, site=site, namespace=where.namespace or "")
    _end(run(request, identity, trust=trust_on_first_use))


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
