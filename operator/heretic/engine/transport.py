"""HTTPS to one engine: certificates, time limits, sizes. What goes wrong below HTTP becomes ours here."""

import codecs
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv6Address, ip_address
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from heretic.domain.errors import Failure, HereticError, NeedsUser, Reason, Transient
from heretic.engine.settings import EngineSettings

CONNECT_SECONDS = 10.0
"""For a TCP connection and TLS."""

LARGEST = 32 * 2**20
"""Bytes of an answer that are read; no list that Heretic asks for comes near."""

_KEPT_SECONDS = 4.0
"""How long an idle connection is used again: the engine's web server ends one after 5 s, and a request that is sent
just then is lost."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: Of HTTP.
        media: The media type without parameters; "" where there is none.
        body: All of it.
        location: To where it sends us, as it wrote it; "" = nowhere.
    """

    status: int
    media: str
    body: bytes
    location: str = ""


class Transport:
    """Connections to one engine.

    Args:
        settings: Of the engine.
        trust: Whom to believe; None = nobody is verified, for looking at a certificate only.

    Attributes:
        certificate_until: When the certificate that the engine showed last runs out; None before it showed one.
    """

    def __init__(self, settings: EngineSettings, trust: ssl.SSLContext | None) -> None:
        self._settings = settings
        self.certificate_until: datetime | None = None
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=_watched(trust, self._seen) if trust else False,
                limit=2,
                keepalive_timeout=_KEPT_SECONDS,
                resolver=_DeclaredAddress(settings.address) if settings.address else None,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )

    def _seen(self, end: datetime) -> None:
        self.certificate_until = end

    async def send(
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Sends one request and reads its whole answer.

        It is sent again where the server does nothing but want a slash at the end of the path; no other redirect is
        followed.

        Args:
            method: Of HTTP.
            path: Below the engine's base.
            seconds: For all of it.
            query: Parameters.
            headers: Further ones.
            body: Of the request.

        Raises:
            HereticError: No whole answer came. Where it is EngineNotAnswering, nobody knows whether the request took
                effect; with any other reason it did not.
        """
        url = f"{self._settings.base}/{path}"
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        asked = partial(
            self._http.request, method, params=query, headers=headers, data=body, timeout=limits, allow_redirects=False
        )
        try:
            async with asked(url) as answer:
                reply = await self._read(answer)
            if _wants_a_slash(url, reply):
                async with asked(f"{url}/") as answer:
                    reply = await self._read(answer)
            return reply
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HereticError(lost(self._settings, error, seconds)) from None

    async def _read(self, answer: aiohttp.ClientResponse) -> Reply:
        content = bytearray()
        async for piece in answer.content.iter_any():
            content += piece
            if len(content) > LARGEST:
                raise HereticError(_too_long(self._settings))
        told, location = answer.headers.get("Content-Type", ""), answer.headers.get("Location", "")
        return Reply(answer.status, _media(told), _as_utf8(bytes(content), told), location)

    async def close(self) -> None:
        """Ends the connections."""
        await self._http.close()


def _watched(trust: ssl.SSLContext, seen: Callable[[datetime], None]) -> ssl.SSLContext:
    """Tells until when each certificate is valid that was believed; an answer is often there before one can ask it."""

    class Watched(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            end = (self.getpeercert() or {}).get("notAfter")
            if isinstance(end, str):
                seen(datetime.fromtimestamp(ssl.cert_time_to_seconds(end), UTC))

    trust.sslobject_class = Watched
    return trust


class _DeclaredAddress(AbstractResolver):
    """Knows where the engine is by the declaration: the operator works also while the site's DNS is down."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The declared address, for whatever name."""
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        version_6 = isinstance(ip_address(self._address), IPv6Address)
        own = socket.AF_INET6 if version_6 else socket.AF_INET
        return [ResolveResult(hostname=host, host=self._address, port=port, family=own, proto=0, flags=flags)]

    async def close(self) -> None:
        """Nothing is open."""


def trust_of(settings: EngineSettings) -> ssl.SSLContext:
    """Believes the given authorities and nobody else.

    Raises:
        HereticError: NeedsUser; what is given is no certificate.
    """
    try:
        trust = ssl.create_default_context(cadata=settings.ca)
    except (ssl.SSLError, ValueError) as error:
        message = f"{settings}: what is given as its certificate authority is no PEM certificate: {error}"
        raise HereticError(NeedsUser(Reason.INVALID_SPEC, message)) from None
    # A person may pin the certificate itself, or an authority in the middle.
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    # Python 3.13 refuses authorities without extensions that engines of long ago did not write.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return trust


def lost(settings: EngineSettings, error: Exception, seconds: float) -> Failure:
    """Why no answer came.

    Args:
        settings: Of the engine.
        error: What was raised.
        seconds: How long was waited at most.
    """
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return NeedsUser(
                Reason.ENGINE_CERTIFICATE_MISMATCH, _certificate_trouble(settings, error.certificate_error)
            )
        case aiohttp.ClientConnectorError(os_error=socket.gaierror() as cause):
            return Transient(Reason.NAME_NOT_RESOLVED, f"{settings}: the name does not resolve: {cause.strerror}")
        case aiohttp.ClientConnectorSSLError():
            return Transient(Reason.ENGINE_UNREACHABLE, f"{settings}: what answers there does not speak TLS")
        case aiohttp.ClientConnectorError():
            why = error.os_error.strerror or type(error.os_error).__name__
            return Transient(Reason.ENGINE_UNREACHABLE, f"{settings}: cannot connect: {why}")
        case aiohttp.ConnectionTimeoutError():
            message = f"{settings}: no connection within {CONNECT_SECONDS:.0f} s"
            return Transient(Reason.ENGINE_UNREACHABLE, message)
        case TimeoutError():
            return Transient(Reason.ENGINE_NOT_ANSWERING, f"{settings}: no answer within {seconds:.0f} s")
        case aiohttp.InvalidURL():
            return NeedsUser(Reason.INVALID_SPEC, f"{settings}: {settings.fqdn!r} cannot be the name of an engine")
        case _:
            message = f"{settings}: the connection ended before its answer was there ({type(error).__name__})"
            return Transient(Reason.ENGINE_NOT_ANSWERING, message)


_HOSTNAME_MISMATCH, _EXPIRED, _NOT_YET_VALID = 62, 10, 9


def _certificate_trouble(settings: EngineSettings, error: Exception) -> str:
    match error:
        case ssl.SSLCertVerificationError(verify_code=code) if code == _HOSTNAME_MISMATCH:
            return f"{settings}: its certificate is for another name; declare the name that the engine was set up with"
        case ssl.SSLCertVerificationError(verify_code=code) if code in (_EXPIRED, _NOT_YET_VALID):
            return (
                f"{settings}: its certificate is not valid now ({error.verify_message}); compare the clocks, or "
                f"renew it with `engine-setup --offline` on the engine"
            )
        case ssl.SSLCertVerificationError():
            said = error.verify_message
        case _:
            said = type(error).__name__
    return (
        f"{settings}: the given authority did not sign its certificate ({said}); if the engine was set up anew, "
        f"compare the fingerprint on its console and give the new authority; if not, somebody else may be answering "
        f"in its place"
    )


def _wants_a_slash(url: str, reply: Reply) -> bool:
    """Whether the same server names the same path with a slash behind it. Whoever redirects has not done anything."""
    if not 300 <= reply.status < 400:
        return False
    try:
        asked, there = urlsplit(url), urlsplit(urljoin(url, reply.location))
    except ValueError:
        return False
    return (there.hostname, there.path) == (asked.hostname, f"{asked.path}/")


def _too_long(settings: EngineSettings) -> Failure:
    return Transient(Reason.OUTPUT_NOT_UNDERSTOOD, f"{settings}: an answer is longer than {LARGEST // 2**20} MiB")


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE | re.ASCII)
_UTF_8 = frozenset({"utf-8", "ascii"})


def _as_utf8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8 where the header alone says how it is written; XML that says so itself is left as it is."""
    found = _CHARSET.search(content_type)
    if found is None or b"encoding" in body[:200]:
        return body
    try:
        return body if codecs.lookup(found[1]).name in _UTF_8 else body.decode(found[1]).encode()
    except (LookupError, UnicodeError):
        return body
