from pathlib import Path
from typing import Any

import orjson
import pytest

from app.main import create_app
from app.settings import Settings

SNAPSHOT = Path(__file__).parent / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings(_env_file=None)).openapi()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{method} {path}": op for path, ops in document["paths"].items() for method, op in ops.items()}


def test_document_is_the_one_that_is_committed(document: dict[str, Any]) -> None:
    committed = orjson.loads(SNAPSHOT.read_bytes())

    assert document == committed, "the API changed; if that is meant: honbun openapi > tests/api/openapi.json"


def test_every_operation_is_described_and_documents_its_problems(document: dict[str, Any]) -> None:
    problem = {"$ref": "#/components/schemas/ProblemDetails"}
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["responses"]["default"]["content"] == {"application/problem+json": {"schema": problem}}, name
        for status, response in operation["responses"].items():
            assert int(status if status != "default" else 0) < 400 or response == {
                "$ref": f"#/components/responses/{status}"
            }, (name, status)


def test_writes_need_a_key_and_reads_take_one(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        writes = not name.startswith("get") or name in ("get /v1/sources", "get /v1/changes")

        assert operation["security"] == ([{"key": []}] if writes else [{}, {"key": []}]), name


def test_every_field_of_an_answer_is_always_there(document: dict[str, Any]) -> None:
    optional = {
        name: set(schema.get("properties", ())) - set(schema.get("required", ()))
        for name, schema in document["components"]["schemas"].items()
    }

    assert {name: fields for name, fields in optional.items() if fields} == {
        "PostList": {"facets"},
        "ProblemError": {"hint", "name", "parameter", "header", "line", "column", "field"},
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = orjson.dumps(document).decode()
    referred = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}

    assert referred <= set(document["components"]["schemas"])
