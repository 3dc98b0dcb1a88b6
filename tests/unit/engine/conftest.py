"""A recorded engine on this machine, its certificates, and the operator's side of it."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from heretic.engine.engines import Engines
from heretic.engine.settings import EngineSettings
from unit.engine.recorded import RecordedEngine, running, settings


class Authority:
    """Signs certificates.

    Attributes:
        pem: Its own.
        shown: The last one that it signed.
    """

    shown: str

    def __init__(self, name: str, folder: Path) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self._name, self._key, days=3650)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.pem = own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def server(self, name: str = "localhost", days: int = 30) -> ssl.SSLContext:
        """What a server of this name needs; with negative days, its certificate ran out."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        signed = builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        own = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"{name}{days}.pem"
        file.write_bytes(own + signed)
        self.shown = signed.decode()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
        )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("ours", tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority("stranger", tmp_path_factory.mktemp("stranger"))


@dataclass
class Site:
    """A running engine, and how it is reached."""

    engine: RecordedEngine
    port: int
    ca: str

    def settings(self, **changed: Any) -> EngineSettings:
        return replace(settings(self.port, self.ca), **changed)


@pytest.fixture
async def site(authority: Authority) -> AsyncIterator[Site]:
    engine = RecordedEngine()
    async with running(engine, authority.server()) as port:
        yield Site(engine, port, authority.pem)
    assert engine.refused == []


@pytest.fixture
async def engines() -> AsyncIterator[Engines]:
    engines = Engines()
    yield engines
    await engines.close()
