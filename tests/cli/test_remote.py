from collections.abc import Callable
from hashlib import sha256

import httpx2
import pytest
from starlette.testclient import TestClient

from app.cli.remote import LONGEST, PATIENCE, Outcome, Remote, Unreachable
from app.documents.source_names import is_config
from app.documents.sources import Batch, Source, SourceElsewhere
from app.errors import Finding
from app.posts.options import Options
from tests.building import AUTH, markdown, slugs

MakeClient = Callable[..., TestClient]
FILES = {f"blog/2025-01-{day:02}-p{day}.md": markdown(title=f"題{day}") for day in range(1, 6)}


def batch(files: dict[str, str]) -> Batch:
    received = [Source(name=name, content=content.encode()) for name, content in files.items()]
    configs = [file for file in received if is_config(file.name)]
    return Batch(sources=[file for file in received if file not in configs], configs=configs)


def send(
    client: TestClient, files: dict[str, str], *, prune_below: str | None = None, dry_run: bool = False
) -> Outcome:
    client.headers.update(AUTH)
    options = Options(author="", via="cli", prune_below=prune_below, dry_run=dry_run)
    return Remote(client=client).send(batch(files), options)


def test_only_what_changed_is_sent(client: TestClient) -> None:
    assert send(client, FILES).counts == {"created": 5}
    assert send(client, FILES).counts == {"unchanged": 5}

    changed = send(client, FILES | {"blog/2025-01-03-p3.md": markdown(title="新しい題")})

    assert changed.counts == {"unchanged": 4, "updated": 1}
    assert [result["name"] for result in changed.results] == ["blog/2025-01-03-p3.md"]


def test_file_is_read_once_to_be_sent(client: TestClient) -> None:
    reads: list[bytes] = []
    content = b"# A"

    def read() -> bytes:
        reads.append(content)
        return content

    client.headers.update(AUTH)
    source = SourceElsewhere("a.md", read, sha256=sha256(content).hexdigest(), size=len(content))
    outcome = Remote(client=client).send(Batch(sources=[source]), Options(author="", via="cli"))

    assert (outcome.counts, len(reads)) == ({"created": 1}, 1)


def test_dry_run_names_the_changed_fields_and_keeps_nothing(client: TestClient) -> None:
    send(client, FILES)
    outcome = send(client, FILES | {"blog/2025-01-03-p3.md": markdown(title="新しい題")}, dry_run=True)

    assert [(r["action"], r["changed"]) for r in outcome.results] == [("updated", ["title", "front_matter"])]
    assert client.get("/v1/posts/p3").json()["title"] == "題3"


def test_pruning_removes_what_the_folder_has_not_and_nothing_elsewhere(client: TestClient) -> None:
    send(client, FILES | {"memo/a.md": markdown(title="覚え書き", date="2024-01-01")})
    fewer = dict(list(FILES.items())[1:])
    outcome = send(client, fewer, prune_below="blog/")

    assert outcome.counts == {"unchanged": 4, "deleted": 1}
    assert slugs(client) == ["p5", "p4", "p3", "p2", "a"]


def test_rename_keeps_the_post(client: TestClient) -> None:
    send(client, FILES)
    before = client.get("/v1/posts/p5").json()["id"]
    moved = {name.replace("01-05-p5", "02-05-p5"): content for name, content in FILES.items()}
    outcome = send(client, moved, prune_below="")

    assert outcome.counts == {"unchanged": 4, "renamed": 1}
    assert client.get("/v1/posts/p5").json()["id"] == before


def test_file_that_could_not_be_read_is_not_pruned(client: TestClient) -> None:
    send(client, FILES)
    client.headers.update(AUTH)
    files = batch(dict(list(FILES.items())[1:]))
    files.refused.append(("blog/2025-01-01-p1.md", Finding(code="file_too_large", detail="")))
    outcome = Remote(client=client).send(files, Options(author="", via="cli", prune_below=""))

    assert outcome.counts == {"unchanged": 4}
    assert len(slugs(client)) == 5


def test_uploads_are_halved_until_the_service_takes_them(make_client: MakeClient) -> None:
    client = make_client(max_files=2)
    outcome = send(client, FILES, prune_below="")

    assert outcome.counts == {"created": 5}
    assert len(slugs(client)) == 5


def test_file_that_no_upload_can_hold_is_named(make_client: MakeClient) -> None:
    with pytest.raises(Unreachable, match="p1"):
        send(make_client(max_upload_bytes=100), FILES)


def test_refusal_is_said_and_not_repeated(client: TestClient) -> None:
    waited: list[float] = []
    client.headers["Authorization"] = "Bearer wrong"
    with pytest.raises(Unreachable, match="401"):
        Remote(client=client, sleep=waited.append).send(batch(FILES), Options(author="", via="cli"))

    assert waited == []


def test_service_that_is_not_reached_is_asked_again() -> None:
    waited: list[float] = []
    with httpx2.Client(base_url="http://127.0.0.1:9") as closed, pytest.raises(Unreachable, match="not reached"):
        Remote(client=closed, sleep=waited.append).send(batch(FILES), Options(author="", via="cli"))

    assert waited == list(PATIENCE)


def test_configuration_is_sent_when_it_changed_and_moves_the_posts_that_are_not_sent(client: TestClient) -> None:
    posts = {name.replace("blog/", "blog/_posts/"): content for name, content in FILES.items()}
    files = posts | {"blog/_config.yml": "timezone: Asia/Tokyo"}
    send(client, files)

    assert send(client, files, prune_below="").counts == {"unchanged": 6}

    changed = send(client, files | {"blog/_config.yml": "timezone: Asia/Seoul\nlang: ko"})

    assert changed.counts == {"unchanged": 5, "skipped": 1, "updated": 5}
    assert client.get("/v1/posts/p1").json()["lang"] == "ko"
    assert send(client, posts, prune_below="").counts == {"unchanged": 5, "skipped": 1, "updated": 5}


@pytest.mark.parametrize(("header", "wait"), [("3", 3.0), ("0", PATIENCE[0]), ("9999", LONGEST), ("soon", PATIENCE[0])])
def test_service_that_asks_for_patience_gets_it(header: str, wait: float) -> None:
    answers = [httpx2.Response(503, headers={"Retry-After": header}), httpx2.Response(200, text="")]
    waited: list[float] = []
    transport = httpx2.MockTransport(lambda _: answers.pop(0))
    with httpx2.Client(base_url="http://service", transport=transport) as client:
        outcome = Remote(client=client, sleep=waited.append).send(batch({}), Options(author="", via="cli"))

    assert (waited, outcome.counts) == ([wait], {})


def test_mirror_that_has_nothing_to_remove_asks_for_the_list_alone(client: TestClient) -> None:
    send(client, FILES, prune_below="")
    asked: list[str] = []
    client.event_hooks["request"] = [lambda request: asked.append(f"{request.method} {request.url.path}")]
    send(client, FILES, prune_below="")

    assert asked == ["GET /v1/sources"]
