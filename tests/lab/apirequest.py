"""What a request to the Kubernetes API asks for, read from its method and path as the API server does."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}


@dataclass(eq=False)
class ApiRequest:
    """One request, in the words of RBAC, and what became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""  # "" for what is no resource: /readyz, /version, discovery
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    agent: str = ""
    body: bytes = field(default=b"", repr=False)
    status: int | None = None  # what the client was told; None if it was told nothing (yet)


Filter = Callable[[ApiRequest], bool]


def anything(request: ApiRequest) -> bool:
    """The filter that lets every request through."""
    return True


def to(
    resource: str | None = None,
    *,
    verb: str | Collection[str] | None = None,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str | None = None,
) -> Filter:
    """A filter for requests by what they ask for. None means any; `subresource=""` is the object itself."""
    verbs = {verb} if isinstance(verb, str) else verb
    wanted = {"resource": resource, "namespace": namespace, "name": name, "subresource": subresource}

    def matches(request: ApiRequest) -> bool:
        if verbs is not None and request.verb not in verbs:
            return False
        return all(value is None or getattr(request, key) == value for key, value in wanted.items())

    return matches


def parse(method: str, path: str, query: Mapping[str, str], agent: str, body: bytes) -> ApiRequest:
    """Read a request as the API server does: /apis/GROUP/VERSION[/namespaces/NS]/RESOURCE[/NAME[/SUBRESOURCE]]."""
    request = ApiRequest(method, path, query, verb=method.lower(), agent=agent, body=body)
    parts = path.strip("/").split("/")
    prefix = {"api": 2, "apis": 3}.get(parts[0])
    if prefix is None or len(parts) <= prefix:
        return request
    request.group = parts[1] if prefix == 3 else ""
    request.version = parts[prefix - 1]
    rest = parts[prefix:]
    if rest[0] == "namespaces" and len(rest) > 1:
        request.namespace = rest[1]
        if len(rest) > 2 and rest[2] not in ("status", "finalize"):  # the subresources of a namespace itself
            rest = rest[2:]
    request.resource, request.name, request.subresource = [*rest, "", ""][:3]
    request.verb = _verb(request)
    return request


def _verb(request: ApiRequest) -> str:
    if request.method == "GET":
        if request.query.get("watch", "false") not in ("", "0", "false"):
            return "watch"
        return "get" if request.name else "list"
    if request.method == "DELETE":
        return "delete" if request.name else "deletecollection"
    return _VERBS.get(request.method, request.method.lower())
