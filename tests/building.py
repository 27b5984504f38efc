"""Posts and requests for tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.testclient import TestClient

KEY = "key-of-the-tests"
AUTH = {"Authorization": f"Bearer {KEY}"}
NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


def markdown(body: str = "本文です。\n", **front: Any) -> str:
    """A post; the front matter is written as JSON values, which YAML reads as well."""
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    return "\n".join(["---", *lines, "---", body])


def send(client: TestClient, files: dict[str, str], **parameters: Any) -> Any:
    """Uploads files as JSON; the response."""
    body = {"files": [{"name": name, "content": content} for name, content in files.items()]}
    return client.post("/v1/ingest", json=body, params=parameters, headers=AUTH)


def stored(client: TestClient, files: dict[str, str], **parameters: Any) -> dict[str, Any]:
    """Uploads files that must all be taken; the report."""
    response = send(client, files, **parameters)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


def slugs(client: TestClient, query: str = "", **headers: str) -> list[str]:
    """The slugs of a list's page."""
    response = client.get(f"/v1/posts?{query}", headers=headers)
    assert response.status_code == 200, response.text
    return [item["slug"] for item in response.json()["items"]]
