"""What every schema must be: structural, bounded, described, and the same as the committed files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import BaseModel, Field

from heretic.api import crd, reference
from heretic.api.schema import VALIDATIONS
from heretic.api.structural import NotStructuralError, structural
from heretic.api.v1alpha1 import GlusterVolume, Resource
from heretic.api.v1alpha1.common import CommonStatus, StoredPlan, StoredStep
from heretic.api.v1alpha1.gluster_volume import GlusterVolumeStatus
from heretic.api.v1alpha1.volume_status import BrickStatus
from heretic.generate import generated, main, stale
from heretic.kinds import KINDS

ROOT = Path(__file__).parents[3]

Schema = dict[str, Any]


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every schema in a schema, with its path."""
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from nodes(schema["additionalProperties"], f"{path}.*")


ALL = [
    (path, schema)
    for kind in KINDS.models
    for part in ("spec", "status")
    for path, schema in nodes(crd.object_schema(kind)["properties"][part], f"{kind.KIND}.{part}")
]
IDS = [path for path, _ in ALL]
SPEC_IDS = [path for path in IDS if ".spec" in path]


def test_there_is_something_to_check() -> None:
    assert len(ALL) > 150
    assert {schema["type"] for _, schema in ALL} == {"object", "array", "string", "integer", "boolean"}


@pytest.mark.parametrize(("path", "schema"), ALL, ids=IDS)
def test_is_structural(path: str, schema: Schema) -> None:
    forbidden = {"$ref", "anyOf", "oneOf", "allOf", "not", "nullable", "title", "pattern"}
    assert not forbidden & set(schema)
    assert not (schema["type"] == "object" and "properties" in schema and "additionalProperties" in schema)


@pytest.mark.parametrize(("path", "schema"), ALL, ids=IDS)
def test_is_bounded(path: str, schema: Schema) -> None:
    match schema["type"]:
        case "string":
            assert "maxLength" in schema or "enum" in schema
        case "array":
            assert schema["maxItems"] > 0
            assert schema["x-kubernetes-list-type"] in ("atomic", "set", "map")
        case "integer":
            assert schema["format"] in ("int32", "int64")
            assert ".status" in path or "enum" in schema or {"minimum", "maximum"} <= set(schema)
        case "object":
            assert "properties" in schema or "maxProperties" in schema


@pytest.mark.parametrize(("path", "schema"), [a for a in ALL if not a[0].endswith(("[]", ".*"))])
def test_is_described_in_sentences(path: str, schema: Schema) -> None:
    assert len(schema["description"]) > 10
    assert schema["description"].rstrip().endswith((".", ")"))


@pytest.mark.parametrize(("path", "schema"), [a for a in ALL if "x-kubernetes-list-map-keys" in a[1]])
def test_keys_of_a_list_are_required(path: str, schema: Schema) -> None:
    assert set(schema["x-kubernetes-list-map-keys"]) <= set(schema["items"]["required"])


@pytest.mark.parametrize(("path", "schema"), [a for a in ALL if VALIDATIONS in a[1]])
def test_refusals_tell_what_to_do(path: str, schema: Schema) -> None:
    for rule in schema[VALIDATIONS]:
        assert set(rule) == {"rule", "message"}
        assert "must" in rule["message"] or "may not be specified when" in rule["message"]


def test_only_a_spec_has_defaults_and_a_new_object_is_not_taken_for_observed() -> None:
    defaults = {path: schema["default"] for path, schema in ALL if "default" in schema}

    assert {path: d for path, d in defaults.items() if ".status" in path} == {
        f"{kind.KIND}.status": {"observedGeneration": -1} for kind in KINDS.models
    }
    assert defaults["Site.spec"] == {}
    assert defaults["Node.spec.deletionPolicy"] == "Orphan"


@pytest.mark.parametrize("kind", KINDS.models, ids=lambda kind: kind.KIND)
def test_columns_point_at_fields_that_exist(kind: type[Resource]) -> None:
    known = {path.partition(".")[2] for path in IDS if path.startswith(f"{kind.KIND}.")}

    names = [column.name for column in kind.COLUMNS]

    assert len(names) == len(set(names))
    assert {"Ready", "Status", "Age"} <= {column.name for column in kind.COLUMNS if not column.wide}
    for column in kind.COLUMNS:
        if ".conditions[" not in column.path and not column.path.startswith(".metadata."):
            assert column.path.removeprefix(".") in known


def test_names_are_unique() -> None:
    names = [name for kind in KINDS.models for name in (kind.PLURAL, *kind.SHORT_NAMES)]

    assert len(names) == len(set(names)) == 12


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (int | str, "choice between types"),
        (dict[str, Any], "no type|object without fields"),
        (Any, "no type"),
        (Annotated[int, Field(multiple_of=2)], "multipleOf"),
    ],
)
def test_what_a_crd_cannot_hold_is_found_when_it_is_generated(annotation: Any, message: str) -> None:
    class Bad(BaseModel):
        field: annotation

    with pytest.raises(NotStructuralError, match=f"field.*({message})"):
        structural(Bad.model_json_schema(), {}, defaults=True)


def test_committed_files_are_those_of_the_models() -> None:
    assert stale(ROOT, generated()) == []
    assert {path.name for path in (ROOT / "crds").iterdir()} == set(crd.files(KINDS.models))


def test_generator_writes_what_its_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path)]

    before = main([*arguments, "--check"])
    main(arguments)
    after = main([*arguments, "--check"])

    assert (before, after) == (1, 0)
    assert "run make docs" in capsys.readouterr().err
    for path in (tmp_path / "crds").iterdir():
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["kind"] in ("CustomResourceDefinition", "Kustomization")


def test_reference_has_every_field() -> None:
    page = reference.page(KINDS.models)

    for path, _ in ALL:
        _, _, field = path.partition(".")[2].partition(".")
        if field and not field.endswith(("[]", ".*")):
            assert f"| `{field}` |" in page


def test_a_status_is_cut_to_what_may_be_stored() -> None:
    step = StoredStep(verb="v", host="h", risk="Safe", why="w" * 5000, arguments={str(n): "" for n in range(99)})
    status = CommonStatus(summary="s" * 300, plan=StoredPlan(steps=[step] * 99))

    stored = status.model_dump(by_alias=True, exclude_none=True)

    assert stored["summary"] == "s" * 255 + "…"
    assert len(stored["plan"]["steps"]) == 64
    assert len(stored["plan"]["steps"][0]["why"]) == 4096
    assert len(stored["plan"]["steps"][0]["arguments"]) == 32
    assert len(status.summary) == 300


def test_what_is_unknown_is_written_and_not_left_out_as_a_default() -> None:
    status = GlusterVolumeStatus(bricks=[BrickStatus(node="node1", path="/b", state="Unknown")])

    stored = status.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)

    assert stored["bricks"] == [{"node": "node1", "path": "/b", "state": "Unknown"}]


def test_immutable_fields_of_a_volume() -> None:
    schema = crd.object_schema(GlusterVolume)["properties"]["spec"]
    transitions = [
        path for path, s in nodes(schema, "spec") if any("oldSelf" in r["rule"] for r in s.get(VALIDATIONS, []))
    ]

    assert transitions == ["spec", "spec.purpose", "spec.size", "spec.volumeName"]
