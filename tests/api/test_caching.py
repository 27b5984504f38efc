import gzip
from collections.abc import Callable

import pytest
import zstandard
from starlette.testclient import TestClient

from tests.building import AUTH, FixedClock, markdown, stored

LONG = "本文はここにあります。" * 200


def test_each_encoding_has_its_own_etag_and_the_same_content(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(LONG, title="株価")})
    plain = client.get("/v1/posts/kabu", headers={"accept-encoding": "identity"})
    packed = {}
    for encoding in ("gzip", "zstd"):
        with client.stream("GET", "/v1/posts/kabu", headers={"accept-encoding": encoding}) as response:
            packed[encoding] = b"".join(response.iter_raw())

            assert response.headers["ETag"] == plain.headers["ETag"][:-1] + f'.{encoding}"'
            assert response.headers["Content-Encoding"] == encoding
            assert int(response.headers["Content-Length"]) == len(packed[encoding]) < len(plain.content)

    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed["gzip"]) == plain.content
    assert zstandard.ZstdDecompressor().decompress(packed["zstd"]) == plain.content


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, zstd", "zstd"),
        ("gzip, zstd;q=0.1", "gzip"),
        ("gzip;q=0.5, zstd;q=0.5", "zstd"),
        ("br", None),
        ("*", "zstd"),
        ("zstd;q=0, *", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=banana", None),
        ("GZIP", "gzip"),
        ("", None),
    ],
)
def test_encoding_is_the_one_the_reader_likes_best(client: TestClient, accepted: str, encoding: str | None) -> None:
    stored(client, {"kabu.md": markdown(LONG, title="株価")})
    with client.stream("GET", "/v1/posts/kabu", headers={"accept-encoding": accepted}) as response:
        assert response.headers.get("Content-Encoding") == encoding


def test_known_content_is_304_with_the_same_headers(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    for path in ("/v1/posts", "/v1/posts/kabu", "/v1", "/v1/tags", "/v1/archives"):
        full = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"other", W/{full.headers["ETag"]}'})

        assert again.status_code == 304
        assert again.content == b""
        for name in ("ETag", "Cache-Control", "Vary", "Last-Modified", "Honbun-Version", "Access-Control-Allow-Origin"):
            assert again.headers[name] == full.headers[name]
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        assert client.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_if_modified_since_counts_where_no_etag_is_sent(client: TestClient, clock: FixedClock) -> None:
    stored(client, {"kabu.md": markdown(title="株価", date="2026-01-01")})
    clock.advance(seconds=30)
    stored(client, {"more.md": markdown(title="もう一つ", date="2026-01-02")})
    modified = client.get("/v1/posts").headers["Last-Modified"]

    assert modified == "Thu, 15 Jan 2026 12:00:30 GMT"
    assert client.get("/v1/posts", headers={"If-Modified-Since": modified}).status_code == 304
    assert client.get("/v1/posts", headers={"If-Modified-Since": "Wed, 14 Jan 2026 12:00:00 GMT"}).status_code == 200
    assert client.get("/v1/posts", headers={"If-Modified-Since": "yesterday"}).status_code == 200
    both = {"If-Modified-Since": modified, "If-None-Match": '"other"'}
    assert client.get("/v1/posts", headers=both).status_code == 200

    clock.advance(seconds=30)
    stored(client, {"next.md": markdown(title="次")})
    assert client.get("/v1/posts", headers={"If-Modified-Since": modified}).status_code == 200


def test_keyed_request_is_private_and_never_304(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    first = client.get("/v1/posts", headers=AUTH)
    headers = AUTH | {"If-None-Match": first.headers["ETag"], "If-Modified-Since": "Fri, 01 Jan 2038 00:00:00 GMT"}

    assert first.headers["Cache-Control"] == "private, no-store"
    assert client.get("/v1/posts", headers=headers).status_code == 200


def test_304_is_judged_after_the_key(client: TestClient) -> None:
    tag = client.get("/v1/posts").headers["ETag"]
    response = client.get("/v1/posts", headers={"If-None-Match": tag, "Authorization": "Bearer wrong"})

    assert response.status_code == 401


def test_withdrawn_post_is_404_for_who_has_it(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    tag = client.get("/v1/posts/kabu").headers["ETag"]
    stored(client, {"kabu.md": markdown(title="株価", draft=True)})
    response = client.get("/v1/posts/kabu", headers={"If-None-Match": tag})

    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "public, max-age=0, s-maxage=5"


def test_lifetime_ends_at_the_next_publication(client: TestClient, clock: FixedClock) -> None:
    stored(client, {"a.md": markdown(title="あ"), "ashita.md": markdown(title="明日", date="2026-01-16")})

    assert client.get("/v1/posts").headers["Cache-Control"] == "public, max-age=0, s-maxage=60, must-revalidate"
    before = client.get("/v1/posts").headers

    clock.advance(hours=11, minutes=59, seconds=50)
    assert "s-maxage=10," in client.get("/v1/posts").headers["Cache-Control"]

    clock.advance(seconds=10)
    after = client.get("/v1/posts").headers
    assert after["Last-Modified"] == "Fri, 16 Jan 2026 00:00:00 GMT"
    assert after["Honbun-Version"] != before["Honbun-Version"]
    assert after["ETag"] != before["ETag"]


def test_shared_lifetime_can_be_set(make_client: Callable[..., TestClient]) -> None:
    assert "s-maxage=7," in make_client(s_maxage=7).get("/v1/posts").headers["Cache-Control"]


def test_tags_for_purging_name_post_list_and_terms(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", tags=["AI"])})
    post = client.get("/v1/posts/kabu")

    assert post.headers["Cache-Tag"] == post.headers["Surrogate-Key"] == f"post-{post.json()['id']}"
    small, wide = (client.get(f"/v1/posts?tag={tag}").headers["Cache-Tag"] for tag in ("ai", "ＡＩ"))
    assert small == wide
    assert small.startswith("list,term-")
    assert client.get("/v1/posts").headers["Cache-Tag"] == "list"


def test_version_stays_while_nothing_visible_changes(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    before = client.get("/v1").headers["Honbun-Version"]
    stored(client, {"draft.md": markdown(title="下書き", draft=True)})
    stored(client, {"kabu.md": markdown(title="株価")})

    assert client.get("/v1").headers["Honbun-Version"] == before

    report = stored(client, {"more.md": markdown(title="もう一つ")})
    assert client.get("/v1").headers["Honbun-Version"] == report["version"] != before


def test_reader_waits_for_the_version_it_has_seen(client: TestClient) -> None:
    version = stored(client, {"kabu.md": markdown(title="株価")})["version"]

    assert client.get(f"/v1/posts?min_version={version}&wait=5").status_code == 200
    assert client.get("/v1/posts?min_version=99.1&wait=0.1").status_code == 503
    assert client.get("/v1/posts?min_version=99&wait=31").json()["errors"][0]["parameter"] == "wait"
