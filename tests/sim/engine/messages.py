"""Requests, responses, and the ways in which the engine refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

XML = "application/xml;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
JSON = "application/json"


@dataclass(frozen=True)
class HttpRequest:
    """What a client asks.

    Attributes:
        method: In capitals.
        path: Decoded, without the query.
        query: Parameters; of those that are given twice, the last.
        headers: Names in lower case.
        body: As it came.
        base: Where the client reached the engine, such as `https://engine.example.test`.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = "https://localhost"


@dataclass(frozen=True)
class HttpResponse:
    """What it is answered."""

    status: int
    content_type: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class NotToldError(Exception):
    """The simulator was not told what the engine answers here. The request is noted, and answered with 501."""


class EngineError(Exception):
    """The engine does not do what it is asked."""

    status = 500

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


class BareError(EngineError):
    """A status and nothing else."""


class PlainError(EngineError):
    """A status and a line of text, which the engine calls HTML."""


class PageError(EngineError):
    """The error page of a servlet, where the API has no answer of its own."""


class FaultError(EngineError):
    """A fault of the API: a reason and a detail."""

    def __init__(self, status: int, detail: str, reason: str = "Operation Failed") -> None:
        super().__init__(status, detail)
        self.detail = detail
        self.reason = reason


def conflict(text: str) -> FaultError:
    """The present state forbids it."""
    return FaultError(409, f"[{text}]")


def invalid(text: str) -> FaultError:
    """The values cannot be right in any state."""
    return FaultError(400, f"[{text}]")


def busy() -> FaultError:
    """Something else is done to it just now."""
    return conflict("Related operation is currently in progress. Please try again later.")


def mandatory(text: str) -> FaultError:
    """A value is missing that the API's model demands."""
    return FaultError(400, text, "Input validation failed.")


def incomplete(kind: str, names: str, method: str = "add") -> FaultError:
    """A value is missing that the resource demands."""
    return FaultError(400, f"{kind} [{names}] required for {method}", "Incomplete parameters")


def error_page(text: str) -> bytes:
    """The short page of the engine's web server."""
    return f"<html><head><title>Error</title></head><body>{text}</body></html>".encode()


def servlet_page(path: str, query: str, trace: str) -> bytes:
    """The long page of a servlet that failed. Recordings cut the stack trace; here it is one line."""
    shown = (
        ("Context Path", "/ovirt-engine/api"),
        ("Servlet Path", "/v4"),
        ("Path Info", path),
        ("Query String", query),
    )
    rows = "<br/>".join(
        f'<div class="label">{name}:</div><div class="value">{escape(value, quote=False)}</div>'
        for name, value in shown
    )
    return (
        "<html><head><title>ERROR</title></head><body>"
        '<div class="header"><div class="error-div"></div>'
        '<div class="error-text-div">Error processing request</div></div>'
        f'{rows}<br/><div class="label">Stack Trace:</div><div class="value"></div><br/>'
        f"<pre>{escape(trace, quote=False)}</pre></body></html>"
    ).encode()
