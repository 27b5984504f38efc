"""Connections to Postgres that notice when the server is lost; loaded where there is one."""

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from sqlalchemy import Engine, create_engine, event

from app.database import HIDDEN, THREADS

RV = TypeVar("RV")
LOCK_SECONDS = 30  # that Postgres lets one wait for another's lock; SQLite's busy_timeout is its like
PEER: dict[str, Any] = {  # another machine that is gone is noticed within 25 seconds, whatever it was asked
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


class _Impatient(psycopg.Connection[Any]):
    """A server that is there and silent, because it is paused, is lost as well.

    No timeout of its own would end the wait then, nor would TCP's: a paused machine still answers those.
    """

    patience: float | None = None
    bound: float | None = None  # of each wait now

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, timeout or self.bound)
        except psycopg.errors._WaitTimeout as error:  # noqa: SLF001 - documented, and there is no other name
            self.close()
            raise psycopg.OperationalError("the server does not answer") from error


def open_postgres(url: str, patience: float | None) -> Engine:
    """An engine for a URL of libpq, as `app.database.open_engine` says."""

    def connect() -> psycopg.Connection:
        connection = _Impatient.connect(url, **PEER)  # libpq reads the URL: several hosts, services …
        connection.patience = connection.bound = patience
        connection.execute("SET TIME ZONE 'UTC'")  # in others an instant late in the year 9999 cannot be read
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.commit()
        return connection

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        hide_parameters=HIDDEN,
        pool_size=THREADS,
        max_overflow=THREADS,
        pool_timeout=5,
        pool_pre_ping=True,
    )

    @event.listens_for(engine, "checkout")
    def _trust(driver: _Impatient, _record: Any, _proxy: Any) -> None:
        driver.bound = None  # it is there: a statement may be long, and a writer waits for its turn

    @event.listens_for(engine, "checkin")
    def _doubt(driver: _Impatient | None, _record: Any) -> None:
        if driver is not None:
            driver.bound = driver.patience

    return engine


async def connect_listener(url: str) -> psycopg.AsyncConnection[Any]:
    """A connection that only listens: without probes it would never hear that the other side is gone."""
    return await psycopg.AsyncConnection.connect(url, autocommit=True, **PEER)
