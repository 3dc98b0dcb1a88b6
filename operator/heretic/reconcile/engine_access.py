"""How the engine of a site is reached: from the HostedEngine and the Secret that it names."""

from collections.abc import Callable, Mapping

from heretic.api.v1alpha1 import HostedEngine
from heretic.domain.commands import SecretRef
from heretic.domain.declared.engine import declared_engine, makes_password
from heretic.domain.declared.view import SiteView
from heretic.domain.engine.power import password_hash
from heretic.domain.engine.power_questions import declared_passwords
from heretic.domain.errors import HereticError, NeedsUser, Reason, Transient
from heretic.domain.hosted_engine.password import USUAL_USER
from heretic.domain.plan import Blocked, Wait
from heretic.engine.settings import EngineSettings
from heretic.reconcile.access import KEPT_SECONDS, Secrets
from heretic.reconcile.secrets import values_of

USER, PASSWORD, AUTHORITY = "username", "password", "ca.crt"
"""Keys of the Secret; the first two from the type kubernetes.io/basic-auth."""


class DeclaredEngineAccess:
    """Gives the settings of engines.

    Args:
        secrets: Where the Secrets are.
        monotonic: Seconds.
    """

    def __init__(self, secrets: Secrets, *, monotonic: Callable[[], float]) -> None:
        self._secrets = secrets
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, str, dict[str, bytes]]] = {}
        self._hashes: dict[str, tuple[float, Mapping[str, SecretRef], dict[str, str]]] = {}

    async def engine(self, namespace: str, view: SiteView, name: str) -> EngineSettings:
        """How to reach one engine; see EngineAccess."""
        engine = declared_engine(view)
        if isinstance(engine, Blocked):
            raise HereticError(NeedsUser(engine.reason, engine.message))
        if engine is None or isinstance(engine, Wait) or engine.metadata.name != name:
            raise HereticError(Transient(Reason.NOT_OBSERVED, f"there is no HostedEngine {name}"))
        secret = engine.spec.credentials_ref.name
        data = await self._data(namespace, secret)
        if data is None:
            raise HereticError(_absent(namespace, engine))
        password = data.get(PASSWORD, b"").decode(errors="replace")
        if not password:
            raise HereticError(_missing(namespace, secret, f"has no key {PASSWORD}"))
        return EngineSettings(
            name=f"{namespace}/{name}",
            fqdn=engine.spec.fqdn,
            user=data.get(USER, b"").decode(errors="replace") or USUAL_USER,
            password=password,
            ca=engine.spec.certificate_authority
            or data.get(AUTHORITY, b"").decode(errors="replace")
            or engine.status.certificate_authority,
            port=engine.spec.port,
            address=engine.spec.address,
        )

    def forget(self, namespace: str) -> None:
        """Reads the Secret of a site's engine afresh next time."""
        self._kept.pop(namespace, None)

    def forget_passwords(self, namespace: str) -> None:
        """Reads the Secrets of a site's fence agents afresh next time."""
        self._hashes.pop(namespace, None)

    async def password_hashes(self, namespace: str, view: SiteView, *, under: str) -> Mapping[str, str]:
        """A hash of the password of each fence agent that is declared, by its key.

        Each Secret is read once, and again after a while; what cannot be read is left out. None of what it holds is
        kept.

        Args:
            namespace: Of the site.
            view: The declared site.
            under: What they are hashed under; see ``password_hash``.
        """
        now, wanted, held = self._monotonic(), declared_passwords(view), self._hashes.get(namespace)
        if held is not None and held[1] == wanted and now - held[0] < KEPT_SECONDS:
            return held[2]
        passwords = [(ref, await self._password(namespace, ref)) for ref in dict.fromkeys(wanted.values())]
        readable = {ref: password for ref, password in passwords if password}
        hashes = {key: password_hash(readable[ref], key, under=under) for key, ref in wanted.items() if ref in readable}
        self._hashes[namespace] = now, wanted, hashes
        return hashes

    async def _password(self, namespace: str, ref: SecretRef) -> str:
        try:
            return (await values_of([ref], namespace, self._secrets))[ref]
        except HereticError:
            return ""  # the step that needs it tells why

    async def _data(self, namespace: str, secret: str) -> dict[str, bytes] | None:
        held = self._kept.get(namespace)
        if held is not None and held[1] == secret and self._monotonic() - held[0] < KEPT_SECONDS:
            return held[2]
        data = await self._secrets.secret(namespace, secret)
        if data is not None:
            self._kept[namespace] = (self._monotonic(), secret, data)
        return data


def _absent(namespace: str, engine: HostedEngine) -> Transient | NeedsUser:
    secret = engine.spec.credentials_ref.name
    if makes_password(engine):
        why = f"Secret {secret} is not there. Heretic makes it, with a new password, before it deploys the engine"
        return Transient(Reason.CREDENTIALS_NOT_MADE, why)
    return _missing(namespace, secret, "does not exist")


def _missing(namespace: str, secret: str, what: str) -> NeedsUser:
    how = (
        f"kubectl -n {namespace} create secret generic {secret} --type=kubernetes.io/basic-auth "
        f"--from-literal={USER}={USUAL_USER} --from-file={PASSWORD}=<file with the password>"
    )
    return NeedsUser(
        Reason.CREDENTIALS_MISSING, f"Secret {secret}, which spec.credentialsRef names, {what}; make it: {how}"
    )
