"""The API server as the loop needs it: objects, status, secrets, leases and events; errors in our taxonomy.

The only module that touches the Kubernetes client library. Objects travel as plain dictionaries, so that nothing
above depends on the library's models.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self

from heretic.api.v1alpha1 import GROUP, VERSION
from heretic.domain.errors import HereticError, NeedsUser, Reason, Transient

Object = dict[str, Any]

REQUEST_TIMEOUT = 15.0
"""Seconds that one request may take; a pass must not hang on a half-dead API server."""

FIELD_MANAGER = "heretic"


class ConflictError(Exception):
    """Somebody else wrote the object since it was read."""


class Cluster:
    """A connection to one API server."""

    def __init__(self, api: Any, custom: Any, core: Any, coordination: Any) -> None:
        self._api = api
        self._custom = custom
        self._core = core
        self._coordination = coordination

    @classmethod
    async def connect(cls, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """Opens a connection.

        Args:
            kubeconfig: Path of a kubeconfig file; None = the pod's service account, else the user's default file.
            context: Context in that file; None = the current one.

        Returns:
            The connected cluster.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration.
        """
        from kubernetes.aio import client, config  # 1 s of imports: not paid by commands that need no cluster

        configuration = client.Configuration()
        try:
            if kubeconfig is None and _in_pod():
                load_in_pod: Callable[..., None] = config.load_incluster_config
                load_in_pod(client_configuration=configuration)
            else:
                load_file: Callable[..., Awaitable[None]] = config.load_kube_config
                await load_file(config_file=kubeconfig, context=context, client_configuration=configuration)
        except config.ConfigException as error:
            where = kubeconfig or "the default kubeconfig"
            raise HereticError(NeedsUser(Reason.API_SERVER, f"{where} gives no API server: {error}")) from error
        api = client.ApiClient(configuration)
        return cls(api, client.CustomObjectsApi(api), client.CoreV1Api(api), client.CoordinationV1Api(api))

    async def close(self) -> None:
        """Closes the connection."""
        await self._api.close()

    async def read(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object of our group; None when it does not exist."""
        async with _translated(f"reading {plural}/{name}"):
            found: Object | None = await _or_none(
                self._custom.get_namespaced_custom_object(
                    GROUP, VERSION, namespace, plural, name, _request_timeout=REQUEST_TIMEOUT
                )
            )
            return found

    async def list(self, plural: str, namespace: str) -> list[Object]:
        """All objects of one kind in a namespace."""
        async with _translated(f"listing {plural}"):
            answer = await self._custom.list_namespaced_custom_object(
                GROUP, VERSION, namespace, plural, _request_timeout=REQUEST_TIMEOUT
            )
            return list(answer["items"])

    async def replace_status(self, plural: str, obj: Object) -> Object:
        """Writes ``obj["status"]`` if nobody wrote the object since.

        Raises:
            ConflictError: The object changed since ``obj`` was read.
            HereticError: The API server could not be reached or refused.
        """
        meta = obj["metadata"]
        async with _translated(f"writing the status of {plural}/{meta['name']}"):
            answer: Object = await self._custom.replace_namespaced_custom_object_status(
                GROUP,
                VERSION,
                meta["namespace"],
                plural,
                meta["name"],
                obj,
                field_manager=FIELD_MANAGER,
                _request_timeout=REQUEST_TIMEOUT,
            )
            return answer

    async def annotate(self, plural: str, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        """Sets annotations of an object; None removes one."""
        body = {"metadata": {"annotations": dict(annotations)}}
        async with _translated(f"annotating {plural}/{name}"):
            await self._custom.patch_namespaced_custom_object(
                GROUP,
                VERSION,
                namespace,
                plural,
                name,
                body,
                field_manager=FIELD_MANAGER,
                _content_type="application/merge-patch+json",
                _request_timeout=REQUEST_TIMEOUT,
            )

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret; None when it does not exist."""
        from base64 import b64decode

        async with _translated(f"reading Secret {name}"):
            found = await _or_none(self._core.read_namespaced_secret(name, namespace, _request_timeout=REQUEST_TIMEOUT))
            return None if found is None else {k: b64decode(v) for k, v in (found.data or {}).items()}

    async def read_lease(self, namespace: str, name: str) -> Object | None:
        """A Lease; None when it does not exist."""
        async with _translated(f"reading Lease {name}"):
            found = await _or_none(
                self._coordination.read_namespaced_lease(name, namespace, _request_timeout=REQUEST_TIMEOUT)
            )
            return None if found is None else self._plain(found)

    async def write_lease(self, lease: Object, *, create: bool) -> Object:
        """Creates or replaces a Lease.

        Raises:
            ConflictError: It exists already, or changed since it was read.
            HereticError: The API server could not be reached or refused.
        """
        meta = lease["metadata"]
        async with _translated(f"writing Lease {meta['name']}"):
            if create:
                call = self._coordination.create_namespaced_lease(
                    meta["namespace"], lease, _request_timeout=REQUEST_TIMEOUT
                )
            else:
                call = self._coordination.replace_namespaced_lease(
                    meta["name"], meta["namespace"], lease, _request_timeout=REQUEST_TIMEOUT
                )
            return self._plain(await call)

    async def create_event(self, namespace: str, event: Object) -> str:
        """Creates an Event and returns its name."""
        async with _translated("creating an Event"):
            made = await self._core.create_namespaced_event(namespace, event, _request_timeout=REQUEST_TIMEOUT)
            return str(made.metadata.name)

    async def repeat_event(self, namespace: str, name: str, count: int, last: str) -> None:
        """Raises the count of an Event; quietly does nothing when it is gone."""
        async with _translated("updating an Event"):
            await _or_none(
                self._core.patch_namespaced_event(
                    name,
                    namespace,
                    {"count": count, "lastTimestamp": last},
                    _content_type="application/merge-patch+json",
                    _request_timeout=REQUEST_TIMEOUT,
                )
            )

    def _plain(self, model: Any) -> Object:
        plain: Object = self._api.sanitize_for_serialization(model)
        return plain


def _in_pod() -> bool:
    import os

    return "KUBERNETES_SERVICE_HOST" in os.environ and "KUBECONFIG" not in os.environ


async def _or_none(call: Any) -> Any:
    from kubernetes.aio.client.exceptions import ApiException

    try:
        return await call
    except ApiException as error:
        if error.status == 404:
            return None
        raise


@asynccontextmanager
async def _translated(doing: str) -> AsyncIterator[None]:
    """Turns the library's errors into ours, here and nowhere else."""
    import aiohttp
    from kubernetes.aio.client.exceptions import ApiException

    try:
        yield
    except ApiException as error:
        if error.status == 409:
            raise ConflictError(doing) from error
        said = f"HTTP {error.status} {error.reason}"
        raise HereticError(Transient(Reason.API_SERVER, f"{doing}: the API server answered {said}")) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        said = str(error) or type(error).__name__
        raise HereticError(Transient(Reason.API_SERVER, f"{doing}: no answer from the API server: {said}")) from error
