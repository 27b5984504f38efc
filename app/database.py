"""An engine for a URL, SQLite's pragmas with their reasons, and the two kinds of transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from time import monotonic
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, FromClause, GenerativeSelect, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.driver import fetch
from app.errors import DatabaseUnavailable, TooSlow

HIDDEN = True  # from errors, which are logged: a statement holds whole posts, drafts among them
THREADS = 10  # threads that may hold a connection at once; the pool is as large, so that none waits for another
GRACE = 5.0  # seconds from when Postgres ends a statement until it must have said so
STEPS = 10_000  # of SQLite's machine between two looks at the clock: well under a millisecond
PRAGMAS = (
    "busy_timeout = 10000",  # first, so that the others wait too; writers take turns and each turn is short
    "journal_mode = WAL",  # readers go on while one writes
    "foreign_keys = ON",  # off by default, and what belongs to a post must go with it
    "temp_store = MEMORY",  # sorting must not touch the disk
    "cache_size = -3000",  # 3 MB for short reads, which are most; the default of 2 MB rereads pages in every list
    "journal_size_limit = 67108864",  # the log of a large import does not stay on the disk for ever
)
AT_ONCE = "busy_timeout = 0"  # in the place of the first
_is_hurried: ContextVar[bool] = ContextVar("is_hurried", default=False)
DURABLE = "synchronous = FULL"  # an acknowledged write survives a power failure
RISKY = "synchronous = NORMAL"  # in WAL mode the database stays whole, but the last writes may be gone


def sqlite_module() -> ModuleType:
    """The SQLite that is used: the one from our wheel, or the system's where there is no wheel."""
    try:
        return import_module("pysqlite3")
    except ImportError:
        return import_module("sqlite3")


def open_engine(url: str, *, risk_power_loss: bool = False, patience: float | None = None) -> Engine:
    """An engine for `sqlite:///FILE` or any libpq URL (`postgresql://`, `postgres://`, several hosts).

    Nothing is connected yet. `risk_power_loss` makes writes on SQLite quicker; a power failure then takes the last.
    A Postgres that does not say within `patience` seconds that it is there counts as lost; by default it may take as
    long as it likes. What it is asked then has limits of its own.
    """
    if url.startswith("sqlite:"):
        return _sqlite(url, (*PRAGMAS, RISKY if risk_power_loss else DURABLE))
    from app.postgres import open_postgres  # noqa: PLC0415 - nine megabytes, which SQLite alone need not hold

    return open_postgres(url, patience)


class _Compiler(SQLiteCompiler):
    """SQL as SQLite wants it, where SQLAlchemy's is worse."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002 - as it is called
        """SQLAlchemy leaves hints out; here `with_hint(table, "NOT INDEXED", "sqlite")` is written."""
        return text

    def limit_clause(self, select: GenerativeSelect, **kw: Any) -> str:
        """A statement whose limit is a parameter and no more SQLite prepares anew at each run."""
        text: str = super().limit_clause(select, **kw)  # type: ignore[no-untyped-call]
        return text.replace("LIMIT ", "LIMIT +", 1)


def _sqlite(url: str, pragmas: Sequence[str]) -> Engine:
    engine = create_engine(
        make_url(url),
        module=sqlite_module(),
        hide_parameters=HIDDEN,
        connect_args={"check_same_thread": False},
        pool_size=THREADS,
        max_overflow=THREADS,
        pool_timeout=5,
    )

    engine.dialect.statement_compiler = _Compiler

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for a snapshot
        first = AT_ONCE if _is_hurried.get() else pragmas[0]
        for pragma in (first, *pragmas[1:]):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes fails at once with "database is locked",
        # whatever the timeout: who will write says so at BEGIN.
        driver: Any = connection.connection.dbapi_connection
        if driver.in_transaction:  # a short read has begun
            return
        write = connection.get_execution_options().get("honbun_write", False)
        # Of a dozen connections one writes, whichever it is; the others read what is rare and long.
        driver.execute(f"PRAGMA cache_size = {-16000 if write else -1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


@contextmanager
def _hurried() -> Iterator[None]:
    """To connect, in this block, waits for nobody either: the event loop would stand still."""
    before = _is_hurried.set(True)
    try:
        yield
    finally:
        _is_hurried.reset(before)


def alone(engine: Engine) -> Any:
    """A driver's connection outside the pool, that waits for nobody; who asked for it closes it."""
    with _hurried():
        connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    connection.detach()
    driver.execute(f"PRAGMA {AT_ONCE}")
    return driver


class Inline:
    """A connection for short reads by one thread, which waits for none and makes none anew. For SQLite."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        event.listen(engine, "engine_disposed", lambda _: self.close())  # also where another file has come in its place

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot. Raises DatabaseUnavailable."""
        with _translated():
            if self._connection is None:
                with _hurried():
                    self._connection = self._engine.connect()
                self._connection.detach()  # none of the pool's
                fetch(self._connection, f"PRAGMA {AT_ONCE}", ())
            driver: Any = self._connection.connection.dbapi_connection
            driver.execute("BEGIN")  # SQLAlchemy's way there takes longer than many a read
            try:
                yield self._connection
            finally:
                self._connection.rollback()  # of what it holds to have begun; nothing was written
                if driver.in_transaction:
                    driver.execute("COMMIT")

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def inline_of(engine: Engine) -> Inline | None:
    """None for a database that is a server: there every read waits."""
    return Inline(engine) if engine.dialect.name == "sqlite" else None


@contextmanager
def reading(engine: Engine, *, seconds: float | None = None) -> Iterator[Connection]:
    """One snapshot: all that is read inside is of one instant, on both databases.

    What takes longer than `seconds` is ended: on SQLite all that is read, on Postgres each statement.
    Raises DatabaseUnavailable, TooSlow.
    """
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _translated(), engine.connect().execution_options(**options) as connection, connection.begin():
        if seconds is None:
            yield connection
        else:
            with _limited(connection, seconds):
                yield connection


@contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        driver.bound = max(driver.patience or 0, seconds + GRACE)
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1000))}")
        yield
        return
    deadline = monotonic() + seconds
    driver.set_progress_handler(lambda: monotonic() > deadline, STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction, committed at the end of the block, rolled back by an exception.

    Raises DatabaseUnavailable.
    """
    with _translated(), engine.connect().execution_options(honbun_write=True) as connection, connection.begin():
        yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("all database connections are busy", code="database_busy") from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "57014" or str(error.orig) == "interrupted":
            raise TooSlow("this takes longer than a read may", hint="ask for less, or for what is rarer") from error
        reason = _reason(error)
        if reason is None:
            raise
        raise DatabaseUnavailable(reason, code="database_busy" if reason == BUSY else None) from error


def _reason(error: DBAPIError) -> str | None:
    """What is wrong with the database; None where it is the statement that is wrong."""
    state, text = getattr(error.orig, "sqlstate", None), str(error.orig)
    for sign, reason in _REASONS:
        if sign == state or sign in text:
            return reason
    return "the database cannot be reached" if isinstance(error, OperationalError | InterfaceError) else None


BUSY = "the database is busy with other writers"
_NOT_MIGRATED = "the database is not migrated; run `honbun migrate`"
_REASONS = (  # words of SQLite's messages, and SQLSTATEs: Postgres may speak another language
    ("no such table", _NOT_MIGRATED),
    ("no such column", _NOT_MIGRATED),
    ("42P01", _NOT_MIGRATED),
    ("42703", _NOT_MIGRATED),
    ("database is locked", BUSY),
    ("55P03", BUSY),
    ("disk is full", "the disk is full"),
    ("53100", "the disk is full"),
    ("readonly database", "the database file is read-only"),
    ("25006", "the database is read-only"),
    ("42501", "the database's user may not do this"),
    ("unable to open database file", "the database file cannot be opened; does its folder exist?"),
    ("file is not a database", "the database file is none of SQLite's"),
    ("disk image is malformed", "the database file is damaged"),
)
