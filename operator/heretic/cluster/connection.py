"""One API server: credentials that are renewed, and requests whose errors are ours.

The only module that imports the Kubernetes client library, and only its generic part: the typed models of all of
Kubernetes would take more memory than the rest of the operator (docs/adr/0027). Bodies are plain dictionaries.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from heretic.cluster import kubeconfig
from heretic.domain.errors import HereticError, Reason, Transient

if TYPE_CHECKING:
    import aiohttp
    from kubernetes.aio.client import ApiClient

Object = dict[str, Any]

REQUEST_TIMEOUT = 15.0
"""Seconds that one request may take; a pass must not hang on a half-dead API server."""

LOGIN_TIMEOUT = 120.0
"""Seconds that reading credentials may take: a plugin may ask a person."""

RENEW_PAUSE = 2 * REQUEST_TIMEOUT
"""Seconds that credentials are kept at least. So long after its end, no request is left on a client."""

FIELD_MANAGER = "heretic"

MERGE_PATCH = "application/merge-patch+json"


class ConflictError(Exception):
    """Somebody else wrote the object since it was read."""


class RefusedError(HereticError):
    """The API server answered with an error.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(Transient(Reason.API_SERVER, message))
        self.status = status


class Connection:
    """Requests to one API server.

    Args:
        path: Of a kubeconfig file; None = the pod's service account, else the user's files.
        context: Context in that file; None = the current one.
    """

    def __init__(self, path: str | None, context: str | None) -> None:
        self._path = path
        self._context = context
        self._client: ApiClient
        self._retired: ApiClient | None = None
        self._opened = 0.0
        self._opening = asyncio.Lock()

    @classmethod
    async def open(cls, path: str | None, context: str | None) -> Self:
        """Reads the credentials; the first request connects.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration.
        """
        connection = cls(path, context)
        connection._client = await _client(path, context)
        connection._opened = time.monotonic()
        return connection

    @property
    def server(self) -> str:
        """The server's address."""
        return str(self._client.configuration.host)

    async def request(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        """One request.

        Args:
            method: GET, POST, PUT or PATCH.
            path: Below the server's address, each part quoted.
            doing: What it is for, as messages say it.
            body: What is sent.
            content_type: Of the body.

        Returns:
            The answer.

        Raises:
            ConflictError: The object changed since it was read, or exists already.
            HereticError: The API server could not be reached, or refused (a RefusedError).
        """
        client = self._client
        status, content = await self._send(client, method, path, doing, body, content_type)
        if status == HTTPStatus.UNAUTHORIZED and await self._renew(client):
            status, content = await self._send(self._client, method, path, doing, body, content_type)
        if status == HTTPStatus.CONFLICT:
            raise ConflictError(doing)
        answer = _parsed(content)
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"{doing}: {_refusal(status, answer, content)}", status)
        if answer is None:
            said = f"{doing}: {self.server} answered what no API server answers; is its address right?"
            raise HereticError(Transient(Reason.API_SERVER, said))
        return answer

    async def new_session(self) -> "aiohttp.ClientSession":
        """An HTTP session with credentials that are as fresh as can be, for the caller to close.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration any more.
        """
        import aiohttp

        await self._renew(self._client)
        configuration = self._client.configuration
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._client.rest_client.ssl_context),
            headers=await _headers(self._client),
            proxy=configuration.proxy,
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes the connections."""
        for client in (self._retired, self._client):
            if client is not None:
                await client.close()

    async def _renew(self, used: "ApiClient") -> bool:
        """Reads the credentials again, unless they are fresh: a token ends, and a plugin or the kubelet has a new one.

        Args:
            used: The client whose credentials were refused.

        Returns:
            Whether there is another client now.
        """
        async with self._opening:
            if self._client is used and time.monotonic() - self._opened >= RENEW_PAUSE:
                fresh = await _client(self._path, self._context)
                gone, self._retired, self._client = self._retired, self._client, fresh
                self._opened = time.monotonic()
                if gone is not None:
                    await gone.close()
            return self._client is not used

    async def _send(
        self, client: "ApiClient", method: str, path: str, doing: str, body: Mapping[str, Any] | None, type_: str
    ) -> tuple[int, bytes]:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
        query = [] if method == "GET" else [("fieldManager", FIELD_MANAGER)]
        async with _translated(doing, self.server):
            headers = {**await _headers(client), "Content-Type": type_}
            made = await client.param_serialize(method, path, query_params=query, header_params=headers, body=body)
            response = await client.call_api(*made, _request_timeout=timeout)
            return int(response.status), bytes(await response.read())


async def _client(path: str | None, context: str | None) -> "ApiClient":
    from kubernetes.aio.client import ApiClient, Configuration
    from kubernetes.aio.config import kube_config, load_incluster_config
    from kubernetes.aio.config.config_exception import ConfigException

    configuration = Configuration(client_session_kwargs={"trust_env": False})
    if path is None and "KUBECONFIG" not in os.environ and in_pod():
        try:
            load_incluster_config(client_configuration=configuration)
            return _named(ApiClient(configuration))
        except (ConfigException, OSError, ValueError) as error:
            said = f"this pod has no usable token of a ServiceAccount: {_line(error)}"
            raise kubeconfig.wrong(f"{said}; set automountServiceAccountToken: true for it") from error
    paths = kubeconfig.paths(path)
    found = kubeconfig.read(paths)
    if not found.paths:
        names = " or ".join(map(str, paths))
        raise kubeconfig.wrong(f"there is no kubeconfig {names}: give --kubeconfig FILE or set KUBECONFIG")
    chosen = found.choose(context)
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT):
            loader = await kube_config.load_kube_config(
                os.pathsep.join(map(str, found.paths)), chosen, configuration, persist_config=False
            )
        client = _named(ApiClient(configuration))
    except (ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # The library has no one error for what it does not understand.
        said = f"{type(error).__name__}: {_line(error)}" if not isinstance(error, ConfigException) else _line(error)
        raise kubeconfig.wrong(f"{found.said} cannot be used with context {chosen!r}: {said}") from error
    finally:
        # It writes certificates and keys into files for TLS, which has read them by now.
        kube_config._cleanup_temp_files()
    _check_plugin(found, chosen, loader)
    return client


def _check_plugin(found: kubeconfig.Kubeconfig, context: str, loader: Any) -> None:
    """The library only logs that a plugin failed, and goes on without credentials."""
    user = str(found.contexts[context].get("user"))
    plugin = found.users.get(user, {}).get("exec")
    if plugin and not (hasattr(loader, "token") or getattr(loader, "cert_file", None)):
        command = " ".join([str(plugin.get("command")), *map(str, plugin.get("args") or [])])
        raise kubeconfig.wrong(f"the plugin of user {user!r} of {found.said} gives no credentials: try {command!r}")


def _named(client: "ApiClient") -> "ApiClient":
    client.user_agent = "heretic"
    return client


def in_pod() -> bool:
    """Whether this process runs in a pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


async def _headers(client: "ApiClient") -> dict[str, str]:
    """The library adds its token only where generated code asks for it, and keeps the line end of a token file."""
    token = str(await client.configuration.get_api_key_with_prefix("BearerToken") or "").strip()
    headers = {"User-Agent": client.user_agent, "Accept": "application/json"}
    return headers | ({"Authorization": token} if token else {})


def _parsed(content: bytes) -> Object | None:
    try:
        parsed = json.loads(content)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _refusal(status: int, answer: Object | None, content: bytes) -> str:
    message = str((answer or {}).get("message") or content[:200].decode(errors="replace"))
    said = f"the API server answered HTTP {status} {' '.join(message.split())}".rstrip()
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return (
                f"{said}: the token or certificate has expired or is not known; log in again, or renew the kubeconfig"
            )
        case HTTPStatus.FORBIDDEN:
            return f"{said}; grant the right (manifests/operator has what the operator needs, and roles for people)"
        case _:
            return said


@asynccontextmanager
async def _translated(doing: str, server: str) -> AsyncIterator[None]:
    """Turns errors of the transport into ours, here and nowhere else."""
    import aiohttp
    from kubernetes.aio.client.exceptions import OpenApiException
    from kubernetes.aio.config.config_exception import ConfigException

    try:
        yield
    except (aiohttp.ClientError, OpenApiException, ConfigException, OSError, ValueError) as error:
        said = f"{doing}: no answer from the API server {server}: {_reason(error)}"
        raise HereticError(Transient(Reason.API_SERVER, said)) from error


def _reason(error: Exception) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not to be trusted ({_line(error.certificate_error)}); correct the kubeconfig's"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or _line(error.os_error)
    if isinstance(error, TimeoutError):
        return f"nothing came within {REQUEST_TIMEOUT:.0f} s"
    return _line(error)


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
