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
    "requestBody": {"required": True, "content": {"text/markdown": {"schema": {"type": "string", "format": "binary"}}}}
}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/markdown": {"schema": {"type": "string", "format": "binary"}},
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            "application/x-tar": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "additionalProperties": False,
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name", "content"],
                                "additionalProperties": False,
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
                    "additionalProperties": False,
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
    schema["components"]["responses"] = {str(status): problem for status, problem in PROBLEMS.items()}
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
    for parameter in parameters:
        _say_no_control_characters(parameter["schema"])
    needs_key = method != "get" or path in ("/v1/sources", "/v1/changes")
    operation["security"] = [{"key": []}] if needs_key else [{}, {"key": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    if "{slug}" in path and method == "get":
        responses |= {} if path.endswith("/source") else {"308": {"description": "The post has another slug now"}}
    if method == "get" and path.startswith("/v1") and not needs_key and not path.endswith(STREAMED):
        responses["304"] = {"description": "What the reader has is still right"}
    for status in _problem_statuses(path, method, needs_key=needs_key):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    responses["default"] = _problem("Any other problem (RFC 9457)")


def _say_no_control_characters(schema: dict[str, Any]) -> None:
    """Whatever text a parameter takes, it takes none of these; FastAPI knows only what is said of single ones."""
    for part in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern", "anyOf"}:
            part["pattern"] = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$"


def _problem(description: str, *headers: str) -> dict[str, Any]:
    problem: dict[str, Any] = {"description": description, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
    if headers:
        problem["headers"] = {name: {"required": True, "schema": {"type": "string"}} for name in headers}
    return problem


PROBLEMS: dict[int, dict[str, Any]] = {
    400: _problem("The body cannot be read as what it says it is"),
    401: _problem("No key, or one that is wrong, expired or revoked", "WWW-Authenticate"),
    403: _problem("The key's scope does not reach so far, or there is no key yet"),
    404: _problem("There is no such post, or none that may be seen"),
    406: _problem("There is only one form, and Accept does not take it"),
    408: _problem("The body did not come in time"),
    409: _problem("Another post holds the slug or the name, or a prune would take too much"),
    412: _problem("If-Match or If-None-Match does not hold"),
    413: _problem("The body, or what is in it, passes a limit"),
    415: _problem("This type of content is not taken here"),
    422: _problem("A parameter or a document is not right; `errors` says which and where"),
    429: _problem("Too many writes, or too many wrong keys", "Retry-After"),
    503: _problem("Not now: overloaded, or the database is not there", "Retry-After"),
}
STREAMED = ("/export.jsonl", "/sources")
SENT = (400, 408, 413, 415)  # where there is a body


def _problem_statuses(path: str, method: str, *, needs_key: bool) -> list[int]:
    """Which problems an operation can end in."""
    if not path.startswith("/v1"):
        return [503] if path == "/readyz" else []
    of_one = "{slug}" in path
    chosen = {
        403: needs_key or path.endswith("/source") or path == "/v1/posts",
        404: of_one and method != "put",
        406: method == "get" or path in ("/v1/ingest", "/v1/render"),
        409: method == "put" or path == "/v1/ingest",
        412: of_one and method != "get",
        **dict.fromkeys(SENT, method in ("put", "post")),
    }
    return sorted({401, 422, 429, 503} | {status for status, holds in chosen.items() if holds})
