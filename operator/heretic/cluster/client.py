"""The API server as the loop needs it: objects, status, secrets, leases and events; errors in our taxonomy.

Objects travel as plain dictionaries, so that nothing above depends on a library's models.
"""

from base64 import b64decode
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from heretic.api.v1alpha1 import GROUP, VERSION
from heretic.cluster.connection import FIELD_MANAGER, MERGE_PATCH, ApiError, ConflictError, Connection, Object
from heretic.cluster.manifests import ManifestClient
from heretic.domain.errors import HereticError, NeedsUser, Reason
from heretic.domain.generated import SECRET

if TYPE_CHECKING:
    from heretic.cluster.connection import Session

__all__ = ["Cluster", "ConflictError", "Object"]

CORE = "/api/v1"
OURS = f"/apis/{GROUP}/{VERSION}"
LEASES = "/apis/coordination.k8s.io/v1"
MANAGED_BY = "app.kubernetes.io/managed-by"
MADE_FOR = f"{GROUP}/made-for"
"""Annotation of a Secret: the object for which it was made."""
BASIC_AUTH = "kubernetes.io/basic-auth"
APPLY_CRDS = "kubectl apply --server-side -k crds"


class Cluster:
    """One API server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def connect(cls, kubeconfig: str | None = None, context: str | None = None) -> Self:
        """Prepares a connection; the first request opens it.

        Args:
            kubeconfig: Path of a kubeconfig file; None = the pod's service account, else the user's files.
            context: Context in that file; None = the current one.

        Returns:
            The cluster.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration.
        """
        return cls(await Connection.open(kubeconfig, context))

    async def close(self) -> None:
        """Closes the connection."""
        await self._connection.close()

    @property
    def server(self) -> str:
        """Its address."""
        return self._connection.server

    @property
    def manifests(self) -> ManifestClient:
        """Whole objects of any kind."""
        return ManifestClient(self._connection)

    async def log_in(self) -> tuple[str, "Session"]:
        """For those who speak HTTP themselves: the server's address and a session, for the caller to close.

        Raises:
            HereticError: NeedsUser, when there is no usable configuration any more.
        """
        session = await self._connection.new_session()
        return self._connection.server, session

    async def read(self, plural: str, namespace: str, name: str) -> Object | None:
        """One object of our group; None when it does not exist."""
        return await self._find(_path(OURS, namespace, plural, name), f"reading {plural}/{name}")

    async def list(self, plural: str, namespace: str) -> list[Object]:
        """All objects of one kind in a namespace."""
        doing = f"listing {plural}"
        try:
            found = await self._get(_path(OURS, namespace, plural), doing)
        except ApiError as error:
            raise await self._unknown(error) from error
        return list(found.get("items") or [])

    async def replace_status(self, plural: str, obj: Object) -> Object:
        """Writes ``obj["status"]`` if nobody wrote the object since.

        Raises:
            ConflictError: The object changed since ``obj`` was read.
            HereticError: The API server could not be reached or refused.
        """
        meta = obj["metadata"]
        path = _path(OURS, meta["namespace"], plural, meta["name"], "status")
        return await self._connection.request("PUT", path, f"writing the status of {plural}/{meta['name']}", body=obj)

    async def annotate(self, plural: str, namespace: str, name: str, annotations: Mapping[str, str | None]) -> None:
        """Sets annotations of an object; None removes one."""
        body = {"metadata": {"annotations": dict(annotations)}}
        path, doing = _path(OURS, namespace, plural, name), f"annotating {plural}/{name}"
        await self._connection.request("PATCH", path, doing, body=body, content_type=MERGE_PATCH)

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret; None when it does not exist."""
        found = await self._find(_path(CORE, namespace, "secrets", name), f"reading Secret {name}")
        return None if found is None else {k: b64decode(v) for k, v in (found.get("data") or {}).items()}

    async def create_secret(self, namespace: str, name: str, data: Mapping[str, str], made_for: str) -> None:
        """Makes a Secret of user and password. It has no owner: it stays when what it is for is deleted.

        Raises:
            ConflictError: There is one of this name; it stays as it is.
            HereticError: NeedsUser, where the operator may not make any; else the API server could not be reached.
        """
        meta = {"name": name, "labels": {MANAGED_BY: FIELD_MANAGER}, "annotations": {MADE_FOR: made_for}}
        body = {"apiVersion": "v1", "kind": SECRET, "type": BASIC_AUTH, "metadata": meta, "stringData": dict(data)}
        doing = f"making Secret {name}"
        try:
            await self._connection.request("POST", _path(CORE, namespace, "secrets"), doing, body=body)
        except ApiError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            how = f"kubectl -n {namespace} create secret generic {name} --type={BASIC_AUTH} " + " ".join(
                f"--from-file={key}=FILE" for key in sorted(data)
            )
            why = f"{error.failure.message}; make it yourself: {how}"
            raise HereticError(NeedsUser(Reason.CREDENTIALS_MISSING, why)) from error

    async def identity(self) -> str:
        """What tells this cluster from all others, as long as it lives: the uid of the namespace kube-system."""
        found = await self._get(f"{CORE}/namespaces/kube-system", "reading Namespace kube-system")
        return str(found["metadata"]["uid"])

    async def read_lease(self, namespace: str, name: str) -> Object | None:
        """A Lease; None when it does not exist."""
        return await self._find(_path(LEASES, namespace, "leases", name), f"reading Lease {name}")

    async def write_lease(self, lease: Object, *, create: bool) -> Object:
        """Creates or replaces a Lease.

        Raises:
            ConflictError: It exists already, or changed since it was read.
            HereticError: The API server could not be reached or refused.
        """
        meta = lease["metadata"]
        path = _path(LEASES, meta["namespace"], "leases", *([] if create else [meta["name"]]))
        return await self._connection.request(
            "POST" if create else "PUT", path, f"writing Lease {meta['name']}", body=lease
        )

    async def create_event(self, namespace: str, event: Object) -> str:
        """Creates an Event and returns its name."""
        body = {"apiVersion": "v1", "kind": "Event", **event}
        path = _path(CORE, namespace, "events")
        made = await self._connection.request("POST", path, "creating an Event", body=body)
        return str(made["metadata"]["name"])

    async def repeat_event(self, namespace: str, name: str, count: int, last: str) -> None:
        """Raises the count of an Event; quietly does nothing when it is gone."""
        body = {"count": count, "lastTimestamp": last}
        path, doing = _path(CORE, namespace, "events", name), "updating an Event"
        try:
            await self._connection.request("PATCH", path, doing, body=body, content_type=MERGE_PATCH)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _get(self, path: str, doing: str) -> Object:
        return await self._connection.request("GET", path, doing)

    async def _find(self, path: str, doing: str) -> Object | None:
        try:
            return await self._get(path, doing)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def _unknown(self, error: ApiError) -> HereticError:
        """What to say of a refusal that may mean that the API server does not know our kinds."""
        if error.status != HTTPStatus.NOT_FOUND:
            return error
        try:
            group = await self._find(f"/apis/{GROUP}", f"asking for the versions of {GROUP}")
        except HereticError:
            return error
        versions = [str(version["version"]) for version in (group or {}).get("versions") or []]
        said = f"the API server does not know {GROUP}: the CRDs are not installed"
        if versions:
            said = f"the CRDs in the cluster are of version {', '.join(versions)}, and this Heretic speaks {VERSION}"
        if VERSION in versions:
            said = f"the CRDs in the cluster lack a kind of this Heretic ({error.failure.message})"
        return HereticError(NeedsUser(Reason.API_SERVER, f"{said}; install those of this version: {APPLY_CRDS}"))


def _path(api: str, namespace: str, *rest: str) -> str:
    return "/".join((api, "namespaces", *(quote(part, safe="") for part in (namespace, *rest))))
