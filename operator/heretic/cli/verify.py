"""``heretic verify``: a read-only health check of a site on its hosts, with stable codes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heretic.cli import render
from heretic.cli.checks import Finding, check
from heretic.cli.codes import CODES, Severity
from heretic.cli.declared import declared
from heretic.cli.errors import fail
from heretic.cli.observe import SiteSight, see
from heretic.cli.options import Exit, Format, Where

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {Severity.ERROR: render.BAD, Severity.WARNING: render.PENDING}


async def run(
    where: Where,
    files: Sequence[str],
    identity: str | None,
    ignored: Sequence[str],
    output: Format,
    *,
    offline: bool,
    no_color: bool,
) -> Exit:
    """Observes, checks and prints.

    Args:
        where: Which cluster and namespace.
        files: Manifests; empty = the objects of the namespace.
        identity: Private key file for all hosts.
        ignored: Codes to leave out.
        output: Text, or data.
        offline: Whether to leave the cluster alone.
        no_color: Whether the user wants no colours.

    Returns:
        ERROR when there is an error among the findings.

    Raises:
        HereticError: A code does not exist, or the objects could not be read.
    """
    unknown = [code for code in ignored if code not in CODES]
    if unknown:
        raise fail(f"there is no code {', '.join(unknown)}; docs/reference/verify-codes.md lists them")
    async with declared(where, files, identity, offline=offline) as source:
        for said in source.notes:
            render.note(said)
        sights = await see(source)
    findings = [f for sight in sights for f in check(sight) if f.code.id not in ignored]
    if output is Format.TEXT:
        show(render.console(no_color=no_color), sights, findings, ignored)
    else:
        render.write_data([as_data(finding) for finding in findings], output)
    return Exit.ERROR if any(f.code.severity is Severity.ERROR for f in findings) else Exit.OK


def show(console: "Console", sights: Sequence[SiteSight], findings: Sequence[Finding], ignored: Sequence[str]) -> None:
    """Prints the findings and one closing sentence."""
    for finding in findings:
        severity = (f"{finding.code.severity.value:<8}", STYLES[finding.code.severity])
        head = f"{finding.object}: {finding.code.title}"
        line = render.styled((finding.code.id, render.HEAD), "  ", severity, (head, render.HEAD))
        for text, indent in ((line, 0), (finding.message, 4), (render.styled((finding.code.advice, render.DIM)), 4)):
            console.print(*render.paragraph(console, text, indent), sep="\n")
        console.print()
    console.print(*render.paragraph(console, _summary(sights, findings, ignored)), sep="\n")


def _summary(sights: Sequence[SiteSight], findings: Sequence[Finding], ignored: Sequence[str]) -> str:
    hosts = sum(len(sight.hosts) for sight in sights)
    seen = hosts - sum(len(sight.unseen) for sight in sights)
    objects = render.count(sum(len(sight.objects) for sight in sights), "object")
    errors = sum(1 for f in findings if f.code.severity is Severity.ERROR)
    counts = f"{render.count(errors, 'error')}, {render.count(len(findings) - errors, 'warning')}"
    left_out = f" Left out: {', '.join(ignored)}." if ignored else ""
    return f"{counts}. Checked {objects} on {seen} of {render.count(hosts, 'host')}; nothing was changed.{left_out}"


def as_data(finding: Finding) -> dict[str, object]:
    """The same for programs."""
    return {
        "code": finding.code.id,
        "severity": finding.code.severity.value,
        "namespace": finding.namespace,
        "object": finding.object,
        "title": finding.code.title,
        "message": finding.message,
        "advice": finding.code.advice,
    }
