import gc
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.building import AUTH, markdown, slugs

FILES = {"blog/a.md": markdown(title="一"), "b.markdown": markdown(title="二"), "notes.txt": "x", "README.md": "x"}


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: dict[str, str], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))
    return buffer.getvalue()


def as_json(files: dict[str, str]) -> bytes:
    return json.dumps({"files": [{"name": name, "content": text} for name, text in files.items()]}).encode()


BODIES: dict[str, Callable[[dict[str, str]], bytes]] = {
    "application/zip": zipped,
    "application/x-zip-compressed": zipped,
    "application/x-tar": tarred,
    "application/gzip": lambda files: tarred(files, "w:gz"),
    "application/json; charset=utf-8": as_json,
}


def post(client: TestClient, body: Any, kind: str | None, query: str = "") -> Any:
    headers = AUTH | ({"Content-Type": kind} if kind else {})
    return client.post(f"/v1/ingest?{query}", content=body, headers=headers)


def form(client: TestClient, files: dict[str, str], **fields: str) -> Any:
    parts = [("files", (name, content)) for name, content in files.items()]
    return client.post("/v1/ingest", files=parts, data=fields, headers=AUTH)


@pytest.mark.parametrize("kind", BODIES)
def test_each_archive_holds_posts_and_what_is_skipped(client: TestClient, kind: str) -> None:
    response = post(client, BODIES[kind](FILES), kind)

    assert response.status_code == 200, response.text
    assert {r["name"]: r["action"] for r in response.json()["results"]} == {
        "blog/a.md": "created",
        "b.markdown": "created",
        "notes.txt": "skipped",
        "README.md": "skipped",
    }


def test_form_holds_files_and_a_manifest(client: TestClient) -> None:
    response = form(client, FILES, manifest="{}")

    assert response.status_code == 200, response.text
    assert response.json()["created"] == 2
    assert sorted(slugs(client)) == ["a", "b"]


def test_manifest_of_a_form_may_be_a_file(client: TestClient) -> None:
    parts = [("files", ("a.md", markdown(title="一"))), ("manifest", ("manifest.json", b"{}", "application/json"))]
    response = client.post("/v1/ingest?prune=true&prefix=", files=parts, headers=AUTH)  # type: ignore[arg-type]

    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "kind", ["text/markdown", "text/markdown; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", None]
)
def test_raw_body_is_markdown_under_its_name(client: TestClient, kind: str | None) -> None:
    response = post(client, markdown(title="一").encode(), kind, "name=blog/a.md")

    assert response.status_code == 200, response.text
    assert response.json()["results"][0]["name"] == "blog/a.md"


@pytest.mark.parametrize(
    ("body", "kind", "query", "status", "code"),
    [
        (b"x", "text/markdown", "", 422, "missing_parameter"),
        (b"x", "text/markdown", "name=a.txt", 422, "invalid_name"),
        (b"x", "text/markdown", "name=../a.md", 422, "invalid_name"),
        (b"x", "text/markdown", "name=a%00.md", 422, "control_character"),
        (b"x", "image/png", "name=a.md", 415, "unsupported_media_type"),
        (b"x", None, "", 415, "unsupported_media_type"),
        (b"{", "application/json", "", 400, "malformed_json"),
        (b'{"files": [{"name": "a.md", "content": "\\ud800"}]}', "application/json", "", 400, "malformed_json"),
        (b'{"files": "\xff"}', "application/json", "", 400, "malformed_json"),
        (b"[" * 5000, "application/json", "", 400, "malformed_json"),
        (b"[]", "application/json", "", 422, "invalid_body"),
        (b'{"files": [{"name": "a.md"}]}', "application/json", "", 422, "invalid_body"),
        (b'{"files": [{"name": 1, "content": ""}]}', "application/json", "", 422, "invalid_body"),
        (b'{"files": [], "extra": 1}', "application/json", "", 422, "invalid_body"),
        (b'{"files": [], "manifest": []}', "application/json", "", 422, "invalid_body"),
        (b'{"files": [], "manifest": {"../a": "0"}}', "application/json", "", 422, "invalid_name"),
        (b"no archive", "application/zip", "", 400, "malformed_archive"),
        (b"no archive", "application/gzip", "", 400, "malformed_archive"),
        (b"no archive", "application/x-tar", "", 400, "malformed_archive"),
        (b"x", "multipart/form-data", "", 400, "malformed_multipart"),
        (b"x", "multipart/form-data; boundary=y", "", 400, "malformed_multipart"),
    ],
)
def test_body_that_cannot_be_read_is_refused(  # noqa: PLR0917 - one column each
    client: TestClient, body: bytes, kind: str | None, query: str, status: int, code: str
) -> None:
    response = post(client, body, kind, query)

    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert slugs(client) == []


def test_damaged_archives_are_400(client: TestClient) -> None:
    whole = zipped({f"p{n}.md": markdown("本文。" * 500, title=str(n)) for n in range(5)})
    middle = len(whole) // 3
    damaged = whole[:middle] + b"\x00" * 40 + whole[middle + 40 :]
    cut = tarred(FILES, "w:gz")[:-30]

    for body, kind in ((damaged, "application/zip"), (cut, "application/gzip")):
        response = post(client, body, kind)

        assert response.status_code == 400
        assert response.json()["code"] == "malformed_archive"


def test_form_with_strange_parts_is_refused(client: TestClient) -> None:
    unknown = client.post("/v1/ingest", files=[("file", ("a.md", b"x"))], headers=AUTH)
    field = client.post("/v1/ingest", data={"files": "x"}, files=[("files", ("a.md", b"x"))], headers=AUTH)
    manifest = form(client, {"a.md": "x"}, manifest="[")
    two = client.post("/v1/ingest", files=[("manifest", ("m", b"{}")), ("manifest", ("n", b"{}"))], headers=AUTH)

    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_part")
    assert (field.status_code, field.json()["code"]) == (422, "invalid_body")
    assert (manifest.status_code, manifest.json()["code"]) == (400, "malformed_json")
    assert (two.status_code, two.json()["code"]) == (422, "invalid_body")


@pytest.mark.parametrize("length", ["ten", "-1", "1e3", "", "9" * 30, "٣"])
def test_length_that_is_no_number_is_400(client: TestClient, length: str) -> None:
    for kind in ("application/zip", "text/markdown", "multipart/form-data; boundary=x"):
        headers = AUTH | {"Content-Type": kind, "Content-Length": length.encode()}
        response = client.post("/v1/ingest?name=a.md", content=b"x", headers=headers)  # type: ignore[arg-type]

        assert response.status_code == 400
        assert response.json()["errors"][0]["header"] == "Content-Length"


def endless(counted: list[int], start: bytes = b"") -> Iterator[bytes]:
    yield start
    for _ in range(1000):
        counted.append(1024)
        yield b"x" * 1024


def test_body_past_its_limit_is_413_before_it_is_read_whole(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_file_bytes=2000, max_upload_bytes=4000)
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
    for kind, start in (("application/zip", b""), ("text/markdown", b""), ("multipart/form-data; boundary=b", part)):
        declared = post(client, b"x" * 5000, kind, "name=a.md")
        streamed = post(client, endless([], start), kind, "name=a.md")

        assert (declared.status_code, streamed.status_code) == (413, 413)
        assert declared.json()["title"] == "Content Too Large"


def test_server_stops_to_read_at_the_limit(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_upload_bytes=4000)
    received: list[int] = []

    async def upload() -> None:
        async def receive() -> dict[str, Any]:
            received.append(1)
            return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

        async def ignore(message: object) -> None:
            del message

        headers = [(b"authorization", AUTH["Authorization"].encode()), (b"content-type", b"application/zip")]
        scope = {"type": "http", "method": "POST", "path": "/v1/ingest", "query_string": b"", "headers": headers}
        await client.app(scope, receive, ignore)

    assert client.portal is not None
    client.portal.call(upload)

    assert len(received) == 5


def test_too_many_files_are_413(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_files=2)
    for number in (3, 4, 5, 20):
        files = {f"p{n}.md": "x" for n in range(number)}
        answers = [form(client, files), *(post(client, make(files), kind) for kind, make in BODIES.items())]

        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(413, "too_many_files")}


def test_one_file_past_its_limit_fails_alone(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_file_bytes=1000)
    files = {"a.md": markdown(title="一"), "large.md": "x" * 1001}
    for kind, make in BODIES.items():
        response = post(client, make(files), kind, "atomic=false")

        assert response.status_code == 207
        failed = [r for r in response.json()["results"] if r["action"] == "failed"]
        assert [(r["name"], r["problem"]["code"]) for r in failed] == [("large.md", "file_too_large")]


def test_archive_that_unpacks_to_too_much_is_413(make_client: Callable[..., TestClient]) -> None:
    client = make_client(max_upload_bytes=20_000)
    many = {f"p{n}.md": "x" * 5000 for n in range(9)}
    padding = {"movie.bin": "x" * 1_000_000}

    for body, kind in (
        (zipped(many), "application/zip"),
        (tarred(many, "w:gz"), "application/gzip"),
        (tarred(padding, "w:gz"), "application/gzip"),
        (_long_header(), "application/gzip"),
    ):
        assert len(body) < 20_000
        response = post(client, body, kind)

        assert (response.status_code, response.json()["code"]) == (413, "upload_too_large")


def _long_header() -> bytes:
    """A tar whose extended header is large: it is read whole before any file of the archive is seen."""
    member = tarfile.TarInfo("a.md")
    member.pax_headers = {"comment": "x" * 2_000_000}
    packer = zlib.compressobj(wbits=31)
    return packer.compress(member.tobuf(tarfile.PAX_FORMAT)) + packer.flush()


def test_manifest_past_its_limit_is_413(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.uploads.MAX_MANIFEST_BYTES", 100)
    large = json.dumps({"a.md": "0" * 200})
    as_field = form(client, {"a.md": "x"}, manifest=large)
    as_file = client.post("/v1/ingest", files=[("manifest", ("m.json", large))], headers=AUTH)

    for response in (as_field, as_file):
        assert (response.status_code, response.json()["code"]) == (413, "manifest_too_large")


def test_temporary_files_are_closed_whatever_comes(
    make_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.uploads.SPOOLED", 10)
    client = make_client(max_upload_bytes=50_000, max_files=5)
    for kind, make in BODIES.items():
        for body in (
            make(FILES),
            make({"large.md": "x" * 60_000}),
            make(dict.fromkeys(map(str, range(9)), "")),
            b"?" * 99,
        ):
            post(client, body, kind)
    form(client, {"a.md": "x" * 60_000})
    form(client, {"a.md": "x"}, other="y")
    gc.collect()  # a file that was left open would warn here, and warnings are errors


def test_no_raw_name_twice(client: TestClient) -> None:
    body = json.dumps({"files": [{"name": name, "content": "x"} for name in ("a.md", "./a.md")]}).encode()
    response = post(client, body, "application/json")

    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "duplicate_name"
