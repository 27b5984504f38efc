"""Traces reach a collector, and hold no key."""

import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.building import KEY, markdown
from tests.journeys.serving import PATIENCE, serving


@pytest.fixture
def collector() -> Iterator[tuple[str, "queue.Queue[tuple[str, bytes]]"]]:
    """An address that takes OTLP over HTTP, and what came there."""
    came: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name is the standard library's
            came.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()
        thread.join()


def test_requests_are_traced_by_route(
    tmp_path: Path, collector: tuple[str, "queue.Queue[tuple[str, bytes]]"], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, came = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    with serving(tmp_path, TRACES="true") as server:
        assert server.client.put("/v1/posts/kabu", content=markdown(title="株価")).status_code == 201
        seen = b""
        while b"PUT /v1/posts/{slug}" not in seen:
            path, body = came.get(timeout=PATIENCE)
            seen += body
            assert path == "/v1/traces"

    assert KEY.encode() not in seen
