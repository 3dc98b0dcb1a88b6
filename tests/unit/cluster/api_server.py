"""A small HTTP or HTTPS server in the process, told what to answer, and kubeconfig files that lead to it."""

import base64
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

import yaml
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

Answer = Callable[[web.Request], web.StreamResponse]


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    peer: str = ""


def says(status: int, message: str) -> Answer:
    """An error as API servers put it."""
    return lambda _: web.json_response({"kind": "Status", "message": message, "code": status}, status=status)


def gives(obj: dict[str, Any]) -> Answer:
    """An object."""
    return lambda _: web.json_response(obj)


@dataclass
class ApiServer:
    """Answers each request with the next answer; the last one for ever."""

    answers: list[Answer] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    slow: Callable[[], Any] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        text = await request.text()
        shown = request.get_extra_info("peercert")
        peer = dict(part[0] for part in shown["subject"])["commonName"] if shown else ""
        body = json.loads(text) if text else None
        self.asked.append(Asked(request.method, request.path, dict(request.query), dict(request.headers), body, peer))
        if self.slow:
            await self.slow()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)


def kubeconfig(
    path: Path, server: str, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None
) -> Path:
    """Writes a kubeconfig with one context."""
    content = {
        "current-context": "site",
        "contexts": [{"name": "site", "context": {"cluster": "pc", "user": "me"}}],
        "clusters": [{"name": "pc", "cluster": {"server": server, **(cluster or {})}}],
        "users": [{"name": "me", "user": {"token": "first"} if user is None else user}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def b64(text: str | bytes) -> str:
    """As kubeconfigs keep certificates and keys."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


class Authority:
    """Signs certificates."""

    def __init__(self) -> None:
        self._key = generate_private_key(SECP256R1())
        self.certificate = _pem(_certificate("authority", self._key, "authority", self._key, is_ca=True))

    def sign(self, name: str) -> Pair:
        """A certificate for a server on this machine, or for a client."""
        key = generate_private_key(SECP256R1())
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Pair(_pem(_certificate(name, key, "authority", self._key, is_ca=False)), text)

    def server_context(self, folder: Path, *, asks: bool) -> ssl.SSLContext:
        """For a server; ``asks`` its clients for their certificates."""
        pair = self.sign("server")
        for name, text in (("server.crt", pair.certificate), ("server.key", pair.key), ("ca.crt", self.certificate)):
            (folder / name).write_text(text)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        if asks:
            context.load_verify_locations(folder / "ca.crt")
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def _certificate(
    name: str, key: EllipticCurvePrivateKey, issuer: str, issuer_key: EllipticCurvePrivateKey, *, is_ca: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, SHA256())
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
