"""``heretic bootstrap``: the operator into a cluster, and a fresh SSH key for one site.

Nothing is overwritten: everything is looked at before the first change, and what differs is told. The private key is
made in memory and handed to the API server; it never lies on a disk of this machine (docs/adr/0030).
"""

import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from heretic.api.v1alpha1.site import SiteSSH
from heretic.cli import render, wanted
from heretic.cli.bundle import access_objects, operator_objects
from heretic.cli.changes import (
    Change,
    differences,
    is_stopped,
    kept_stopped,
    refusal,
    refuse_newer,
    refuse_what_ends,
)
from heretic.cli.declared import connected
from heretic.cli.errors import fail
from heretic.cli.kubeconfig import FALLBACK, namespace_of
from heretic.cli.options import Exit, Overlay, Where
from heretic.cluster.client import Cluster
from heretic.cluster.connection import ApiError, ConflictError
from heretic.cluster.manifests import ManifestClient
from heretic.domain.errors import HereticError
from heretic.hosts.keys import new_private_key, public_line
from heretic.reconcile.access import SECRET_KEY

Object = dict[str, Any]

SECRET = SiteSSH().credentials_ref.name
OPERATOR: Object = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "heretic-operator", "namespace": "heretic-system"},
}


async def run(where: Where, overlay: Overlay | None, *, upgrade: bool, site_only: bool, dry_run: bool) -> Exit:
    """Installs the operator and gives it its rights in one site.

    Args:
        where: Which cluster, and the site's namespace.
        overlay: Of the operator's manifests, for a kind of cluster.
        upgrade: Whether what is there and differs may be brought to this version.
        site_only: Whether the operator stays as it is.
        dry_run: Whether to say only what would be done.

    Raises:
        HereticError: The cluster cannot be used, or something that is there stands in the way.
    """
    async with connected(where) as cluster:
        namespace = site_namespace(where)
        manifests = cluster.manifests
        operator = () if site_only else operator_objects(overlay.value if overlay else None)
        with _rights():
            key = await _existing_key(cluster, namespace)
            if site_only and await manifests.find(OPERATOR) is None:
                raise fail("there is no operator in this cluster yet: leave out --site-only")
            changes = [await _look(manifests, obj) for obj in (*operator, *access_objects(namespace))]
            if not upgrade:
                _refuse_differences(changes, "" if site_only else namespace)
            render.note(f"{cluster.server} {'would get' if dry_run else 'gets'} heretic {version('heretic')}")
            await _apply(manifests, changes, dry_run=dry_run)
            if dry_run:
                _tell_key(namespace, "would be made" if key is None else "stays as it is")
                return Exit.OK
            line = key or await _new_key(cluster, namespace)
    _tell_next(namespace, line, fresh=key is None)
    return Exit.OK


def site_namespace(where: Where) -> str:
    """The namespace of the site: as the user says, else as the context says; never Kubernetes' own default.

    Raises:
        HereticError: None is named, or it is no place for a site.
    """
    name = where.namespace or namespace_of(where.kubeconfig, where.context)
    if name == FALLBACK and not where.namespace:
        raise fail("say in which namespace the site shall live: --namespace NAME, such as --namespace home")
    return wanted.namespace(name)


async def _look(manifests: ManifestClient, manifest: Object) -> Change:
    """What would change, by a rehearsal on the API server, which also says what it would refuse."""
    stored = await manifests.find(manifest)
    if stored is None:
        try:
            await manifests.apply(manifest, force=False, dry_run=True)
        except ApiError as error:
            # Its namespace is as new as itself, and a rehearsal leaves none behind.
            if error.status != HTTPStatus.NOT_FOUND:
                raise
        return Change(manifest)
    refuse_what_ends(stored)
    refuse_newer(stored, version("heretic"))
    manifest = kept_stopped(manifest, stored)
    would = await manifests.apply(manifest, force=True, dry_run=True)
    return Change(manifest, stored, differences(stored, would))


def _refuse_differences(changes: Sequence[Change], namespace: str) -> None:
    """Stops where something would be overwritten.

    Args:
        changes: All manifests beside what is stored.
        namespace: Of the site; empty where the operator is left alone anyway.

    Raises:
        HereticError: Something would be.
    """
    different = [change for change in changes if change.differences]
    if different:
        less = f"; --site-only leaves the operator as it is and lets it into namespace {namespace}" if namespace else ""
        raise fail(
            f"nothing was changed, because what is in the cluster differs from heretic {version('heretic')}: "
            f"{refusal(different)}. --upgrade brings it to this version{less}"
        )


async def _apply(manifests: ManifestClient, changes: Sequence[Change], *, dry_run: bool) -> None:
    due = [change for change in changes if change.is_new or change.differences]
    for change in due:
        if not dry_run:
            await _apply_one(manifests, change)
        done = "created" if change.is_new else "changed"
        render.note(f"{'to be ' if dry_run else ''}{done}: {change.title}")
    if any(is_stopped(change.stored) for change in changes):
        render.note("a person stopped the operator (0 replicas): it stays stopped")
    rest = len(changes) - len(due)
    if rest:
        render.note(f"{render.count(rest, 'object')} {'is' if rest == 1 else 'are'} there already, as they should be")


async def _apply_one(manifests: ManifestClient, change: Change) -> None:
    again = "what was done before it stays; run this again"
    try:
        await manifests.apply(change.manifest, force=not change.is_new)
    except ConflictError:
        raise fail(f"somebody else wrote {change.title} in this moment; {again}") from None
    except ApiError as error:
        raise ApiError(f"{error.failure.message}; {again}", error.status) from None
    except HereticError as error:
        raise fail(f"{error.failure.message}; {again}") from None


async def _existing_key(cluster: Cluster, namespace: str) -> str | None:
    """The public line of the site's key; None when there is no Secret yet.

    Raises:
        HereticError: There is a Secret from which no key can be read.
    """
    data = await cluster.secret(namespace, SECRET)
    if data is None:
        return None
    said = f"nothing was changed, because Secret {SECRET} in namespace {namespace} is there already and"
    how = f"correct it, or delete it for a fresh key: kubectl --namespace {namespace} delete secret {SECRET}"
    if not data.get(SECRET_KEY):
        raise fail(f"{said} has no key {SECRET_KEY}: {how}")
    try:
        return public_line(data[SECRET_KEY].decode())
    except ValueError as error:
        raise fail(f"{said} its {SECRET_KEY} is no private key without passphrase ({error}): {how}") from None


async def _new_key(cluster: Cluster, namespace: str) -> str:
    private = new_private_key(f"heretic-{namespace}")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": namespace},
        "type": "kubernetes.io/ssh-auth",
        "data": {SECRET_KEY: b64encode(private.encode()).decode()},
    }
    if await cluster.manifests.create(secret):
        return public_line(private)
    key = await _existing_key(cluster, namespace)
    if key is None:
        raise fail(f"Secret {SECRET} in namespace {namespace} came and went in this moment; run this again")
    return key


@contextmanager
def _rights() -> Iterator[None]:
    """Says what a refusal means here."""
    try:
        yield
    except ApiError as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        said = error.failure.message.partition("; grant the right")[0]
        raise fail(
            f"{said}; this needs the rights of an administrator of the cluster (k3s keeps such a kubeconfig in "
            "/etc/rancher/k3s/k3s.yaml, for root only)"
        ) from None


def _tell_key(namespace: str, what: str) -> None:
    render.note(f"Secret {SECRET} in namespace {namespace} {what}")


def _tell_next(namespace: str, line: str, *, fresh: bool) -> None:
    """The line for the hosts goes to standard output, alone: it can be sent through a pipe to a host."""
    if fresh:
        _tell_key(namespace, "was created; it holds the only copy of the private key, which no disk here has seen")
    else:
        _tell_key(namespace, "was there already, and stays as it is")
    render.note("append this line to /root/.ssh/authorized_keys of each host:")
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    render.note("see the operator start: kubectl --namespace heretic-system rollout status deployment heretic-operator")
    render.note(f"then describe the site: heretic init --namespace {namespace}")
