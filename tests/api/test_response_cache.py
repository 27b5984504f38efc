"""The cache in front of routing: what is served from it is what the application would say now."""

import asyncio
import gzip
import tracemalloc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.api.entries import Counts
from app.api.response_cache import ResponseCache
from app.database import inline_of, open_engine
from app.posts.watch import Watch
from tests.building import AUTH, NOW, FixedClock, markdown, slugs, stored
from tests.posts.samples import take

LONG = "本文はここにあります。" * 200


def counts(client: TestClient) -> Counts:
    cache: ResponseCache = client.app.cache  # type: ignore[attr-defined]
    return cache.entries.counts


def raw(client: TestClient, path: str, **headers: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and undecoded body."""
    with client.stream("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}) as got:
        return got.status_code, got.headers.raw, b"".join(got.iter_raw())


PATHS = ["/v1", "/v1/posts", "/v1/posts?tag=ai&limit=1", "/v1/posts/kabu", "/v1/tags", "/v1/archives?by=year"]


@pytest.mark.parametrize("path", PATHS)
def test_second_answer_comes_from_the_cache_and_is_the_same(client: TestClient, path: str) -> None:
    stored(client, {"kabu.md": markdown(LONG, title="株価", tags=["AI"])})
    for encoding in ("identity", "gzip", "zstd", "gzip, br, zstd;q=0.5"):
        first = raw(client, path, accept_encoding=encoding)
        hits = counts(client).hits
        again = raw(client, path, accept_encoding=encoding)

        assert again == first
        assert counts(client).hits == hits + 1


def test_each_encoding_is_compressed_once_and_decodes_to_the_same(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(LONG, title="株価")})
    for _ in range(2):
        plain = raw(client, "/v1/posts/kabu", accept_encoding="identity")[2]
        assert gzip.decompress(raw(client, "/v1/posts/kabu", accept_encoding="deflate, gzip")[2]) == plain
        packed = raw(client, "/v1/posts/kabu", accept_encoding="gzip, deflate, br, zstd")[2]
        assert zstandard.ZstdDecompressor().decompress(packed) == plain
    assert counts(client).misses == 3


@pytest.mark.parametrize("path", PATHS)
def test_head_and_304_come_from_what_get_left(client: TestClient, path: str) -> None:
    stored(client, {"kabu.md": markdown(LONG, title="株価", tags=["AI"])})
    full = client.get(path)
    misses = counts(client).misses
    head = client.head(path)
    known = client.get(path, headers={"If-None-Match": f'"other", W/{full.headers["ETag"]}'})

    assert (head.status_code, head.headers, head.content) == (200, full.headers, b"")
    assert (known.status_code, known.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": full.headers["ETag"]}).headers == known.headers
    assert client.get(path, headers={"If-Modified-Since": full.headers["Last-Modified"]}).status_code in (200, 304)
    about_the_body = {"content-type", "content-length", "content-encoding"}
    assert dict(known.headers) == {name: full.headers[name] for name in full.headers if name not in about_the_body}
    assert counts(client).misses == misses


def test_first_request_with_a_condition_leaves_the_whole_answer(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    tag = client.get("/v1/posts/kabu").headers["ETag"]
    stored(client, {"other.md": markdown(title="他", draft=True), "more.md": markdown(title="他", date="2026-01-02")})
    changed = client.get("/v1/posts/kabu", headers={"If-None-Match": tag})

    assert changed.status_code == 200
    assert client.get("/v1/posts/kabu", headers={"If-None-Match": changed.headers["ETag"]}).status_code == 304
    assert client.get("/v1/posts/kabu").content == changed.content


def test_write_is_seen_in_the_next_answer(client: TestClient) -> None:
    for number in range(5):
        report = stored(client, {f"p{number}.md": markdown(title="記事", date=f"2026-01-0{number + 1}")})

        assert len(slugs(client)) == number + 1
        assert client.get("/v1/posts").headers["Honbun-Version"] == report["version"]
        assert client.get(f"/v1/posts/p{number}").status_code == 200
    client.delete("/v1/posts/p4", headers=AUTH)
    assert client.get("/v1/posts/p4").status_code == 404
    assert len(slugs(client)) == 4


def test_write_that_shows_nothing_keeps_the_answers(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    client.get("/v1/posts")
    stored(client, {"draft.md": markdown(title="下書き", draft=True)})
    client.get("/v1/posts")

    assert counts(client).misses == 1


def test_answer_ends_with_the_next_publication_and_says_so_on_the_way(client: TestClient, clock: FixedClock) -> None:
    stored(client, {"ima.md": markdown(title="今")})
    assert slugs(client) == ["ima"]
    stored(client, {"ashita.md": markdown(title="明日", date="2026-01-15 12:01:30+00:00")})  # shows nothing yet

    lifetimes = []
    for _ in range(4):
        lifetimes.append(client.get("/v1/posts?").headers["Cache-Control"])
        clock.advance(seconds=25)
    misses = counts(client).misses

    assert [text.split("s-maxage=")[1].split(",")[0] for text in lifetimes] == ["60", "60", "40", "15"]
    assert misses == 1
    assert slugs(client) == ["ashita", "ima"]
    assert client.get("/v1/posts").headers["Last-Modified"] == "Thu, 15 Jan 2026 12:01:30 GMT"
    assert "s-maxage=60," in client.get("/v1/posts").headers["Cache-Control"]


def test_answer_ends_with_the_next_expiry(client: TestClient, clock: FixedClock) -> None:
    stored(client, {"kabu.md": markdown(title="株価", expires_at="2026-01-15 12:00:10+00:00")})
    tag = client.get("/v1/posts/kabu").headers["ETag"]
    known = client.get("/v1/posts/kabu", headers={"If-None-Match": tag})
    assert known.status_code == 304
    assert "s-maxage=10," in known.headers["Cache-Control"]
    clock.advance(seconds=10)

    assert client.get("/v1/posts/kabu", headers={"If-None-Match": tag}).status_code == 404
    assert slugs(client) == []


def test_keyed_request_passes_by(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価"), "draft.md": markdown(title="下書き", draft=True)})
    public = client.get("/v1/posts/kabu")
    before = counts(client)
    before = Counts(**{name: getattr(before, name) for name in ("hits", "misses", "entries", "bytes")})
    for _ in range(2):
        assert client.get("/v1/posts/draft", headers=AUTH).status_code == 200
        assert client.get("/v1/posts/kabu", headers=AUTH).headers["Cache-Control"] == "private, no-store"
        assert client.get("/v1/posts/kabu", headers={"Authorization": ""}).status_code == 401
        assert client.get("/v1/posts/draft").status_code == 404

    assert (counts(client).hits, counts(client).entries) == (before.hits, before.entries)
    assert client.get("/v1/posts/kabu").headers == public.headers


def test_what_fails_or_is_refused_is_not_kept(client: TestClient) -> None:
    for path, status in (("/v1/posts/none", 404), ("/v1/posts?limit=0", 422), ("/v1/nowhere", 404)):
        for _ in range(2):
            assert client.get(path).status_code == status
    assert counts(client).entries == 0


def test_accept_is_judged_as_without_the_cache(client: TestClient) -> None:
    for _ in range(2):
        assert client.get("/v1/posts", headers={"Accept": "image/png"}).status_code == 406
        assert client.get("/v1/posts", headers={"Accept": "text/html, */*;q=0.1"}).status_code == 200
        assert client.get("/v1/posts", headers={"Accept": "application/json"}).status_code == 200
        assert client.get("/v1/posts", headers={"Accept": "application/json;q=0, */*"}).status_code == 406
    assert counts(client).misses == 1


def test_former_slug_leads_on_from_the_cache_with_its_own_query(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", slug="old")})
    stored(client, {"kabu.md": markdown(title="株価", slug="new")})
    for query in ("", "?fields=title", "?fields=title"):
        response = client.get(f"/v1/posts/old{query}", follow_redirects=False)

        assert (response.status_code, response.headers["Location"]) == (308, f"/v1/posts/new{query}")
    assert counts(client).hits == 1


def test_origins_are_told_apart(make_client: Callable[..., TestClient]) -> None:
    client = make_client(cors_origins=["https://a.example", "https://b.example"])
    tag = client.get("/v1/posts").headers["ETag"]
    for _ in range(2):
        for origin in ("https://a.example", "https://b.example", "https://evil.example", None):
            for condition in ({}, {"If-None-Match": tag}):
                headers = condition | ({"Origin": origin} if origin else {})
                response = client.get("/v1/posts", headers=headers)

                allowed = origin if origin in ("https://a.example", "https://b.example") else None
                assert response.headers.get("Access-Control-Allow-Origin") == allowed
                assert response.headers["Vary"] == "Accept-Encoding, Authorization, Origin"
    assert counts(client).misses == 3


def test_hosts_are_told_apart(client: TestClient) -> None:
    for host in ("a.example", "b.example", "a.example"):
        assert client.get("/v1/posts", headers={"Host": host}).status_code == 200
    assert (counts(client).misses, counts(client).hits) == (2, 1)


def test_repeated_condition_is_judged_as_without_the_cache(client: TestClient) -> None:
    tag = client.get("/v1/posts").headers["ETag"]

    assert client.get("/v1/posts", headers=[("If-None-Match", tag), ("If-None-Match", '"other"')]).status_code == 304
    assert client.get("/v1/posts", headers=[("X-Any", "a"), ("X-Any", "b")]).status_code == 200
    assert (counts(client).misses, counts(client).hits) == (1, 1)


def test_no_bytes_turn_the_cache_off(make_client: Callable[..., TestClient]) -> None:
    client = make_client(cache_bytes=0)
    stored(client, {"kabu.md": markdown(title="株価")})

    assert client.app.cache is None  # type: ignore[attr-defined]
    assert slugs(client) == ["kabu"]
    assert (
        client.get("/v1/posts", headers={"If-None-Match": client.get("/v1/posts").headers["ETag"]}).status_code == 304
    )


def test_min_version_is_waited_for_and_kept_apart(client: TestClient) -> None:
    version = stored(client, {"kabu.md": markdown(title="株価")})["version"]
    for _ in range(2):
        assert client.get(f"/v1/posts?min_version={version}").status_code == 200
        assert client.get("/v1/posts?min_version=99").status_code == 503
    assert counts(client).hits == 1


def test_request_id_is_echoed_whether_the_answer_was_kept_or_not(client: TestClient) -> None:
    for name in ("first", "second"):
        for path in ("/v1/posts", "/v1/posts/none"):
            assert client.get(path, headers={"X-Request-ID": name}).headers.get_list("X-Request-ID") == [name]
    assert "X-Request-ID" not in client.get("/v1/posts").headers
    assert client.get("/v1/posts", headers={"X-Request-ID": "<bad>"}).headers["X-Request-ID"] != "<bad>"


class Backend:
    """An application that answers when it is let."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.asked: list[Scope] = []
        self.has_read = asyncio.Event()
        self.is_asked_twice = asyncio.Event()
        self.go = asyncio.Event()
        self.failures = 0

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.append(scope)
        if len(self.asked) == 2:
            self.is_asked_twice.set()
        state = await self.watch.read()
        self.has_read.set()
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("no")
        modified = state.changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
        headers = [(b"honbun-version", state.label.encode()), (b"last-modified", modified)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": state.label.encode()})


Get = Callable[..., Coroutine[Any, Any, bytes]]


def getter(cache: ResponseCache) -> Get:
    async def get(query: str = "", **headers: str) -> bytes:
        messages: list[Message] = []

        async def send(message: Message) -> None:
            messages.append(message)

        async def receive() -> Message:
            raise AssertionError

        await cache(scope_of(**headers) | {"query_string": query.encode()}, receive, send)
        body: bytes = messages[1]["body"]
        return body

    return get


def behind_cache(database_url: str, story: Callable[[Engine, Backend, ResponseCache, Get], Awaitable[None]]) -> None:
    """Plays a story with an application behind a cache, on one event loop."""
    engine = open_engine(database_url)
    watch = Watch(engine, inline_of(engine), listen_url=database_url, clock=lambda: NOW)
    backend = Backend(watch)
    cache = ResponseCache(backend, watch, capacity=100_000, s_maxage=60, origins=(), streams=())

    async def play() -> None:
        await story(engine, backend, cache, getter(cache))

    asyncio.run(play())
    watch.signal.close()
    engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_kept_takes_no_more_memory_than_is_counted(client: TestClient) -> None:
    stored(client, {"a.md": markdown()})
    slugs(client)  # the total is known from here on
    cache: ResponseCache = client.app.cache  # type: ignore[attr-defined]
    before = counts(client).bytes
    tracemalloc.start()
    for number in range(500):
        assert cache.ready(scope_of() | {"query_string": f"fields=slug&utm_term={number}".encode()}) is not None
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken < 2 * (counts(client).bytes - before)


def test_what_many_ask_for_at_once_is_made_once(database_url: str) -> None:
    async def story(_: Engine, backend: Backend, cache: ResponseCache, get: Get) -> None:
        asking = [asyncio.create_task(get()) for _ in range(50)]
        await backend.has_read.wait()
        backend.go.set()

        assert await asyncio.gather(*asking) == [b"0"] * 50
        assert len(backend.asked) == 1
        assert cache.entries.counts.misses == 1

    behind_cache(database_url, story)


# No listener runs in these stories, so on Postgres nothing is known without asking, and nothing ready.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def scope_of(**headers: str) -> dict[str, Any]:
    sent = [(name.encode(), value.encode()) for name, value in ({"host": "a.example"} | headers).items()]
    address = {"path": "/v1/posts", "raw_path": b"/v1/posts", "query_string": b"", "scheme": "http"}
    return {"type": "http", "method": "GET", "headers": sent} | address


@on_sqlite
def test_remembered_request_is_answered_with_what_is_in_force(database_url: str) -> None:
    async def story(engine: Engine, backend: Backend, cache: ResponseCache, get: Get) -> None:
        backend.go.set()
        for version in ("0", "1"):
            assert cache.again(("a",)) is None
            assert await get() == version.encode()
            for _ in range(3):
                assert cache.ready(scope_of(), ("a",)) == cache.again(("a",))
                assert (cache.again(("a",)) or [])[1] == version.encode()
            await asyncio.to_thread(take, engine, {f"{version}.md": markdown(title="一")})
            cache.watch.forget()

    behind_cache(database_url, story)


@on_sqlite
@pytest.mark.parametrize("header", ["authorization", "content-length", "x-request-id"])
def test_request_that_takes_more_thought_is_not_remembered(database_url: str, header: str) -> None:
    async def story(_: Engine, backend: Backend, cache: ResponseCache, get: Get) -> None:
        backend.go.set()
        await get()

        assert cache.ready(scope_of(**{header: "1"}), ("a",)) is None
        assert cache.again(("a",)) is None
        assert cache.ready(scope_of(), ("a",)) is not None

    behind_cache(database_url, story)


@on_sqlite
def test_remembered_requests_are_bounded_in_bytes(database_url: str) -> None:
    async def story(_: Engine, backend: Backend, cache: ResponseCache, get: Get) -> None:
        backend.go.set()
        await get()
        for number in range(1000):
            cache.ready(scope_of(), (number, b"x" * 1000))

        assert 0 < sum(cache.again((number, b"x" * 1000)) is not None for number in range(1000)) < 100_000 // 8 / 1000

    behind_cache(database_url, story)


def test_who_waits_for_one_that_fails_asks_again(database_url: str) -> None:
    async def story(_: Engine, backend: Backend, _cache: ResponseCache, get: Get) -> None:
        backend.failures = 1
        asking = [asyncio.create_task(get()) for _ in range(5)]
        await backend.has_read.wait()
        backend.go.set()
        answers = await asyncio.gather(*asking, return_exceptions=True)

        assert sorted(map(repr, answers)) == sorted([repr(OSError("no"))] + [repr(b"0")] * 4)

    behind_cache(database_url, story)


def test_who_waits_is_answered_though_the_first_gives_up(database_url: str) -> None:
    async def story(_: Engine, backend: Backend, _cache: ResponseCache, get: Get) -> None:
        first = asyncio.create_task(get())
        second = asyncio.create_task(get())
        await backend.has_read.wait()
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        backend.go.set()

        assert await second == b"0"
        assert len(backend.asked) == 1

    behind_cache(database_url, story)


def test_answer_of_an_older_version_is_not_kept_nor_given_to_who_comes_after_the_commit(database_url: str) -> None:
    async def story(engine: Engine, backend: Backend, _cache: ResponseCache, get: Get) -> None:
        early = asyncio.create_task(get())
        await backend.has_read.wait()
        await asyncio.to_thread(take, engine, {"a.md": markdown(title="一")})
        late = asyncio.create_task(get())
        await backend.is_asked_twice.wait()
        backend.go.set()

        assert await late == b"1"
        assert await early == b"0"
        assert await get() == b"1"

    behind_cache(database_url, story)
