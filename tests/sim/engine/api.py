"""The REST API: who asks, for what, and in which form it is answered."""

from collections.abc import Sequence
from inspect import signature
from uuid import uuid4

from sim.engine import (
    affinity,
    attached_domains,
    catalogue,
    cluster_networks,
    clusters,
    data_centers,
    fence_agents,
    fencing,
    gluster_volumes,
    history,
    host_labels,
    host_nics,
    host_update,
    host_upgrade,
    hosts,
    networks,
    provider_use,
    providers,
    root,
    setup_networks,
    storage_domains,
    vm_actions,
    vms,
    vnic_profiles,
)
from sim.engine.calls import Call, CallAnswer, Created, Operations, Performed, RecordedDocument
from sim.engine.messages import (
    HTML,
    BareError,
    EngineError,
    FaultError,
    HttpRequest,
    HttpResponse,
    NotToldError,
    PageError,
    PlainError,
    servlet_page,
)
from sim.engine.model import elements
from sim.engine.render import Item, Listing, action, document, element, fault, response
from sim.engine.routes import API, route
from sim.engine.search import matches
from sim.engine.shapes import SHAPES
from sim.engine.sso import NoEntryError, Sso, no_entry
from sim.engine.state import EngineState

_PARTS = (
    *(root, catalogue, data_centers, clusters, networks, cluster_networks, vnic_profiles),
    *(hosts, host_update, host_upgrade, host_nics, setup_networks, fence_agents, fencing, gluster_volumes),
    *(affinity, storage_domains, attached_domains, vms, vm_actions, providers, provider_use, host_labels, history),
)
OPERATIONS: Operations = {name: operation for part in _PARTS for name, operation in part.OPERATIONS.items()}
"""All that this engine was told, by service and operation."""

_COLLECTIONS = frozenset(name for name, _ in root.links())
_KNOWN_PARAMETERS = frozenset(
    {
        "max",
        "search",
        "case_sensitive",
        "follow",
        "from",
        "all_content",
        "correlation_id",
        "deploy_hosted_engine",
        "activate",
        "reboot",
        "host",
        "format",
        "destroy",
    }
)


def answer(request: HttpRequest, state: EngineState, sso: Sso) -> HttpResponse:
    """The answer to a request below the API's path.

    Raises:
        NotToldError: It is not known what the engine would say.
    """
    try:
        user = sso.user_of(request)
    except NoEntryError as refused:
        return no_entry(str(refused))
    given = request.headers.get("correlation-id") or request.query.get("correlation_id")
    correlation = given or str(uuid4())
    as_json = False
    try:
        as_json = _as_json(request)
        found = _answer(request, state, user, correlation, as_json)
    except EngineError as refused:
        found = _refusal(request, refused, as_json)
        if isinstance(refused, PageError):
            return found
    return HttpResponse(found.status, found.content_type, found.body, {"Correlation-Id": correlation, **found.headers})


def _answer(request: HttpRequest, state: EngineState, user: str, correlation: str, as_json: bool) -> HttpResponse:
    path = request.path.removeprefix(API)
    found = route(request.method, path)
    if found is None and path.strip("/").partition("/")[0] in _COLLECTIONS:
        # Networks, for example, give links below their data centers to which the SDK has no service.
        raise NotToldError("a path that the SDK does not know")
    if found is None:
        raise PlainError(404, f"RESTEASY003210: Could not find resource for full path: {request.base}{API}/v4{path}")
    operation = OPERATIONS.get((found.service, found.operation))
    if operation is None:
        raise NotToldError(f"{found.operation} of {found.service.__name__}")
    call = Call(state, request, found, user, correlation)
    _check_parameters(call)
    return _respond(call, _looked(call, operation(call)), as_json)


def _respond(call: Call, found: CallAnswer, as_json: bool) -> HttpResponse:
    match found:
        case Created(item):
            made = response(201, element(item), as_json)
            place = f"{call.request.base}{API}/v4{item.href}"
            return HttpResponse(201, made.content_type, made.body, {"Location": place})
        case Performed(job, told):
            return response(200, action(job, told), as_json)
        case RecordedDocument(tree):
            made = response(200, tree, as_json)
            headers = {} if call.route.path else {"Link": root.link_header(call.request.base)}
            return HttpResponse(200, made.content_type, made.body, headers)
        case _:
            return response(200, document(found), as_json)


def _check_parameters(call: Call) -> None:
    """The engine passes over a parameter that it does not know; one that it knows must have been told."""
    known = signature(getattr(call.route.service, call.route.operation)).parameters
    for name in call.request.query:
        if name in known and name not in _KNOWN_PARAMETERS:
            raise NotToldError(f"the parameter {name} of {call.route.usage}")
    if call.flag("async") or call.request.headers.get("expect") == "202-accepted":
        raise NotToldError("an operation that is not waited for")


def _looked(call: Call, found: CallAnswer) -> CallAnswer:
    """What `search`, `max` and `follow` leave of an answer, and add to it."""
    query = call.request.query
    if isinstance(found, Listing):
        if search := query.get("search"):
            exact = query.get("case_sensitive") != "false"
            found.items = [item for item in found.items if matches(search, item.value, exact)]
        if (limit := query.get("max")) is not None:
            found.items = _first(found.items, limit)
    if follow := query.get("follow"):
        items: Sequence[Item] = (
            [found] if isinstance(found, Item) else found.items if isinstance(found, Listing) else ()
        )
        for name in follow.split(","):
            for item in items:
                _follow(call, item, name)
    return found


def _first(items: list[Item], limit: str) -> list[Item]:
    try:
        number = int(limit)
    except ValueError as error:
        raise NotToldError(f"max={limit}") from error
    return items[:number] if number >= 0 else items


def _follow(call: Call, item: Item, name: str) -> None:
    kind = type(item.value).__name__
    name = name.replace("_", "")  # either the element or the link names it
    tags = [tag for tag, inner in elements(f"{kind}Reader").items() if inner.many and tag.replace("_", "") == name]
    if not tags:
        # Of a link whose element has another name it is not known what becomes.
        shape = SHAPES.get(type(item.value))
        if "." in name or name in elements(f"{kind}Reader") or (shape and name in shape.links):
            raise NotToldError(f"follow={name}")
        raise PageError(
            500,
            "java.lang.RuntimeException: org.jboss.resteasy.spi.UnhandledException: java.lang.IllegalStateException: "
            f"Problem following '{name}' link in {kind}",
        )
    inside = route("GET", f"{item.href.removeprefix(API)}/{name}")
    operation = OPERATIONS.get((inside.service, inside.operation)) if inside else None
    if inside is None or operation is None:
        raise NotToldError(f"follow={name} of {kind}")
    found = operation(Call(call.state, HttpRequest("GET", ""), inside, call.user, call.correlation))
    if not isinstance(found, Listing):
        raise NotToldError(f"follow={name} of {kind}")
    item.followed[tags[0]] = found.items


def _as_json(request: HttpRequest) -> bool:
    accepted = request.headers.get("accept", "*/*")
    if "application/json" in accepted:
        return True
    if "application/xml" in accepted or "*/*" in accepted:
        return False
    raise BareError(406)


def _refusal(request: HttpRequest, refused: EngineError, as_json: bool) -> HttpResponse:
    match refused:
        case FaultError(status=status, detail=detail, reason=reason):
            return response(status, fault(detail, reason), as_json)
        case PlainError(status=status):
            return HttpResponse(status, HTML, str(refused).encode())
        case PageError(status=status):
            query = "&".join(f"{name}={value}" for name, value in request.query.items())
            body = servlet_page(request.path.removeprefix(API), query or "null", str(refused))
            return HttpResponse(status, HTML, body)
        case _:
            return HttpResponse(refused.status)
