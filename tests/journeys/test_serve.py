import http.client
from pathlib import Path
from urllib.parse import urlsplit

from tests.building import markdown
from tests.journeys.serving import serving


def content(folder: Path, **files: str) -> Path:
    """A content folder with these posts."""
    posts = folder / "posts"
    posts.mkdir(exist_ok=True)
    for name, text in files.items():
        (posts / f"{name}.md").write_text(text, encoding="utf-8")
    return posts


def test_first_start_takes_the_folder_and_the_second_says_nothing_new(tmp_path: Path) -> None:
    posts = content(tmp_path, kabu=markdown(title="株価", tags=["投資"]), beta=markdown(title="ベータ"))
    (posts / "notes.txt").write_text("覚え書き")
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        assert sorted(item["slug"] for item in server.client.get("/v1/posts").json()["items"]) == ["beta", "kabu"]
        assert server.said == [
            f"Honbun serves {server.url}/v1/posts; try it at {server.url}/docs",
            f"{posts}: 2 created",
        ]
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        assert server.client.get("/v1/posts").json()["total"] == 2
        assert server.said[1:] == [f"{posts}: nothing new"]


def test_bad_file_is_listed_and_the_rest_is_served(tmp_path: Path) -> None:
    posts = content(tmp_path, kabu=markdown(title="株価"), bad="---\ntitle: [開いたまま\n---\n")
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        assert [item["slug"] for item in server.client.get("/v1/posts").json()["items"]] == ["kabu"]
        assert server.said[1].startswith(f"{posts / 'bad.md'}:")
        assert server.said[2] == f"{posts}: 1 created, 1 failed"


def test_file_changed_over_http_is_left_alone_and_named(tmp_path: Path) -> None:
    posts = content(tmp_path, kabu=markdown(title="株価"), gone=markdown(title="消える"))
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        put = server.client.put("/v1/posts/kabu", content=markdown(title="HTTP より"))
        deleted = server.client.delete("/v1/posts/gone")

        assert (put.status_code, deleted.status_code) == (200, 204)
    content(tmp_path, kabu=markdown(title="フォルダより"), gone=markdown(title="また"), new=markdown(title="新しい"))
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        titles = {item["slug"]: item["title"] for item in server.client.get("/v1/posts").json()["items"]}

        assert titles == {"kabu": "HTTP より", "new": "新しい"}
        assert sorted(server.said[1:3]) == [
            f"{posts / name}: left alone, since it was last written or deleted over HTTP"
            for name in ("gone.md", "kabu.md")
        ]


def test_address_may_be_written_as_at_a_terminal(tmp_path: Path) -> None:
    posts = content(tmp_path, 株価=markdown(title="株価", tags=["投資"]))
    with serving(tmp_path, CONTENT_DIR=str(posts)) as server:
        for address in ("/v1/posts/株価", "/v1/posts?tag=投資"):
            assert _raw(server.url, address) == 200


def _raw(url: str, address: str) -> int:
    """Sends the address's UTF-8 as it is, as curl does."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection._encode_request = lambda request: request.encode()  # type: ignore[attr-defined]
    connection.putrequest("GET", "/")
    connection._buffer[0] = f"GET {address} HTTP/1.1".encode()  # type: ignore[attr-defined]
    connection.endheaders()
    response = connection.getresponse()
    found = response.read()
    connection.close()
    assert "株価".encode() in found
    return response.status


def test_length_that_is_no_number_ends_in_400(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        connection.putrequest("POST", "/v1/ingest?name=a.md")
        connection.putheader("Content-Length", "ten")
        connection.endheaders()
        status = connection.getresponse().status
        connection.close()

        assert status == 400
