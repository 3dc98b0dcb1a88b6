"""One API server: requests whose errors are ours, with credentials that are renewed. Bodies are plain dictionaries."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from heretic.cluster import credentials, kubeconfig
from heretic.domain.errors import HereticError, Reason, Transient

if TYPE_CHECKING:
    from typing import TypeAlias

    from aiohttp import ClientSession
    from kubernetes.aio.client import ApiClient

    Session: TypeAlias = ClientSession

Object = dict[str, Any]

REQUEST_TIMEOUT = 15.0
"""Seconds that one request may take; a pass must not hang on a half-dead API server."""

RENEW_PAUSE = 2 * REQUEST_TIMEOUT
"""Seconds that credentials are kept at least. So long after its end, no request is left on a client."""

FIELD_MANAGER = "heretic"

MERGE_PATCH = "application/merge-patch+json"


class ConflictError(Exception):
    """Somebody else wrote the object since it was read."""


class ApiError(HereticError):
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
        connection._client = await credentials.log_in(path, context)
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
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """One request.

        The transport sends a GET or PUT a second time when a connection that it kept turns out to be dead. A PUT
        must therefore name the resourceVersion: when the first one had arrived, the second one is a conflict.

        Args:
            method: GET, POST, PUT or PATCH.
            path: Below the server's address, each part quoted.
            doing: What it is for, as messages say it.
            body: What is sent.
            content_type: Of the body.
            query: Parameters; a write that names no fieldManager is ours.

        Returns:
            The answer.

        Raises:
            ConflictError: The object changed since it was read, or exists already.
            HereticError: The API server could not be reached, or refused (a ApiError).
        """
        client = self._client
        parameters = {**({} if method == "GET" else {"fieldManager": FIELD_MANAGER}), **(query or {})}
        status, content = await self._send(client, method, path, doing, body, content_type, parameters)
        if status == HTTPStatus.UNAUTHORIZED and await self._renew(client):
            status, content = await self._send(self._client, method, path, doing, body, content_type, parameters)
        if status == HTTPStatus.CONFLICT:
            raise ConflictError(doing)
        answer = _parsed(content)
        if status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(f"{doing}: {_refusal(status, answer, content)}", status)
        if answer is None:
            said = f"{doing}: {self.server} answered what no API server answers; is its address right?"
            raise HereticError(Transient(Reason.API_SERVER, said))
        return answer

    async def new_session(self) -> "Session":
        """An HTTP session with credentials that are as fresh as can be, for the caller to close.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration any more.
        """
        import aiohttp

        await self._renew(self._client)
        configuration = self._client.configuration
        if configuration.tls_server_name:
            said = "the kubeconfig has a tls-server-name, which the operator cannot use"
            raise kubeconfig.wrong(f"{said}: take it out, and give an address that is in the server's certificate")
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._client.rest_client.ssl_context),
            headers=await credentials.headers(self._client),
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
                fresh = await credentials.log_in(self._path, self._context)
                gone, self._retired, self._client = self._retired, self._client, fresh
                self._opened = time.monotonic()
                if gone is not None:
                    await gone.close()
            return self._client is not used

    async def _send(
        self,
        client: "ApiClient",
        method: str,
        path: str,
        doing: str,
        body: Mapping[str, Any] | None,
        type_: str,
        parameters: Mapping[str, str],
    ) -> tuple[int, bytes]:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
        query = list(parameters.items())
        async with _translated(doing, self.server):
            headers = {**await credentials.headers(client), "Content-Type": type_}
            made = await client.param_serialize(method, path, query_params=query, header_params=headers, body=body)
            response = await client.call_api(*made, _request_timeout=timeout)
            return int(response.status), bytes(await response.read())


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
    """Turns errors of the transport into ours, here and nowhere else; a mistake of ours stays one."""
    import aiohttp
    from kubernetes.aio.config.config_exception import ConfigException

    try:
        yield
    except (aiohttp.ClientError, ConfigException, OSError) as error:  # ConfigException: a pod's token file is empty
        said = f"{doing}: no answer from the API server {server}: {_reason(error)}"
        raise HereticError(Transient(Reason.API_SERVER, said)) from error


def _reason(error: Exception) -> str:
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = credentials.line(error.certificate_error)
        return f"its certificate is not to be trusted ({why}); correct the kubeconfig's"
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or credentials.line(error.os_error)
    if isinstance(error, TimeoutError):
        return f"nothing came within {REQUEST_TIMEOUT:.0f} s"
    return credentials.line(error)
