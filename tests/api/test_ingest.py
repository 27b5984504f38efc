import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import anyio
import orjson
from starlette.testclient import TestClient

from app.api.schemas import IngestReport
from tests.building import AUTH, markdown, send, slugs, stored

BAD = "---\ntitle: [開いたまま\n---\n本文\n"


def streamed(client: TestClient, files: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    """The lines of an upload that is answered a line a file."""
    body = {"files": [{"name": name, "content": content} for name, content in files.items()]}
    response = client.post(f"/v1/ingest?{query}", json=body, headers=AUTH | {"Accept": "application/jsonl"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/jsonl"
    return [orjson.loads(line) for line in response.content.splitlines()]


def test_report_tells_what_became_of_each_file(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="一", date="2025-12-01"), "b.md": markdown(title="二")})
    response = send(
        client,
        {
            "a.md": markdown(title="一", date="2025-12-01"),
            "b.md": markdown(title="弐"),
            "c.md": markdown(title="三"),
            "x.txt": "",
        },
    )
    report = response.json()

    IngestReport.model_validate(report)
    assert {r["name"]: r["action"] for r in report["results"]} == {
        "a.md": "unchanged",
        "b.md": "updated",
        "c.md": "created",
        "x.txt": "skipped",
    }
    counted = {action: report[action] for action in ("created", "updated", "unchanged", "skipped", "deleted", "failed")}
    assert counted == {"created": 1, "updated": 1, "unchanged": 1, "skipped": 1, "deleted": 0, "failed": 0}
    first = next(r for r in report["results"] if r["name"] == "a.md")
    assert (first["slug"], first["url"], first["status"]) == ("a", "/v1/posts/a", "published")
    assert first["published_at"] == "2025-12-01T00:00:00Z"
    assert response.headers["Honbun-Version"] == report["version"]
    assert response.headers["Cache-Control"] == "no-store"


def test_one_bad_file_stops_an_atomic_upload(client: TestClient) -> None:
    response = send(client, {"a.md": markdown(title="一"), "bad.md": BAD})
    problem = response.json()

    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["errors"][0]["name"] == "bad.md"
    assert problem["errors"][0]["line"] >= 2
    assert problem["code"] == problem["errors"][0]["code"]
    assert {r["name"]: r["action"] for r in problem["results"]} == {"a.md": "skipped", "bad.md": "failed"}
    assert (problem["failed"], problem["created"]) == (1, 0)
    assert slugs(client) == []


def test_several_bad_files_are_one_problem(client: TestClient) -> None:
    problem = send(client, {"a.md": BAD, "b.md": BAD}).json()

    assert problem["code"] == "invalid_documents"
    assert problem["detail"] == "2 files failed; nothing was stored"
    assert sorted(error["name"] for error in problem["errors"]) == ["a.md", "b.md"]


def test_upload_that_is_not_atomic_takes_what_it_can(client: TestClient) -> None:
    response = send(client, {"a.md": markdown(title="一"), "bad.md": BAD}, atomic="false")

    assert response.status_code == 207
    assert (response.json()["created"], response.json()["failed"]) == (1, 1)
    assert slugs(client) == ["a"]


def test_dry_run_keeps_nothing(client: TestClient) -> None:
    before = client.get("/v1").headers["Honbun-Version"]
    report = stored(client, {"a.md": markdown(title="一")}, dry_run="true")

    assert report["results"][0]["action"] == "created"
    assert report["results"][0]["slug"] == "a"
    assert slugs(client) == []
    assert client.get("/v1").headers["Honbun-Version"] == before == report["version"]


def test_folders_are_dropped_and_a_prefix_put_before(client: TestClient) -> None:
    report = stored(client, {"site/blog/a.md": markdown(title="一")}, strip=2, prefix="./posts/")

    assert [r["name"] for r in report["results"]] == ["posts/a.md"]
    too_many = send(client, {"a.md": markdown(title="一")}, strip=1)
    assert too_many.json()["errors"][0]["code"] == "invalid_name"


def test_prune_removes_what_is_not_there_any_more(client: TestClient) -> None:
    stored(client, {"blog/a.md": markdown(title="一"), "blog/b.md": markdown(title="二"), "c.md": markdown(title="三")})
    report = stored(client, {"a.md": markdown(title="一")}, prefix="blog/", prune="true")

    assert {r["name"]: r["action"] for r in report["results"]} == {"blog/a.md": "unchanged", "blog/b.md": "deleted"}
    assert sorted(slugs(client)) == ["a", "c"]


def test_manifest_keeps_what_the_service_has(client: TestClient) -> None:
    one, two = markdown(title="一"), markdown(title="二")
    stored(client, {"a.md": one, "b.md": two, "c.md": markdown(title="三")})
    manifest = {"a.md": sha256(one.encode()).hexdigest(), "b.md": sha256(two.encode()).hexdigest().upper()}
    body = {"files": [{"name": "d.md", "content": markdown(title="四")}], "manifest": manifest}
    response = client.post("/v1/ingest?prune=true&prefix=", json=body, headers=AUTH)

    assert response.status_code == 200, response.text
    assert sorted(slugs(client)) == ["a", "b", "d"]


def test_manifest_of_other_bytes_fails(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="一")})
    body = {"files": [], "manifest": {"a.md": "0" * 64}}
    response = client.post("/v1/ingest?prune=true&prefix=", json=body, headers=AUTH)

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "not_stored"
    assert slugs(client) == ["a"]


def test_prune_of_many_posts_must_be_allowed(client: TestClient) -> None:
    stored(client, {f"p{n}.md": markdown(title=str(n)) for n in range(10)})
    kept = {f"p{n}.md": markdown(title=str(n)) for n in range(7)}
    refused = send(client, kept, prefix="", prune="true")

    assert refused.status_code == 409
    assert refused.json()["code"] == "prune_too_large"
    assert "prune_max=3" in refused.json()["errors"][0]["hint"]
    assert len(slugs(client)) == 10

    assert send(client, kept, prefix="", prune="true", prune_max=3).status_code == 200
    assert len(slugs(client)) == 7


def test_failed_file_is_never_pruned(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="一"), "b.md": markdown(title="二")})
    response = send(client, {"a.md": BAD}, prefix="", prune="true", atomic="false")

    assert response.status_code == 207
    assert slugs(client) == ["a"]


def test_lines_come_for_each_file_and_the_sum_last(client: TestClient) -> None:
    lines = streamed(client, {"a.md": markdown(title="一"), "b.md": markdown(title="二")})

    assert [(line["type"], line.get("name")) for line in lines] == [
        ("result", "a.md"),
        ("result", "b.md"),
        ("summary", None),
    ]
    assert (lines[-1]["status"], lines[-1]["created"]) == (200, 2)
    assert lines[-1]["version"] == client.get("/v1").headers["Honbun-Version"]


def test_last_line_has_the_status_that_the_answer_would_have(client: TestClient) -> None:
    files = {"a.md": markdown(title="一"), "bad.md": BAD}

    for query, status in (("", 422), ("atomic=false&dry_run=true", 207), ("atomic=false", 207)):
        assert streamed(client, files, query)[-1]["status"] == status
    assert slugs(client) == ["a"]


def test_last_line_tells_why_nothing_was_done(client: TestClient) -> None:
    stored(client, {f"p{n}.md": markdown(title=str(n)) for n in range(10)})
    lines = streamed(client, {"p0.md": markdown(title="0")}, "prune=true&prefix=")

    assert lines[-1]["type"] == "summary"
    assert (lines[-1]["status"], lines[-1]["problem"]["code"]) == (409, "prune_too_large")


def test_upload_goes_on_where_the_reader_leaves(client: TestClient) -> None:
    body = json.dumps({"files": [{"name": "a.md", "content": markdown(title="一")}]}).encode()
    _leave(client, body)
    version = stored(client, {"b.md": markdown(title="二")})["version"]

    assert sorted(slugs(client, f"min_version={version}&wait=5")) == ["a", "b"]
    assert client.app.state.service.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def _leave(client: TestClient, body: bytes) -> None:
    """Uploads as a server does whose client goes away when the first line comes."""

    async def upload() -> None:
        left = anyio.Event()
        messages: list[dict[str, Any]] = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send_away(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                left.set()
                await anyio.sleep(30)

        headers = AUTH | {"content-type": "application/json", "accept": "application/jsonl"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "POST",
            "path": "/v1/ingest",
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await client.app(scope, receive, send_away)  # type: ignore[arg-type]

    assert client.portal is not None
    client.portal.call(upload)


def test_body_that_ends_early_is_400(client: TestClient) -> None:
    statuses: list[int] = []

    async def upload() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.disconnect"}

        async def note(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        for kind in ("application/zip", "application/json", "multipart/form-data; boundary=x", "text/markdown"):
            headers = AUTH | {"content-type": kind}
            scope = {
                "type": "http",
                "method": "POST",
                "path": "/v1/ingest",
                "query_string": b"name=a.md",
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            }
            await client.app(scope, receive, note)  # type: ignore[arg-type]

    assert client.portal is not None
    client.portal.call(upload)

    assert statuses == [400, 400, 400, 400]


def test_links_of_a_report_follow_the_settings(make_client: Callable[..., TestClient]) -> None:
    client = make_client(root_path="/blog", post_url_template="https://blog.example/{year}/{slug}")
    result = stored(client, {"kabu.md": markdown(title="株価", date="2025-12-01")})["results"][0]

    assert result["url"] == "/blog/v1/posts/kabu"
    assert result["permalink"] == "https://blog.example/2025/kabu"


def test_configuration_comes_in_by_every_way_an_upload_does(client: TestClient) -> None:
    post = {"_posts/2025-12-24-a.md": markdown(title="題")}
    stored(client, post)
    config = "timezone: Asia/Tokyo\nlang: {}\n"
    raw = client.post("/v1/ingest?name=_config.yml", content=config.format("ko"), headers=AUTH)

    assert [(r["name"], r["action"], r["changed"]) for r in raw.json()["results"]] == [
        ("_config.yml", "skipped", ["timezone", "lang"]),
        ("_posts/2025-12-24-a.md", "updated", ["published_at", "lang"]),
    ]

    form = client.post("/v1/ingest", files={"files": ("_config.yml", config.format("en"))}, headers=AUTH)
    assert form.json()["updated"] == 1
    assert client.get("/v1/posts/a").json()["lang"] == "en"

    assert stored(client, {"_config.yml": config.format("ja")})["updated"] == 1
    assert client.get("/v1/posts/a").json()["published_at"] == "2025-12-23T15:00:00Z"


def test_put_and_preview_are_read_by_the_configuration_of_the_folder(client: TestClient) -> None:
    stored(client, {"_config.yml": "defaults:\n- values: {layout: x}\n"})
    put = client.put("/v1/posts/a", content=markdown(title="題"), headers=AUTH)
    preview = client.post("/v1/render", content=markdown(title="題"), headers=AUTH)

    assert put.status_code == 201
    assert client.get("/v1/posts/a").json()["layout"] == preview.json()["layout"] == "x"


def test_configuration_that_cannot_be_read_is_named(client: TestClient) -> None:
    response = send(client, {"_config.yml": "a: 1\ntimezone: Tokyo\n", "_posts/a.md": markdown(title="題")})

    assert response.status_code == 422
    assert response.json()["errors"] == [
        {
            "name": "_config.yml",
            "code": "invalid_timezone",
            "detail": "'Tokyo' is no time zone.",
            "line": 2,
            "column": 11,
            "field": "timezone",
            "hint": "write a name of the IANA database, such as Asia/Tokyo",
        }
    ]
