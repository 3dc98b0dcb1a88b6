"""The SDK's own tree of services has every service that Heretic touches; its client reads there what Heretic reads."""

import ast
import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import ovirtsdk4
import pytest
from ovirtsdk4 import services, types

import heretic.domain
from heretic.domain.engine.call import ApiMethod
from heretic.domain.engine.extras import Extra
from heretic.domain.engine.power import PowerOf
from heretic.engine import model
from heretic.engine.engines import Engines
from sim.engine import api
from sim.engine.routes import API, route
from sim.engine.self_hosted import deploy_hosted_engine
from sim.engine.server import EngineServer
from unit.engine.recorded import settings

ROOT = Path(heretic.domain.__file__).parent
ID = "00000000-0000-4000-8000-000000000001"
_PLACES = ("path", "place")
METHODS = {ApiMethod.ADD: "POST", ApiMethod.UPDATE: "PUT", ApiMethod.REMOVE: "DELETE"}


class Anything:
    """A step or one of its fields; whatever else stands in a path is an id.

    Args:
        cls: Of the step, whose properties are known.
    """

    def __init__(self, cls: Any = object) -> None:
        self._cls = cls

    def __getattr__(self, name: str) -> Any:
        known = getattr(self._cls, name, None)
        return known.fget(self) if isinstance(known, property) and known.fget else Anything()

    def __str__(self) -> str:
        return ID


class Names(dict[str, Any]):
    """What is known in a function."""

    def __missing__(self, name: str) -> Any:
        return Anything()


def value(node: ast.expr, names: Names) -> Any:
    return eval(compile(ast.Expression(node), "<step>", "eval"), {"__builtins__": {}}, names)


def calls_of(name: str) -> Iterator[tuple[ast.Call, Names]]:
    """Every call of a class of that name in the domain's functions, with what is known there."""
    for path in sorted(ROOT.rglob("*.py")):
        dotted = ".".join(("heretic.domain", *path.relative_to(ROOT).with_suffix("").parts))
        tree = ast.parse(path.read_text())
        if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree)):
            continue
        module = vars(import_module(dotted))
        for owner in ast.walk(tree):
            if not isinstance(owner, ast.ClassDef | ast.Module):
                continue
            for function in (one for one in owner.body if isinstance(one, ast.FunctionDef)):
                names = Names(module)
                names["self"] = Anything(module.get(getattr(owner, "name", "")))
                for line in function.body:
                    match line:
                        case ast.Assign(targets=[ast.Name(id=local)], value=ast.JoinedStr()) if local in _PLACES:
                            names[local] = value(line.value, names)
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                        yield node, names


def requests() -> Iterator[tuple[str, str]]:
    """Every operation of a step, and its path with ids."""
    for call, names in calls_of("EngineRequest"):
        operation, path = (value(node, names) for node in call.args[:2])
        yield str(operation), str(path)


REQUESTS = sorted(set(requests()))


def test_the_requests_of_steps_are_found() -> None:
    assert len(REQUESTS) >= 25
    assert not [path for _, path in REQUESTS if path.startswith(ID)], "a path is not understood"
    assert {operation for operation, _ in REQUESTS} >= {"add", "update", "remove", "deactivate", "install"}


@pytest.mark.parametrize(("operation", "path"), REQUESTS, ids=[f"{o} {p.replace(ID, 'ID')}" for o, p in REQUESTS])
def test_the_sdks_tree_has_every_operation_of_a_step_and_the_simulated_engine_was_told_it(
    operation: str, path: str
) -> None:
    service = services.SystemService(None, "").service(path)
    assert callable(getattr(service, operation, None)), f"{path} has no {operation}"
    try:
        method, where = METHODS[ApiMethod(operation)], path
    except ValueError:
        method, where = "POST", f"{path}/{operation.replace('_', '')}"
    found = route(method, where)
    assert found is not None
    assert (found.service, found.operation) == (type(service), operation)
    assert (found.service, found.operation) in api.OPERATIONS


def things() -> Iterator[str]:
    for call, names in calls_of("Thing"):
        yield str(value(call.args[0], names))


@pytest.mark.parametrize("path", sorted({path.replace(ID, "ID") for path in things()}))
def test_the_sdks_tree_lists_everything_that_a_step_expects(path: str) -> None:
    assert callable(services.SystemService(None, "").service(path.replace("ID", ID)).list)


def read_by_the_sdk(system: Any, path: str, query: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    service = system.service(path) if path else system
    if not hasattr(service, "list"):
        return [(getattr(service.get(), "id", None), None)]
    given = {name: {"true": True}.get(text, int(text) if text.isdigit() else text) for name, text in query.items()}
    return [(one.id, one.name) for one in service.list(**given)]


async def test_the_sdks_client_reads_at_every_place_what_heretic_reads(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, dict[str, str], bytes]] = []
    with EngineServer() as server:
        state, given = server.engine.state, server.engine.sso.passwords["admin"]
        deploy_hosted_engine(state, host="node1", address="192.0.2.11")
        (host,) = state.hosts
        state.insert(state.affinity_labels, types.AffinityLabel(name="ssd"))
        answer = server.engine.answer

        def listening(request: Any) -> Any:
            response = answer(request)
            if request.path.startswith(API) and request.method == "GET":
                heard.append((request.path.removeprefix(API).strip("/"), dict(request.query), response.body))
            return response

        monkeypatch.setattr(server.engine, "answer", listening)
        asked = frozenset({*Extra, PowerOf(host, tests=False, due=None)})
        facts = await engines.look(
            replace(settings(server.port, server.engine.authority.pem), password=given), extras=asked
        )
        assert facts.hosts
        monkeypatch.setattr(server.engine, "answer", answer)
        assert {path.partition("/")[0] for path, _, _ in heard} >= {
            *("", "datacenters", "clusters", "hosts", "networks", "storagedomains", "macpools", "vms", "events"),
            "affinitylabels",
        }
        trusted = tmp_path / "ca.pem"
        trusted.write_text(server.engine.authority.pem)
        connection = await asyncio.to_thread(
            ovirtsdk4.Connection, url=server.url, username="admin@internal", password=given, ca_file=str(trusted)
        )
        for path, query, body in heard:
            if path == "events":
                continue  # this client's own login is one of them
            ours = [(one.get("id"), one.get("name")) for one in model.records_of(body)]
            theirs = await asyncio.to_thread(read_by_the_sdk, connection.system_service(), path, query)
            assert (ours if path else [(None, None)]) == theirs, path
        await asyncio.to_thread(connection.close)
        assert server.engine.refused == []
