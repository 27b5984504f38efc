"""The OpenAPI document, with what FastAPI cannot know: free front-matter filters, and errors as problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.problems import MEDIA_TYPE
from app.api.schemas import ProblemDetails

PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}
FILTER_NOTE = (
    "Beside the parameters listed, `front_matter.KEY=value` filters by any public front-matter field, with the "
    "suffixes `__all`, `__not`, `__gte`, `__gt`, `__lte`, `__lt`; dots walk maps."
)
JSON_LINES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}, "description": "A JSON object a line"}
}
MARKDOWN_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"text/markdown": {"schema": {"type": "string"}}}}
}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/markdown": {"schema": {"type": "string"}},
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            "application/x-tar": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name", "content"],
                                "properties": {"name": {"type": "string"}, "content": {"type": "string"}},
                            },
                        },
                        "manifest": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "manifest": {"type": "string", "description": "JSON: name -> SHA-256"},
                    },
                }
            },
        },
    }
}


def install(app: FastAPI) -> None:
    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    setattr(app, "openapi", document)  # noqa: B010 - FastAPI's documented way; mypy knows methods as fixed


def _document(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, servers=app.servers
    )
    components = schema["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    problem = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    components |= problem.pop("$defs") | {"ProblemDetails": problem}
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(operation, path, method)
    return schema


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    parameters = operation.get("parameters", [])
    if any(parameter["name"] == "front_matter" for parameter in parameters):
        operation["parameters"] = [p for p in parameters if p["name"] != "front_matter"]
        operation["description"] = f"{operation.get('description', '')}\n\n{FILTER_NOTE}".strip()
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": PROBLEM}},
    }
    writes = method in ("put", "post", "delete") or path in ("/v1/sources", "/v1/changes")
    operation["security"] = [{"key": []}] if writes else [{}, {"key": []}]
