"""What an engine says when it does not do what it was asked → the closed list.

A status alone misleads: wrong credentials are 400, a token that expired is 401 with a page for people, 500 can be the
fault of the request, and 404 can mean that the engine is not up yet. So status and media type count together. Text is
looked at here and nowhere else, and only to tell what passes by itself from what does not.
"""

import json
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

from heretic.domain.errors import Bug, Failure, NeedsUser, Reason, Transient
from heretic.engine.settings import EngineSettings
from heretic.engine.transport import Reply

XML = "application/xml"
"""What is asked for, and what an engine answers with."""
_XML_TOO = frozenset({XML, "text/xml"})
_PAGE = "application/xhtml+xml"
_XML_BEGINS = re.compile(rb"\s*<(?!html|!doctype)", re.IGNORECASE)

_PASSES = re.compile(
    r"currently in progress|try again later|already in progress|is being |tasks? (?:is|are) running"
    r"|wait (?:for )?\d+ seconds|in status (?:Locked|Unassigned|Initializing|Preparing)|status is (?:Locked|Unknown)",
    re.IGNORECASE,
)
_SYNTAX = re.compile(r"syntactically incorrect|Input validation failed|Incomplete parameters")
_MOST = 400


def is_xml(reply: Reply) -> bool:
    """Whether an answer is one of the API; a page for people is not. Who does not say what it is, is looked at."""
    named = reply.media in _XML_TOO or (reply.media.endswith("+xml") and reply.media != _PAGE)
    return named or (not reply.media and _XML_BEGINS.match(reply.body) is not None)


def login_refused(settings: EngineSettings, reply: Reply) -> Failure:
    """Why no token was given.

    Of an engine, every refusal is 400 with one of two pairs of keys, by the scope that was asked for. Another
    authorization server answers with the words and the status of RFC 6749 (5.2), and one in front of it with a page.
    """
    if 300 <= reply.status < 400:
        return sent_elsewhere(settings, reply, "its login")
    code, why = _login_error(reply)
    if code in _NOT_LET_IN or reply.status in (401, 403):
        told = f": {_brief(why or code)}" if why or code else f" (HTTP {reply.status})"
        return NeedsUser(Reason.ENGINE_LOGIN_REFUSED, f"{settings}: user {settings.user!r} is not let in{told}")
    if not code or reply.status >= 500 or code in _LATER:
        return _page(settings, reply, "its login")
    return Bug(f"{settings}: its login does not take our request: {code}: {_brief(why)}")


_NOT_LET_IN = frozenset({"access_denied", "invalid_grant", "invalid_client", "unauthorized_client"})
_LATER = frozenset({"server_error", "temporarily_unavailable"})


def _login_error(reply: Reply) -> tuple[str, str]:
    """The word for what is wrong, and what is said of it; both empty where neither is told."""
    try:
        told = json.loads(reply.body)
        code = told.get("error_code") or told.get("error")
        why = told.get("error") if "error_code" in told else told.get("error_description")
    except (ValueError, AttributeError):
        return "", ""
    return (code if isinstance(code, str) else ""), str(why or "")


def not_let_in(settings: EngineSettings) -> Failure:
    """A token that was given a moment ago is not accepted."""
    message = f"{settings}: user {settings.user!r} is let in, and the API does not accept the session that it gave"
    return NeedsUser(Reason.ENGINE_LOGIN_REFUSED, message)


def sent_elsewhere(settings: EngineSettings, reply: Reply, doing: str) -> Failure:
    """A redirect is not followed: neither password nor session go to anybody but the declared engine."""
    try:
        there = urlsplit(reply.location)
    except ValueError:
        there = urlsplit("")
    where = f" to {there.scheme or 'https'}://{there.netloc}{there.path}" if there.netloc else f" to {there.path}"
    message = f"{settings}: {doing}: it sends us {_brief(where)} (HTTP {reply.status}); declare its own name and port"
    return NeedsUser(Reason.INVALID_SPEC, message)


def refused(settings: EngineSettings, reply: Reply, doing: str, *, writing: bool) -> Failure:
    """Why an answer of the API is not what was asked for.

    Args:
        settings: Of the engine.
        reply: With a status other than 2xx and 401, or of an action that failed.
        doing: What was asked, for the message.
        writing: Whether something was to be changed.
    """
    reason, detail = _fault(reply)
    said = f"{settings}: {doing}: {_brief(detail or reason)}"
    match reply.status:
        case 403:
            return NeedsUser(Reason.ENGINE_FORBIDS, f"{settings}: {doing}: user {settings.user!r} may not do this")
        case 404 if reply.media == "text/html":
            # RESTEasy names a path that no engine has; any other page is the web server's, before the engine is up.
            if b"RESTEASY" in reply.body:
                return Bug(f"{settings}: {doing}: the engine knows no such path")
            return _page(settings, reply, doing)
        case 404:
            return Transient(
                Reason.ENGINE_OBJECT_GONE, said if detail else f"{settings}: {doing}: it is not there (any more)"
            )
        case 200 | 201 | 202 | 409 if _PASSES.search(detail):
            return Transient(Reason.ENGINE_BUSY, said)
        case 200 | 201 | 202 | 409:
            return NeedsUser(Reason.ENGINE_REFUSES, said)
        case 400 if _SYNTAX.search(reason) or not reason:
            return Bug(f"{said} (HTTP 400)")
        case 400 if _PASSES.search(detail):
            return Transient(Reason.ENGINE_BUSY, said)
        case 400:
            return NeedsUser(Reason.ENGINE_REFUSES, said)
        case 405 | 406 | 415:
            return Bug(f"{settings}: {doing}: the engine does not take this (HTTP {reply.status})")
        case 500 if is_xml(reply) or (writing and b"<html" not in reply.body[:200].lower()):
            return Transient(Reason.ENGINE_FAILED, f"{said} (HTTP 500)")
    return _page(settings, reply, doing)


def failed_action(reply: Reply) -> bool:
    """Whether a success carries a fault: the request was taken, and the action in it failed."""
    if not is_xml(reply) or not (b"<fault" in reply.body or b"failed</status>" in reply.body):
        return False
    return _fault(reply) != ("", "")


def _fault(reply: Reply) -> tuple[str, str]:
    """The reason and the detail of a fault, also of one in an action; both empty where there is none."""
    if reply.media.endswith("json"):
        return _json_fault(reply.body)
    if is_xml(reply):
        try:
            root = ElementTree.fromstring(reply.body.lstrip())  # noqa: S314 - from a server whose certificate is pinned; its size is limited
        except ElementTree.ParseError:
            return "", ""
        fault = root if root.tag == "fault" else root.find("fault")
        if fault is None:
            failed = root.tag == "action" and (root.findtext("status") or "").strip() == "failed"
            return "", "the action failed, and it does not say why" if failed else ""
        return (fault.findtext("reason") or "").strip(), (fault.findtext("detail") or "").strip().strip("[]")
    text = reply.body.decode("utf-8", "replace")
    return "", "" if "<" in text else text


def _json_fault(body: bytes) -> tuple[str, str]:
    """The same from JSON, which an engine answers to nobody who asks for XML, and a proxy in front of it may."""
    try:
        told = json.loads(body)
        told = told.get("fault", told)
        return str(told.get("reason") or "").strip(), str(told.get("detail") or "").strip().strip("[]")
    except (ValueError, AttributeError):
        return "", ""


def _page(settings: EngineSettings, reply: Reply, doing: str) -> Failure:
    """A page for people, or nothing: the web server answers, the engine behind it does not."""
    what = f"HTTP {reply.status}" + (f" and a page ({reply.media})" if reply.body else "")
    return Transient(Reason.ENGINE_NOT_ANSWERING, f"{settings}: {doing}: it answers with {what}; it may be starting")


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"
