"""Whole objects of any kind, as manifests have them: read, applied by the API server, created.

Applied means server-side apply: the API server knows whose each field is, and takes away what we no longer say.
"""

from http import HTTPStatus
from urllib.parse import quote

from heretic.cluster.connection import ApiError, ConflictError, Connection, Object

MANAGER = "heretic-bootstrap"
"""The field manager of what is applied; one name for all versions, so that a later one can take fields away."""

APPLY_PATCH = "application/apply-patch+yaml"


class ManifestClient:
    """Objects of one API server, by their manifests.

    Args:
        connection: To the API server.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, obj: Object) -> Object | None:
        """The stored object of a manifest's kind and name; None when it does not exist.

        Raises:
            HereticError: The API server could not be reached, or refused.
        """
        try:
            return await self._connection.request("GET", path_of(obj), f"reading {title_of(obj)}")
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def apply(self, obj: Object, *, force: bool, dry_run: bool = False) -> Object:
        """Makes the object as its manifest says, and leaves fields alone that the manifest does not have.

        Args:
            obj: The manifest.
            force: Whether to take over fields that others set to something else.
            dry_run: Whether to store nothing.

        Returns:
            The object as it is now, or would be.

        Raises:
            ConflictError: Others set fields to something else, and it was not forced.
            HereticError: The API server could not be reached, or refused.
        """
        query = {"fieldManager": MANAGER, "force": "true" if force else "false"}
        return await self._connection.request(
            "PATCH",
            path_of(obj),
            f"applying {title_of(obj)}",
            body=obj,
            content_type=APPLY_PATCH,
            query=query | ({"dryRun": "All"} if dry_run else {}),
        )

    async def create(self, obj: Object) -> bool:
        """Creates the object.

        Returns:
            False when there is one of this name already, which stays as it is.

        Raises:
            HereticError: The API server could not be reached, or refused.
        """
        folder, _, _ = path_of(obj).rpartition("/")
        try:
            await self._connection.request(
                "POST", folder, f"creating {title_of(obj)}", body=obj, query={"fieldManager": MANAGER}
            )
        except ConflictError:
            return False
        return True


def title_of(obj: Object) -> str:
    """How messages name an object."""
    meta = obj["metadata"]
    return f"{obj['kind']} {meta['name']}" + (f" in namespace {meta['namespace']}" if "namespace" in meta else "")


def path_of(obj: Object) -> str:
    """Where the API server keeps an object."""
    version, meta = str(obj["apiVersion"]), obj["metadata"]
    namespace = ["namespaces", str(meta["namespace"])] if "namespace" in meta else []
    parts = [*namespace, _plural(str(obj["kind"])), str(meta["name"])]
    return "/".join(("/apis" if "/" in version else "/api", version, *(quote(part, safe="") for part in parts)))


def _plural(kind: str) -> str:
    """The name of a kind in addresses; all kinds of Kubernetes that manifests here have follow English."""
    word = kind.lower()
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("s") else f"{word}s"
