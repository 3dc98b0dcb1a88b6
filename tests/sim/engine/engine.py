"""The simulated engine itself: requests in, responses out, without a network."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes, token_hex
from threading import Lock

from ovirtsdk4 import types

from sim.engine import api
from sim.engine.calls import ADMIN_ID, add_event
from sim.engine.clusters import new_cluster
from sim.engine.data_centers import new_data_center, new_mac_pool
from sim.engine.messages import HTML, HttpRequest, HttpResponse, NotToldError, error_page
from sim.engine.network_monitor import monitor
from sim.engine.networks import new_network
from sim.engine.render import ref
from sim.engine.routes import API
from sim.engine.sso import Sso
from sim.engine.state import EngineState
from sim.engine.tls import Certificate, SshKey, authority

DEFAULT_POOL = "58ca604b-017d-0374-0220-00000000014e"
DEFAULT_CLUSTER = "793fbdb8-e92b-11f1-8cc4-02fc00000001"
DEFAULT_DATA_CENTER = "793a6804-e92b-11f1-b424-02fc00000001"
DEFAULT_NETWORK = "00000000-0000-0000-0000-000000000009"
DEFAULT_MIGRATION_POLICY = "80554327-0569-496b-bdeb-fcbbf52b827b"


@dataclass
class SimEngine:
    """An engine as it is right after engine-setup.

    Attributes:
        state: What it remembers.
        authority: Its own certificate authority.
        sso: Its users and sessions.
        refused: Requests that the simulator was not told how to answer: a test asserts that there are none.
        requests: All requests, as method and path.
    """

    state: EngineState = field(default_factory=EngineState)
    authority: Certificate = field(default_factory=authority)
    sso: Sso = field(init=False)
    refused: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _ssh_key: SshKey = field(default_factory=SshKey, repr=False)
    _one_at_a_time: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self.sso = Sso(now=self.state.now, told=self._login)
        set_up(self.state)

    @property
    def writes(self) -> list[str]:
        """All changes that were asked of its API."""
        return [one for one in self.requests if not one.startswith("GET") and "/api" in one]

    def answer(self, request: HttpRequest) -> HttpResponse:
        """What the engine answers."""
        with self._one_at_a_time:
            self.requests.append(f"{request.method} {request.path}")
            self.state.settle()
            monitor(self.state)
            try:
                return self._answer(request)
            except NotToldError as error:
                said = f"{request.method} {request.path}: {error}"
                self.refused.append(said)
                return HttpResponse(501, "text/plain", f"the simulated engine was not told: {said}\n".encode())
            finally:
                monitor(self.state)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.path == API or request.path.startswith(f"{API}/"):
            return api.answer(request, self.state, self.sso)
        match request.method, request.path:
            case "POST", "/ovirt-engine/sso/oauth/token":
                return self.sso.token(request)
            case "POST", "/ovirt-engine/services/sso-logout":
                return self.sso.revoke(request)
            case "GET", "/ovirt-engine/services/health":
                return HttpResponse(200, "text/html;charset=ISO-8859-1", b"DB Up!Welcome to Health Status!\n")
            case "GET", "/ovirt-engine/services/pki-resource":
                return self._pki_resource(request.query.get("resource", ""), request.query.get("format", ""))
        raise NotToldError("a path outside of the API")

    def _pki_resource(self, resource: str, form: str) -> HttpResponse:
        match resource, form:
            case "ca-certificate", "X509-PEM-CA":
                return HttpResponse(200, "application/x-x509-ca-cert; charset=ISO-8859-1", self.authority.pem.encode())
            case "engine-certificate", "OPENSSH-PUBKEY":
                return HttpResponse(200, "text/plain; charset=ISO-8859-1", self._ssh_key.public.encode())
            case (("ca-certificate" | "engine-certificate"), _):
                raise NotToldError(f"{resource} as {form}")
        return HttpResponse(400, HTML, error_page(f"Resource '{resource}' is invalid"))

    def _login(self, what: str, user: str) -> None:
        whence = f"User {user} {{}} from '127.0.0.1'"
        session = f"using session '{urlsafe_b64encode(token_bytes(64)).decode()}'"
        match what:
            case "in":
                self._note_login(30, f"{whence.format('connecting')} {session} logged in.", user)
            case "out":
                self._note_login(31, f"{whence.format('connected')} {session} logged out.", user)
            case _:
                why = "'Unable to log in. Verify your login information or contact the system administrator.'."
                said = f"{whence.format('connecting')} failed to log in : {why}"
                add_event(self.state, 114, said, severity="error", user=types.User(name=user))

    def _note_login(self, code: int, said: str, user: str) -> None:
        correlation = token_hex(4)
        add_event(self.state, code, said, correlation_id=correlation, user=ref(types.User, ADMIN_ID, name=user))


def set_up(state: EngineState) -> None:
    """What engine-setup leaves behind."""
    add_event(state, 10780, "Affinity Rules Enforcement Manager started.")
    pool = new_mac_pool(
        state,
        "Default",
        [types.Range(from_="56:6f:1a:2c:00:00", to="56:6f:1a:2c:ff:ff")],
        DEFAULT_POOL,
        description="Default MAC pool",
        allow_duplicates=False,
        default_pool=True,
    )
    data_center = new_data_center(
        state,
        "Default",
        DEFAULT_DATA_CENTER,
        description="The default Data Center",
        mac_pool=types.MacPool(id=pool.id),
    )
    new_network(state, "ovirtmgmt", data_center.id, DEFAULT_NETWORK, description="Management Network")
    cluster = new_cluster(
        state,
        "Default",
        data_center.id,
        DEFAULT_CLUSTER,
        description="The default server cluster",
        vnc_encryption=False,
    )
    cluster.memory_policy.transparent_huge_pages.enabled = True
    cluster.migration.policy = types.MigrationPolicy(id=DEFAULT_MIGRATION_POLICY)
