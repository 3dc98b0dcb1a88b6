"""The authority of an engine that nobody pinned yet: fetched without belief, shown, and never used.

As with host keys, a person compares the fingerprint on the engine's own console and declares the certificate.
"""

import hashlib
import ssl
from dataclasses import dataclass, replace

from heretic.domain.errors import HereticError, Reason, Transient
from heretic.engine.settings import EngineSettings
from heretic.engine.transport import Transport, trust_of

_SECONDS = 10.0
_RESOURCE = "services/pki-resource"
_ASKED = {"resource": "ca-certificate", "format": "X509-PEM-CA"}


@dataclass(frozen=True, slots=True)
class Offer:
    """What an engine says its authority is.

    Attributes:
        pem: The certificate.
        fingerprint: SHA-256, as openssl shows it.
        signs: Whether it signed the certificate that the engine's web server shows.
    """

    pem: str
    fingerprint: str
    signs: bool

    def message(self, settings: EngineSettings) -> str:
        """What a person has to compare, and to do."""
        if not self.signs:
            return (
                f"{settings}: no certificate authority is given, and the engine's own did not sign the certificate "
                f"that its web server shows; give the authority that did"
            )
        return (
            f"{settings}: no certificate authority is given; the engine names one with the SHA-256 fingerprint "
            f"{self.fingerprint}; compare it on the engine's console with `openssl x509 -noout -fingerprint -sha256 "
            f"-in /etc/pki/ovirt-engine/ca.pem`, then give the content of that file"
        )


def authority_of(settings: EngineSettings) -> str:
    """The certificates by which an engine is believed, in one word."""
    return f"authority-{hashlib.sha256(''.join(settings.ca.split()).encode()).hexdigest()[:32]}"


async def offered(settings: EngineSettings) -> Offer:
    """Asks an engine for its authority, without believing anybody. Neither user nor password is sent.

    Args:
        settings: Of the engine.

    Raises:
        HereticError: It cannot be reached, or gives none.
    """
    unbelieved = Transport(settings, None)
    try:
        reply = await unbelieved.send("GET", _RESOURCE, seconds=_SECONDS, query=_ASKED)
    finally:
        await unbelieved.close()
    text = reply.body.decode("ascii", "replace").strip()
    pem = text[max(text.find(ssl.PEM_HEADER), 0) :]  # openssl can write for people what is in it first
    try:
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest().upper()
    except ValueError:
        message = f"{settings}: it does not tell its certificate authority (HTTP {reply.status})"
        raise HereticError(Transient(Reason.ENGINE_NOT_ANSWERING, message)) from None
    pairs = ":".join(fingerprint[i : i + 2] for i in range(0, len(fingerprint), 2))
    return Offer(pem, pairs, await _signs(replace(settings, ca=pem)))


async def _signs(settings: EngineSettings) -> bool:
    believing = Transport(settings, trust_of(settings))
    try:
        await believing.send("GET", "services/health", seconds=_SECONDS)
    except HereticError as error:
        if error.failure.reason is Reason.ENGINE_CERTIFICATE_MISMATCH:
            return False
        raise
    finally:
        await believing.close()
    return True
