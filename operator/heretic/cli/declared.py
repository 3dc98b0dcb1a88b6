"""Where a command takes the declared objects from: the API server, manifests, or manifests laid over the API server.

Laid over means what ``kubectl apply`` would leave behind: the spec of the file, and what is recorded in the cluster
(uid, status with the automatic choices), so that a plan for a running site keeps the choices made for it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from heretic.cli.errors import fail
from heretic.cli.kubeconfig import is_configured, namespace_of
from heretic.cli.offline import ManifestFiles, read_manifests, read_private_key
from heretic.cli.options import Where
from heretic.cluster.client import Cluster
from heretic.domain.errors import HereticError
from heretic.kinds import KINDS
from heretic.reconcile.access import SECRET_KEY
from heretic.reconcile.store import ObjectStore

Object = dict[str, Any]

PATIENCE = 5.0
"""Seconds that a command with manifests waits for an API server that it could do without."""


class Keys:
    """Private keys: a file given by the user, else Secrets of the manifests, else the cluster's.

    Args:
        identity: Content of the file given by the user.
        secrets: Of the manifests.
        cluster: None when there is none.
        of_hosts: Whether they open hosts: then a file can stand in for a Secret that is not there.
    """

    def __init__(
        self,
        identity: bytes | None,
        secrets: Mapping[tuple[str, str], Mapping[str, bytes]],
        cluster: Cluster | None,
        *,
        of_hosts: bool = True,
    ) -> None:
        self._of_hosts = of_hosts
        self._identity = identity
        self._secrets = secrets
        self._cluster = cluster

    @property
    def of_engines(self) -> "Keys":
        """The same without the file, which opens hosts and no engine."""
        return Keys(None, self._secrets, self._cluster, of_hosts=False)

    async def secret(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The decoded data of a Secret; None when it does not exist."""
        if self._identity is not None:
            return {SECRET_KEY: self._identity}
        if (namespace, name) in self._secrets:
            return dict(self._secrets[(namespace, name)])
        if self._cluster is not None:
            return await self._cluster.secret(namespace, name)
        if not self._of_hosts:
            return None
        raise fail(
            f"no SSH key: the manifests hold no Secret {name}, and there is no cluster to ask; give --identity FILE"
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """The declared objects, and what it takes to reach their hosts.

    Attributes:
        store: All objects.
        namespaces: Those that have objects, in order.
        keys: The SSH keys.
        notes: What the user should know about where this comes from.
    """

    store: ObjectStore
    namespaces: tuple[str, ...]
    keys: Keys
    notes: tuple[str, ...] = ()


@asynccontextmanager
async def connected(where: Where) -> AsyncIterator[Cluster]:
    """A connection to the API server, closed at the end.

    Raises:
        HereticError: The kubeconfig is wrong.
    """
    if not is_configured(where.kubeconfig):
        raise fail("no cluster: there is no kubeconfig; give --kubeconfig FILE or set KUBECONFIG")
    cluster = await Cluster.connect(where.kubeconfig, where.context)
    try:
        yield cluster
    finally:
        await cluster.close()


async def read_objects(cluster: Cluster, namespace: str) -> list[tuple[str, Object]]:
    """All objects of our group in a namespace, each with its kind.

    Raises:
        HereticError: The API server did not answer or refused.
    """
    lists = await asyncio.gather(*(cluster.list(model.PLURAL, namespace) for model in KINDS.models))
    return [(kind, obj) for kind, objects in zip(KINDS, lists, strict=True) for obj in objects]


@asynccontextmanager
async def declared(
    where: Where, files: Sequence[str], identity: str | None, *, offline: bool
) -> AsyncIterator[Declared]:
    """The declared objects.

    Args:
        where: Which cluster and namespace.
        files: Manifests; empty = the objects of the namespace.
        identity: Private key file for all hosts.
        offline: Whether to leave the cluster alone; needs manifests.

    Raises:
        HereticError: Manifests or kubeconfig are wrong, nothing is declared, or the API server is needed and does
            not answer.
    """
    key = read_private_key(identity) if identity else None
    if not files:
        if offline:
            raise fail("--offline needs manifests: give -f FILE or -f DIR")
        async with connected(where) as cluster:
            namespace = where.namespace or namespace_of(where.kubeconfig, where.context)
            objects = await read_objects(cluster, namespace)
            if not objects:
                raise fail(f"namespace {namespace} has no objects of Heretic; give another one with --namespace")
            yield _gathered(objects, Keys(key, {}, cluster), ())
        return
    alone = offline or not is_configured(where.kubeconfig)
    default = where.namespace or ("default" if alone else namespace_of(where.kubeconfig, where.context))
    manifests = read_manifests(files, default)
    if not manifests.objects:
        raise fail(f"no objects of Heretic in {', '.join(files)}")
    if alone:
        yield _gathered(_new(manifests), Keys(key, manifests.secrets, None), ())
        return
    async with connected(where) as cluster:
        objects, notes = await _laid_over(cluster, manifests)
        yield _gathered(objects, Keys(key, manifests.secrets, None if notes else cluster), notes)


def _new(manifests: ManifestFiles) -> list[tuple[str, Object]]:
    """Objects that no API server has seen yet."""
    return [
        (str(o["kind"]), {**o, "metadata": {"uid": "", "generation": 1, **o["metadata"]}}) for o in manifests.objects
    ]


async def _laid_over(cluster: Cluster, manifests: ManifestFiles) -> tuple[list[tuple[str, Object]], tuple[str, ...]]:
    fresh = {(kind, o["metadata"]["namespace"], o["metadata"]["name"]): o for kind, o in _new(manifests)}
    stored: dict[tuple[str, str, str], Object] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            for namespace in sorted({key[1] for key in fresh}):
                for kind, obj in await read_objects(cluster, namespace):
                    stored[(kind, namespace, obj["metadata"]["name"])] = obj
    except (HereticError, TimeoutError) as error:
        said = error.failure.message if isinstance(error, HereticError) else "the API server did not answer"
        note = f"{said}; going by the files alone, automatic choices are made afresh"
        return [(key[0], obj) for key, obj in fresh.items()], (note,)
    both = {**stored, **{key: _applied(obj, stored.get(key)) for key, obj in fresh.items()}}
    return [(key[0], obj) for key, obj in both.items()], ()


def _applied(manifest: Object, stored: Object | None) -> Object:
    """What an object would be after ``kubectl apply``."""
    if stored is None:
        return manifest
    kind = str(manifest["kind"])
    meta = {**stored["metadata"]}
    try:
        same = _spec(kind, manifest) == _spec(kind, stored)
    except ValueError:
        same = False
    if not same:
        meta["generation"] = int(meta.get("generation") or 0) + 1
    return {**stored, "metadata": meta, "spec": manifest.get("spec") or {}}


def _spec(kind: str, obj: Object) -> object:
    return getattr(KINDS.parse(kind, obj), "spec")  # noqa: B009 - every kind has one; the base model cannot say it


def _gathered(objects: Sequence[tuple[str, Object]], keys: Keys, notes: tuple[str, ...]) -> Declared:
    store = ObjectStore()
    for kind, obj in objects:
        store.put(kind, obj)
    namespaces = tuple(sorted({obj["metadata"]["namespace"] for _, obj in objects}))
    return Declared(store, namespaces, keys, notes)
