from collections.abc import Callable
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.testclient import TestClient

from app.api.schemas import IngestResult
from tests.building import AUTH, markdown, slugs, stored

LONG = "長い本文。" * 300


def put(client: TestClient, slug: str, text: str, **headers: str) -> Any:
    return client.put(
        f"/v1/posts/{slug}", content=text.encode(), headers=AUTH | {"Content-Type": "text/markdown"} | headers
    )


def test_put_creates_and_then_replaces(client: TestClient) -> None:
    created = put(client, "kabu", markdown(title="株価"))
    replaced = put(client, "kabu", markdown(title="株価、改め"))
    unchanged = put(client, "kabu", markdown(title="株価、改め"))

    assert [r.status_code for r in (created, replaced, unchanged)] == [201, 200, 200]
    for response, action in ((created, "created"), (replaced, "updated"), (unchanged, "unchanged")):
        result = response.json()
        IngestResult.model_validate(result)
        assert (result["action"], result["name"], result["slug"]) == (action, "kabu.md", "kabu")
        assert response.headers["Location"] == "/v1/posts/kabu"
        assert response.headers["Honbun-Version"]
    detail = client.get("/v1/posts/kabu", headers=AUTH | {"Accept-Encoding": "identity"})
    assert detail.json()["title"] == "株価、改め"
    assert detail.headers["ETag"] == unchanged.headers["ETag"] == replaced.headers["ETag"]


@pytest.mark.parametrize("fault", [PoolTimeout(), DBAPIError("", None, Exception("interrupted"))])
def test_put_that_was_kept_is_no_failure_where_it_cannot_be_read_again(
    make_client: Callable[..., TestClient], fault: Exception
) -> None:
    client = make_client()
    engine: Engine = client.app.state.service.engine  # type: ignore[attr-defined]

    def fail(_: Connection) -> None:
        raise fault

    def fail_from_now_on(connection: Connection) -> None:
        if connection.get_execution_options().get("honbun_write"):
            event.listen(engine, "begin", fail)

    event.listen(engine, "commit", fail_from_now_on)
    created = put(client, "kabu", markdown(title="株価"))
    event.remove(engine, "commit", fail_from_now_on)
    event.remove(engine, "begin", fail)

    assert (created.status_code, created.json()["action"]) == (201, "created")
    assert "ETag" not in created.headers
    assert client.get("/v1/posts/kabu").status_code == 200


def test_put_keeps_the_name_of_a_stored_post(client: TestClient) -> None:
    stored(client, {"blog/2025-12-01-kabu.md": markdown(title="株価")})
    response = put(client, "kabu", markdown(title="改め"))

    assert response.status_code == 200
    assert response.json()["name"] == "blog/2025-12-01-kabu.md"


def test_slug_may_be_in_any_script_and_decomposed(client: TestClient) -> None:
    response = put(client, quote(normalize("NFD", "ガイド")), markdown(title="ガイド"))

    assert response.headers["Location"] == f"/v1/posts/{quote('ガイド')}"
    assert slugs(client) == ["ガイド"]


def test_other_slug_inside_is_422(client: TestClient) -> None:
    response = put(client, "kabu", markdown(title="株価", slug="betsu"))

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "slug_mismatch"
    assert put(client, "kabu", markdown(title="株価", slug="kabu")).status_code == 201


def test_former_slug_is_409_that_names_the_post(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="一", slug="old")})
    stored(client, {"a.md": markdown(title="一", slug="new")})
    response = put(client, "old", markdown(title="二"))

    assert response.status_code == 409
    assert response.json()["code"] == "former_slug"
    assert "'new'" in response.json()["detail"]


def test_name_of_another_post_is_409(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="一", slug="ichi")})
    stored(client, {"kabu.md": markdown(title="一", slug="ichi"), "x.md": markdown(title="二")})
    response = put(client, "kabu", markdown(title="三"))

    assert response.status_code == 409
    assert response.json()["code"] == "name_taken"


def test_bad_document_is_422_and_changes_nothing(client: TestClient) -> None:
    put(client, "kabu", markdown(title="株価"))
    response = put(client, "kabu", "---\ntitle: [開いたまま\n---\n")

    assert response.status_code == 422
    assert response.json()["errors"][0]["line"] >= 2
    assert client.get("/v1/posts/kabu").json()["title"] == "株価"


def test_body_that_is_no_markdown_is_415(client: TestClient) -> None:
    response = put(client, "kabu", "{}", **{"Content-Type": "application/json"})

    assert response.status_code == 415


def tags_of(client: TestClient, slug: str) -> list[str]:
    """The ETags that the detail and the source show, in every encoding."""
    return [
        client.head(f"/v1/posts/{slug}{part}", headers=headers | {"Accept-Encoding": encoding}).headers["ETag"]
        for part, headers in (("", AUTH), ("/source", AUTH), ("", {}))
        for encoding in ("identity", "gzip", "zstd")
    ]


def test_if_match_takes_every_etag_of_the_post(client: TestClient) -> None:
    put(client, "kabu", markdown(LONG, title="0"))
    for number in range(9):
        tag = tags_of(client, "kabu")[number]
        response = put(client, "kabu", markdown(LONG, title=str(number + 1)), **{"If-Match": f'"other", {tag}'})

        assert response.status_code == 200, tag
        stale = put(client, "kabu", markdown(LONG, title="stale"), **{"If-Match": tag})
        assert stale.status_code == 412


def test_if_match_compares_the_post_and_not_its_neighbours(client: TestClient) -> None:
    put(client, "kabu", markdown(title="株価", date="2025-12-01"))
    tag = client.get("/v1/posts/kabu").headers["ETag"]
    put(client, "next", markdown(title="次", date="2025-12-02"))

    assert client.get("/v1/posts/kabu").headers["ETag"] != tag
    assert put(client, "kabu", markdown(title="改め"), **{"If-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("slug", "headers", "put_status", "delete_status"),
    [
        ("kabu", {"If-Match": '"other"'}, 412, 412),
        ("kabu", {"If-Match": "*"}, 200, 204),
        ("kabu", {"If-None-Match": "*"}, 412, 412),
        ("kabu", {"If-None-Match": '"other"'}, 200, 204),
        ("nothing", {"If-Match": "*"}, 412, 412),
        ("nothing", {"If-Match": '"other"'}, 412, 412),
        ("nothing", {"If-None-Match": "*"}, 201, 404),
    ],
)
def test_conditions(
    client: TestClient, slug: str, headers: dict[str, str], put_status: int, delete_status: int
) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})

    assert put(client, slug, markdown(title="改め"), **headers).status_code == put_status
    if slug == "nothing":
        client.delete("/v1/posts/nothing", headers=AUTH)
    assert client.delete(f"/v1/posts/{slug}", headers=AUTH | headers).status_code == delete_status


def test_condition_names_its_header(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    for name, value in (("If-Match", '"other"'), ("If-None-Match", "*")):
        error = put(client, "kabu", "x", **{name: value}).json()["errors"][0]

        assert error["header"] == name


def test_weak_etag_never_matches_strongly(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    tag = client.get("/v1/posts/kabu").headers["ETag"]

    assert put(client, "kabu", "x", **{"If-Match": f"W/{tag}"}).status_code == 412
    assert put(client, "kabu", "x", **{"If-None-Match": f"W/{tag}"}).status_code == 412


def test_condition_is_judged_before_the_body_is_understood(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    response = put(client, "kabu", "---\n[\n---", **{"If-None-Match": "*"})

    assert response.status_code == 412


def test_delete_removes_one_post(client: TestClient, engine: Engine) -> None:
    stored(client, {"a.md": markdown(title="一"), "b.md": markdown(title="二")})
    before = client.get("/v1").headers["Honbun-Version"]
    response = client.delete("/v1/posts/a", headers=AUTH)

    assert response.status_code == 204
    assert response.content == b""
    assert response.headers["Honbun-Version"] == client.get("/v1").headers["Honbun-Version"] != before
    assert slugs(client) == ["b"]
    assert client.delete("/v1/posts/a", headers=AUTH).status_code == 404
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM body").scalar_one() == 1


def test_file_past_the_limit_is_413(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_file_bytes=100)

    assert put(client, "kabu", "x" * 101).status_code == 413
