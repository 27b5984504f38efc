"""The way from settings to listening processes: sockets that wait for their port, workers that end with their parent."""

import errno
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess

GRACE = 25  # seconds that a request which was accepted has to end; below what a container has
PORT_PATIENCE = 5.0  # seconds; whoever ends gives its port back within them
BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen at each address of the host. One that ends at this moment is waited for.

    Raises OSError where the port stays taken, or the host is none of this machine's.
    """
    deadline = time.monotonic() + PORT_PATIENCE
    while True:
        try:
            return _listen(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def _listen(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            listener = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)  # at once: until then another could bind as well
            listener.set_inheritable(True)
    except OSError:
        for listener in sockets:
            listener.close()
        raise
    return sockets


def run(sockets: list[socket.socket], *, workers: int, max_connections: int, **options: Any) -> None:
    """Serves until SIGTERM or SIGINT, and then ends what was accepted; ends the process with status 0."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn hands the signal on when all is done
    _allow_files(max_connections)
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        http="app.http_protocol:HttpProtocol",
        ws="none",
        workers=workers,
        limit_concurrency=max_connections + 1,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
        access_log=False,
        **options,
    )
    with suppress(KeyboardInterrupt), _shared_figures(workers):
        if workers > 1:
            _Workers(config, sockets).run()
        else:
            uvicorn.Server(config).run(sockets)


@contextmanager
def _shared_figures(workers: int) -> Iterator[None]:
    """A folder through which workers share their Prometheus figures; of one process they are in memory."""
    name = "PROMETHEUS_MULTIPROC_DIR"
    if workers < 2 or name in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="honbun-metrics-") as folder:
        os.environ[name] = folder
        yield


class _Workers(Multiprocess):
    def terminate_all(self) -> None:
        for listener in self.sockets:  # else clients would wait in a queue that nobody serves
            listener.close()
        super().terminate_all()


def _allow_files(connections: int) -> None:
    """Room for so many connections beside files, as far as this process may ask for it."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * connections + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
