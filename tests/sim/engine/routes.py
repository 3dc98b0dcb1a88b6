"""Which service of the API a path belongs to, by the SDK's own tree of services."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import ovirtsdk4
from ovirtsdk4 import services

from sim.engine.messages import BareError

API = "/ovirt-engine/api"
_OF_SERVICES = frozenset({"service", "list", "get", "add", "update", "remove"})
_VERBS = {"GET": ("list", "get"), "POST": ("add",), "PUT": ("update",), "DELETE": ("remove",)}


@dataclass(frozen=True)
class Route:
    """An operation of a service.

    Attributes:
        service: Class of the SDK.
        operation: Name of its method.
        ids: The ids in the path, outermost first.
        path: Below the API, without a slash at either end.
        action: It is an action: its body is one.
    """

    service: Any
    operation: str
    ids: tuple[str, ...]
    path: str
    action: bool = False

    @property
    def usage(self) -> str:
        """Where its documentation is, below the API's."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", self.service.__name__.removesuffix("Service")).lower()
        return f"services/{name}/methods/{self.operation}"


def route(method: str, path: str) -> Route | None:
    """The operation; None: the API has no such path.

    Raises:
        EngineError: The service at that path does not know the method.
    """
    path = path.strip("/")
    service = _service(path)
    if service is not None:
        for operation in _VERBS.get(method, ()):
            if hasattr(service, operation):
                return Route(service, operation, _ids(path), path)
        raise BareError(405)
    parent, _, name = path.rpartition("/")
    service = _service(parent) if parent else None
    if service is None or name not in (known := actions(service)):
        return None
    if method != "POST":
        raise BareError(405)
    return Route(service, known[name], _ids(parent), parent, action=True)


@cache
def actions(service: Any) -> dict[str, str]:
    """The actions of a service: their names in paths -> their methods in the SDK."""
    methods = (name for name in dir(service) if not name.startswith("_") and name not in _OF_SERVICES)
    return {name.replace("_", ""): name for name in methods if not name.endswith("_service")}


def _service(path: str) -> Any:
    try:
        return type(services.SystemService(None, "").service(path))
    except ovirtsdk4.Error:
        return None


def _ids(path: str) -> tuple[str, ...]:
    """Every second segment is an id, as long as collections and their members alternate."""
    return tuple(path.split("/")[1::2])
