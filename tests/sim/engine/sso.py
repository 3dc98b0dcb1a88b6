"""Logging in: tokens, their end, and what the engine says when it does not know somebody."""

import json
from base64 import b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_bytes
from urllib.parse import parse_qsl

from sim.engine.messages import HTML, JSON, HttpRequest, HttpResponse, NotToldError, error_page

SCOPE = "ovirt-app-api"
_EXTENSIONS = (
    "ovirt-ext=token-info:authz-search ovirt-ext=token-info:public-authz-search "
    "ovirt-ext=token-info:validate ovirt-ext=token:password-access"
)
_NO_LOGIN = "Unable to log in. Verify your login information or contact the system administrator.."
_NO_PROFILE = "No valid profile found in credentials.."
_EXPIRED = "invalid_grant: The provided authorization grant for the auth code has expired."
_UNKNOWN_GRANT = "The authorization grant type is not supported by the authorization server."


class NoEntryError(Exception):
    """Somebody is not let into the API. The text is for the page."""


class _RefusedError(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass
class _Session:
    user: str
    used: datetime


@dataclass
class Sso:
    """Users and sessions.

    Attributes:
        now: Asked for the time.
        passwords: Of each user of the profile `internal`.
        idle_limit: A session that was not used for so long is over.
        logins: Tokens that were given out.
        told: Called with what becomes of logins: `in`, `out` or `failed`, and the name of the user.
    """

    now: Callable[[], datetime]
    passwords: dict[str, str] = field(default_factory=lambda: {"admin": "secret"})
    idle_limit: timedelta = timedelta(minutes=30)
    logins: int = 0
    told: Callable[[str, str], None] = lambda what, user: None
    _sessions: "dict[str, _Session]" = field(default_factory=dict)

    def end_sessions(self) -> None:
        """All tokens are worth nothing from now on, as after a restart."""
        self._sessions.clear()

    def token(self, request: HttpRequest) -> HttpResponse:
        """POST /ovirt-engine/sso/oauth/token."""
        form = _form(request)
        try:
            given = self._grant(form)
        except _RefusedError as refused:
            # Two dialects: the API's scope has the keys the wrong way round.
            if form.get("scope") == SCOPE:
                return _json(400, {"error_code": refused.code, "error": refused.text})
            return _json(400, {"error_description": refused.text, "error": refused.code})
        scope = form.get("scope", "")
        return _json(
            200,
            {
                "access_token": given,
                "scope": f"{scope} {_EXTENSIONS}" if scope == SCOPE else scope,
                "exp": str(2**63 - 1),
                "token_type": "bearer",
            },
        )

    def revoke(self, request: HttpRequest) -> HttpResponse:
        """POST /ovirt-engine/services/sso-logout."""
        token = _form(request).get("token")
        if not token:
            raise NotToldError("a logout without a token")
        if session := self._sessions.pop(token, None):
            self.told("out", f"{session.user}-authz")
        return HttpResponse(200, JSON, b"{ }")

    def user_of(self, request: HttpRequest) -> str:
        """Who makes a request of the API.

        Raises:
            NoEntryError: Nobody whom the engine knows.
        """
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind == "Bearer":
            session = self._sessions.get(value)
            if session is None or self.now() - session.used > self.idle_limit:
                raise NoEntryError(_EXPIRED)
            session.used = self.now()
            return f"{session.user}-authz"
        if kind == "Basic":
            try:
                user, _, password = b64decode(value, validate=True).decode().partition(":")
                self._check(user, password)
            except (Base64Error, UnicodeDecodeError) as error:
                raise NotToldError("basic authentication that is not base64") from error
            except _RefusedError as refused:
                raise NoEntryError(f"{refused.code}: {refused.text}") from None
            return f"{user}-authz"
        raise NoEntryError("Unauthorized")

    def _grant(self, form: Mapping[str, str]) -> str:
        if form.get("grant_type") != "password":
            raise _RefusedError("unsupported_grant_type", _UNKNOWN_GRANT)
        for name in ("username", "password"):
            if name not in form:
                raise _RefusedError("invalid_request", f"Missing parameter: '{name}'")
        self._check(form["username"], form["password"])
        token = urlsafe_b64encode(token_bytes(64)).decode().rstrip("=")
        self._sessions[token] = _Session(form["username"], self.now())
        self.logins += 1
        self.told("in", f"{form['username']}-authz")
        return token

    def _check(self, username: str, password: str) -> None:
        user, at, profile = username.rpartition("@")
        if not at:
            raise _denied(f"{username}@N/A", _NO_PROFILE)
        if profile != "internal":
            raise _denied(username, _NO_PROFILE)
        if self.passwords.get(user) != password:
            self.told("failed", username)
            raise _denied(username, _NO_LOGIN)


def no_entry(text: str) -> HttpResponse:
    """401: a page, not a fault."""
    return HttpResponse(401, HTML, error_page(text), {"WWW-Authenticate": 'Basic realm="RESTAPI"'})


def _denied(user: str, why: str) -> _RefusedError:
    return _RefusedError("access_denied", f"Cannot authenticate user '{user}': {why}")


def _form(request: HttpRequest) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True)) | dict(request.query)


def _json(status: int, value: object) -> HttpResponse:
    return HttpResponse(status, JSON, json.dumps(value, separators=(",", ":")).encode())
