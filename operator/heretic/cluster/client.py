"""The API server as the loop needs it: objects, status, secrets, leases and events; errors in our taxonomy.

The only module that touches the Kubernetes client library. Objects travel as plain dictionaries, so that nothing
above depends on the library's models.
"""

import os
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from heretic.api.v1alpha1 import GROUP, VERSION
from heretic.domain.errors import HereticError, NeedsUser, Reason, Transient
from heretic.kinds import KINDS

if TYPE_CHECKING:
    from lightkube import AsyncClient

Object = dict[str, Any]

REQUEST_TIMEOUT = 15.0
"""Seconds that one request may take; a pass must not hang on a half-dead API server."""

FIELD_MANAGER = "heretic"

HTTP_NOT_FOUND = 404
HTTP_CONFLICT = 409


class ConflictError(Exception):
    """Somebody else wrote the object since it was read."""


class Cluster:
    """A connection to one API server."""

    def __init__(self, client: "AsyncClient") -> None:
        from lightkube.generic_resource import create_namespaced_resource
        from lightkube.resources.core_v1 import Event, Namespace, Secret

        self._client = client
        self._kinds: dict[str, Any] = {
            kind.PLURAL: create_namespaced_resource(GROUP, VERSION, kind.KIND, kind.PLURAL) for kind in KINDS.models
        }
        # As a plain dictionary: the library's own model would lose the fractions of a second that a Lease needs.
        self._lease: Any = create_namespaced_resource("coordination.k8s.io", "v1", "Lease", "leases")
        self._event: Any = Event
        self._namespace: Any = Namespace
        self._secret: Any = Secret

    @classmethod
    async def connect(cls, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """Prepares a connection; the first request opens it.

        Args:
            kubeconfig: Path of a kubeconfig file; None = the pod's service account, else the user's default file.
            context: Context in that file; None = the current one.

        Returns:
            The cluster.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration.
        """
        import httpx2
        from lightkube import AsyncClient, KubeConfig
        from lightkube.core.exceptions import ConfigError

        where = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
        try:
            in_pod = kubeconfig is None and "KUBECONFIG" not in os.environ and _in_pod()
            config = KubeConfig.from_service_account() if in_pod else KubeConfig.from_file(where)
            chosen = config.get(context_name=context)
            if chosen is None:
                raise ConfigError(f"there is no context {context or config.current_context!r}")
            client = AsyncClient(
                config=chosen, field_manager=FIELD_MANAGER, timeout=httpx2.Timeout(REQUEST_TIMEOUT), trust_env=False
            )
        except (ConfigError, OSError, ValueError, KeyError) as error:
            raise HereticError(NeedsUser(Reason.API_SERVER, f"{where} gives no API server: {error}")) from error
        return cls(client)

    async def close(self) -> None:
        """Closes the connection."""
        await self._client.aclose()

    async def read(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object of our group; None when it does not exist."""
        async with _translated(f"reading {plural}/{name}"):
            return await _or_none(self._client.get(self._kinds[plural], name, namespace=namespace))

    async def list(self, plural: str, namespace: str) -> list[Object]:
        """All objects of one kind in a namespace."""
        async with _translated(f"listing {plural}"):
            return [_plain(o) async for o in self._client.list(self._kinds[plural], namespace=namespace)]

    async def replace_status(self, plural: str, obj: Object) -> Object:
        """Writes ``obj["status"]`` if nobody wrote the object since.

        Raises:
            ConflictError: The object changed since ``obj`` was read.
            HereticError: The API server could not be reached or refused.
        """
        meta, status = obj["metadata"], self._kinds[plural].Status
        async with _translated(f"writing the status of {plural}/{meta['name']}"):
            written = await self._client.replace(status(obj), meta["name"], namespace=meta["namespace"])
            return _plain(written)

    async def annotate(self, plural: str, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        """Sets annotations of an object; None removes one."""
        from lightkube.types import PatchType

        body = {"metadata": {"annotations": dict(annotations)}}
        async with _translated(f"annotating {plural}/{name}"):
            await self._client.patch(self._kinds[plural], name, body, namespace=namespace, patch_type=PatchType.MERGE)

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret; None when it does not exist."""
        async with _translated(f"reading Secret {name}"):
            found = await _or_none(self._client.get(self._secret, name, namespace=namespace))
            return None if found is None else {k: b64decode(v) for k, v in (found.get("data") or {}).items()}

    async def identity(self) -> str:
        """What tells this cluster from all others, as long as it lives: the uid of the namespace kube-system."""
        async with _translated("reading Namespace kube-system"):
            found = _plain(await self._client.get(self._namespace, "kube-system"))
        return str(found["metadata"]["uid"])

    async def read_lease(self, namespace: str, name: str) -> Object | None:
        """A Lease; None when it does not exist."""
        async with _translated(f"reading Lease {name}"):
            return await _or_none(self._client.get(self._lease, name, namespace=namespace))

    async def write_lease(self, lease: Object, *, create: bool) -> Object:
        """Creates or replaces a Lease.

        Raises:
            ConflictError: It exists already, or changed since it was read.
            HereticError: The API server could not be reached or refused.
        """
        meta = lease["metadata"]
        async with _translated(f"writing Lease {meta['name']}"):
            body = self._lease(lease)
            write: Any = self._client.create if create else self._client.replace
            return _plain(await write(body, namespace=meta["namespace"]))

    async def create_event(self, namespace: str, event: Object) -> str:
        """Creates an Event and returns its name."""
        async with _translated("creating an Event"):
            create: Any = self._client.create  # its overloads know only the library's own types
            made = await create(self._event.from_dict(event), namespace=namespace)
            return str(made.metadata.name)

    async def repeat_event(self, namespace: str, name: str, count: int, last: str) -> None:
        """Raises the count of an Event; quietly does nothing when it is gone."""
        from lightkube.types import PatchType

        body = {"count": count, "lastTimestamp": last}
        async with _translated("updating an Event"):
            await _or_none(self._client.patch(self._event, name, body, namespace=namespace, patch_type=PatchType.MERGE))


def _in_pod() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ


def _plain(resource: Any) -> Object:
    plain: Object = resource.to_dict()
    return plain


async def _or_none(call: Awaitable[Any]) -> Object | None:
    from lightkube.core.exceptions import ApiError

    try:
        return _plain(await call)
    except ApiError as error:
        if error.status.code == HTTP_NOT_FOUND:
            return None
        raise


@asynccontextmanager
async def _translated(doing: str) -> AsyncIterator[None]:
    """Turns the library's errors into ours, here and nowhere else."""
    import httpx2
    from lightkube.core.exceptions import ApiError

    try:
        yield
    except ApiError as error:
        if error.status.code == HTTP_CONFLICT:
            raise ConflictError(doing) from error
        said = f"HTTP {error.status.code} {error.status.message}"
        raise HereticError(Transient(Reason.API_SERVER, f"{doing}: the API server answered {said}")) from error
    except (httpx2.HTTPError, OSError) as error:
        said = str(error) or type(error).__name__
        raise HereticError(Transient(Reason.API_SERVER, f"{doing}: no answer from the API server: {said}")) from error
