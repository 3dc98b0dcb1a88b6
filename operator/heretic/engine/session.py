"""One session with one engine: logged in once, and once again where the engine forgot it."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from heretic.domain.errors import Failure, HereticError, Reason, Transient
from heretic.engine.errors import XML, failed_action, is_xml, login_refused, not_let_in, refused, sent_elsewhere
from heretic.engine.settings import EngineSettings
from heretic.engine.transport import Reply, Transport, trust_of

LOGIN_SECONDS = 20.0
"""For the token. Behind it may stand a directory service that is slow."""

KEY_SECONDS = 10.0
"""For the public key, which is a file."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class BarredError(HereticError):
    """A request was not sent, because it may not be any more."""


@dataclass(slots=True)
class EngineTraffic:
    """What a session costs.

    Attributes:
        requests: To the API.
        logins: That gave a token.
    """

    requests: int = 0
    logins: int = 0


class EngineSession:
    """Requests to the API of one engine, one after another or side by side.

    Args:
        settings: Of the engine; with its authority.
        traffic: Counts.

    Raises:
        HereticError: NeedsUser; the authority is not usable.
    """

    def __init__(self, settings: EngineSettings, traffic: EngineTraffic) -> None:
        self.settings = settings
        self._traffic = traffic
        self._http = Transport(settings, trust_of(settings))
        self._token = ""
        self._login = asyncio.Lock()
        self._ssh_key = ""

    async def request(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        seconds: float,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        barred: Callable[[], Failure | None] = lambda: None,
    ) -> Reply:
        """Sends one request to the API and gives its answer when that is a success.

        A request that was refused with 401 was not looked at by the engine: it is sent again after a new login, once.

        Args:
            method: Of HTTP.
            path: Below the API's root.
            doing: What is asked, for messages.
            seconds: For this request alone, without a login.
            query: Parameters.
            body: XML.
            barred: Asked in the moment in which it is sent, also for the second time: why it may not be.

        Raises:
            BarredError: It was not sent.
            HereticError: No success. Where it is EngineNotAnswering, nobody knows what became of a change.
        """

        async def send(not_with: str) -> tuple[str, Reply]:
            token = await self._logged_in(not_with=not_with)
            if (why := barred()) is not None:
                raise BarredError(why)
            return token, await self._send(token, method, path, seconds, query, body)

        token, reply = await send(not_with="")
        if _not_logged_in(reply):
            _, reply = await send(not_with=token)
        if _not_logged_in(reply):
            raise HereticError(not_let_in(self.settings))
        if 300 <= reply.status < 400:
            raise HereticError(sent_elsewhere(self.settings, reply, doing))
        if not 200 <= reply.status < 300 or failed_action(reply):
            raise HereticError(refused(self.settings, reply, doing, writing=method != "GET"))
        if method != "GET" and not reply.body.strip():
            return reply  # what came of it, the done-conditions say
        if not is_xml(reply):
            message = f"{self.settings}: {doing}: it answers with {reply.media or 'nothing'} in place of XML"
            raise HereticError(Transient(Reason.ENGINE_NOT_ANSWERING, message))
        return reply

    async def ssh_key(self) -> str:
        """The public key with which the engine comes to hosts, as it wrote it; asked for once.

        Raises:
            HereticError: It does not tell.
        """
        if not self._ssh_key:
            query = {"resource": "engine-certificate", "format": "OPENSSH-PUBKEY"}
            reply = await self._http.send("GET", "services/pki-resource", seconds=KEY_SECONDS, query=query)
            if reply.status != 200:
                message = f"{self.settings}: its SSH key: it answers with HTTP {reply.status}"
                raise HereticError(Transient(Reason.ENGINE_NOT_ANSWERING, message))
            self._ssh_key = reply.body.decode("utf-8", "replace")
        return self._ssh_key

    @property
    def certificate_until(self) -> datetime | None:
        """When the engine's certificate runs out; None before it showed one."""
        return self._http.certificate_until

    async def close(self) -> None:
        """Ends the session in the engine too, where that takes no time."""
        if self._token:
            try:
                form = _form({"scope": "", "token": self._token})
                await self._http.send("POST", "services/sso-logout", seconds=3, headers=_FORM, body=form)
            except HereticError:
                pass  # the engine forgets it by itself after half an hour
        await self._http.close()

    async def _send(
        self, token: str, method: str, path: str, seconds: float, query: Mapping[str, str] | None, body: bytes | None
    ) -> Reply:
        self._traffic.requests += 1
        headers = {"Authorization": f"Bearer {token}", "Version": "4", "Accept": XML}
        if body is not None:
            headers["Content-Type"] = XML
        where = f"api/{path}" if path else "api"
        return await self._http.send(method, where, seconds=seconds, query=query, headers=headers, body=body)

    async def _logged_in(self, *, not_with: str) -> str:
        """A token other than one that the engine forgot. Who comes while another one logs in takes that one's token."""
        async with self._login:
            if not self._token or self._token == not_with:
                self._token = ""
                self._token = await self._new_token()
            return self._token

    async def _new_token(self) -> str:
        who = {"username": self.settings.user, "password": self.settings.password}
        form = _form({"grant_type": "password", "scope": "ovirt-app-api", **who})
        try:
            reply = await self._http.send("POST", "sso/oauth/token", seconds=LOGIN_SECONDS, headers=_FORM, body=form)
        except HereticError as error:
            if error.failure.reason is Reason.ENGINE_NOT_ANSWERING:
                # A login changes nothing, so nobody has to wonder what became of the request behind it.
                raise HereticError(Transient(Reason.ENGINE_UNREACHABLE, error.failure.message)) from None
            raise
        token = _token_in(reply) if reply.status == 200 else ""
        if not token:
            raise HereticError(login_refused(self.settings, reply))
        self._traffic.logins += 1
        return token


_LOGIN_PAGE = re.compile(r"/(?:sso|login|auth|oauth2?|openid[\w-]*|realms)\b", re.IGNORECASE)


def _not_logged_in(reply: Reply) -> bool:
    """Whether the session is not accepted: a proxy with a login of its own sends us there in place of 401."""
    to_login = 300 <= reply.status < 400 and _LOGIN_PAGE.search(reply.location.partition("?")[0])
    return reply.status == 401 or bool(to_login)


def _form(fields: Mapping[str, str]) -> bytes:
    return urlencode(fields).encode()


_TOKEN = re.compile(r"[!-~]+")
"""Nothing else can stand in a header (RFC 6750)."""


def _token_in(reply: Reply) -> str:
    try:
        token = json.loads(reply.body)["access_token"]
    except (ValueError, KeyError, TypeError):
        return ""
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else ""
