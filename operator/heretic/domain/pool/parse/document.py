"""The envelope of ``gluster --xml``: read once here, so that no parser can forget to look at opRet."""

from xml.etree import ElementTree

from heretic.api.shorten import one_line
from heretic.domain.commands import Output
from heretic.domain.facts import Absent, Unknown

NOT_INSTALLED = 127
"""Exit status of a program that is not there."""
TIMED_OUT = (124, 137)
"""Exit statuses of a command that ``timeout`` ended, by SIGTERM or by SIGKILL."""
_SAID = 200
"""Characters of what gluster said that a message repeats."""


def parse_document(output: Output, what: str) -> ElementTree.Element | Absent | Unknown:
    """Reads one answer of ``gluster --xml``.

    The exit status does not tell whether the command worked (it may be 0 with opRet -1), so opRet decides; in
    heal answers it stands at the end, so a cut-off answer never has it (rule:gluster-envelope).

    Args:
        output: What the command returned.
        what: The command, for messages.

    Returns:
        The root element of an answer with opRet 0; Absent where gluster is not installed; else Unknown with
        gluster's own words.
    """
    if output.rc in TIMED_OUT:
        return Unknown(f"{what} did not answer in time")
    if output.rc == NOT_INSTALLED:
        return Absent()
    if not output.stdout.strip():
        return Unknown(f"{what} printed nothing: {one_line(output.stderr, _SAID) or f'exit status {output.rc}'}")
    root = _root(output.stdout)
    if root is None:
        said = one_line(output.stderr, _SAID) or one_line(output.stdout, _SAID)
        return Unknown(f"{what} printed something that is not a whole XML document: {said}")
    if root.tag != "cliOutput":
        return Unknown(f"{what} printed <{root.tag}> instead of <cliOutput>")
    code = integer(root, "opRet")
    if code == 0:
        return root
    error = text(root, "opErrstr")
    if code is None:
        return Unknown(f"{what} did not say whether it worked (no opRet)")
    return Unknown(f"{what} failed: {error if error not in ('', '(null)') else f'opRet {code}, no reason given'}")


def text(element: ElementTree.Element, path: str) -> str:
    """The stripped text of a child, "" when there is no such child or it is empty."""
    return (element.findtext(path) or "").strip()


def integer(element: ElementTree.Element, path: str) -> int | None:
    """The text of a child as a number, None when it is absent or not one ("N/A", "-")."""
    try:
        return int(text(element, path))
    except ValueError:
        return None


def _root(document: str) -> ElementTree.Element | None:
    # gluster writes no document type; one could make the parser expand entities without end
    if "<!DOCTYPE" in document or "<!ENTITY" in document:
        return None
    try:
        return ElementTree.fromstring(document)  # noqa: S314 - no document type, hence no entities: see above
    except ElementTree.ParseError:
        return None
