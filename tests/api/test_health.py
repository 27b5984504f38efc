import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from starlette.testclient import TestClient

from app import migrate
from tests.building import markdown, slugs


def ready(client: TestClient) -> TestClient:
    """The client, once the service is ready."""
    deadline = time.monotonic() + 20
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < deadline, client.get("/readyz").text
        time.sleep(0.02)
    return client


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/readyz").headers["Cache-Control"] == "no-store"


def test_ready_once_the_content_folder_is_taken(make_client: Callable[..., TestClient], tmp_path: Path) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    (folder / "kabu.md").write_text(markdown(title="株価"), encoding="utf-8")
    (folder / "bad.md").write_text("---\ntitle: [x\n---\n", encoding="utf-8")
    client = ready(make_client(content_dir=str(folder)))

    assert slugs(client) == ["kabu"]


def test_folder_that_is_not_there_stops_nothing(make_client: Callable[..., TestClient], tmp_path: Path) -> None:
    client = ready(make_client(content_dir=str(tmp_path / "nothing")))

    assert slugs(client) == []


def test_content_folder_is_taken_once_the_database_is_there(
    make_client: Callable[..., TestClient], engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "kabu.md").write_text(markdown(title="株価"), encoding="utf-8")
    migrate.downgrade(engine)
    try:
        client = make_client(content_dir=str(tmp_path))
        before = client.get("/readyz")
    finally:
        migrate.upgrade(engine)

    assert before.status_code == 503
    assert slugs(ready(client)) == ["kabu"]
