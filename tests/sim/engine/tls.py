"""A throw-away certificate authority, and what it vouches for."""

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_VALID = timedelta(days=397)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key, in the clear."""
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def authority(organization: str = "engine.example.test") -> Certificate:
    """An authority that nobody trusts yet."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return Certificate(made.sign(key, hashes.SHA256()), key)


def server_certificate(issuer: Certificate, *names: str) -> Certificate:
    """A certificate for a server with those names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    made = _builder(subject, issuer.certificate.subject, key).add_extension(
        x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False
    )
    return Certificate(made.sign(issuer.key, hashes.SHA256()), key)


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """TLS for a server with that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.touch(0o600)
        path.write_text(certificate.pem + certificate.key_pem)
        context.load_cert_chain(path)
    return context


class SshKey:
    """The key with which the engine goes to its hosts."""

    @cached_property
    def public(self) -> str:
        """As a line of `authorized_keys`."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
        form = serialization.PublicFormat.OpenSSH
        return key.public_bytes(serialization.Encoding.OpenSSH, form).decode() + " ovirt-engine\n"


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
