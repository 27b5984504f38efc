"""The end of a service that is still taking its content folder."""

import threading
import time
from pathlib import Path

from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.main import create_app
from app.rendering.pool import BATCH_FILES
from app.settings import Settings
from tests.posts.samples import rows

LONG = "*a* _b_ [c](d) <b>e</b> " * 1_500  # some tenths of a second of work


def test_service_that_ends_while_it_takes_its_folder_waits_for_the_thread_that_does(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    for number in range(4 * BATCH_FILES):
        (tmp_path / f"{number}.md").write_text(LONG)
    settings = Settings.model_validate({"database_url": database_url, "content_dir": str(tmp_path), "migrate": False})
    app = create_app(settings)
    renderers = app.state.service.renderers
    with TestClient(app):
        while not renderers._busy:
            time.sleep(0.01)
    left = [thread.name for thread in threading.enumerate() if thread.name.startswith("render_")]

    assert not renderers._busy
    assert not renderers._free
    assert left == []
    assert rows(engine) == {}
