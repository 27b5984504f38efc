"""What writing answers: a result for each file, and which status their sum has."""

from dataclasses import asdict
from typing import Any

import orjson
from fastapi import Response

from app.api.problems import Problem, finding_error
from app.api.service import Service
from app.posts.models import instant_text
from app.posts.queries import status_of
from app.posts.report import Report, Result, Stored


def report_answer(report: Report, service: Service, *, atomic: bool) -> Response:
    """200 when all went well, 207 when some failed, a 422 problem where nothing was stored for that."""
    results = [result_json(result, service) for result in report.results]
    body = {"version": report.version, **counts(report), "results": results}
    status = status_code(report, atomic=atomic)
    if status != 422:
        return written(body, status, report.version)
    errors = [finding_error(result.problem, result.name) for result in report.results if result.problem]
    return Problem(
        422,
        errors[0]["code"] if len(errors) == 1 else "invalid_documents",
        f"{len(errors)} file{'s' if len(errors) > 1 else ''} failed; nothing was stored",
        errors=errors,
        members=body,
        headers={"Honbun-Version": report.version},
    )


def status_code(report: Report, *, atomic: bool) -> int:
    if not report.has_failures:
        return 200
    return 422 if atomic else 207


def written(body: Any, status: int, version: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """An answer that no cache keeps; `version` is the content's after a write."""
    usual = {"Cache-Control": "no-store"} | ({} if version is None else {"Honbun-Version": version})
    return Response(orjson.dumps(body), status, headers=usual | (headers or {}), media_type="application/json")


def counts(report: Report) -> dict[str, int]:
    return {action: count for action, count in report.counts.items()}  # noqa: C416 - the keys are literals: mypy


def result_json(result: Result, service: Service) -> dict[str, Any]:
    """One file's result as clients see it."""
    return {
        "name": result.name,
        "action": result.action,
        **_address(result.post, service),
        "sha256": result.sha256,
        "changed": result.changed,
        "warnings": [asdict(finding) for finding in result.warnings],
        "problem": result.problem and asdict(result.problem),
    }


def _address(post: Stored | None, service: Service) -> dict[str, str | None]:
    """Where the post is found, and whether it is; all null for a file that is no post."""
    if post is None:
        return dict.fromkeys(("id", "slug", "url", "permalink", "status", "published_at"))
    return {
        "id": post.id,
        "slug": post.slug,
        "url": service.links.url(post.slug),
        "permalink": service.links.permalink(
            id=post.id,
            slug=post.slug,
            written=post.permalink,
            published_at=post.published_at,
            category=post.category,
            lang=post.lang,
        ),
        "status": status_of(post, service.clock()),
        "published_at": None if post.published_at is None else instant_text(post.published_at),
    }
