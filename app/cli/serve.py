import os
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [HONBUN_HOST, 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.  [HONBUN_PORT, 8000]")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes.  [HONBUN_WORKERS, 1]")] = None,
    root_path: Annotated[
        str | None, typer.Option("--root-path", help="Path that a proxy strips.  [HONBUN_ROOT_PATH]")
    ] = None,
) -> None:
    """Migrate the database, take the content folder, serve the API."""
    given = {"HOST": host, "PORT": port, "WORKERS": workers, "ROOT_PATH": root_path}
    for name, value in given.items():  # worker processes read the environment
        if value is not None:
            os.environ[f"HONBUN_{name}"] = str(value)
    import logging.config

    from app import logs, server
    from app.settings import InvalidSettings, Settings

    settings = Settings.load()
    logging_config = logs.configuration(settings.log_format, settings.log_level)
    logging.config.dictConfig(logging_config)
    _prepare(settings)
    try:
        sockets = server.listen(settings.host, settings.port)
    except OSError as error:
        raise InvalidSettings(f"HONBUN_PORT: {settings.host}:{settings.port}: {error.strerror}") from error
    address = f"http://{settings.host}:{sockets[0].getsockname()[1]}{settings.root_path}"
    logging.getLogger("honbun").info("Honbun serves %s/v1/posts; try it at %s/docs", address, address)
    server.run(
        sockets,
        workers=settings.workers,
        max_connections=settings.max_connections,
        proxy_headers=settings.forwarded_allow_ips is not None,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        log_config=logging_config,
    )


def _prepare(settings: "Settings") -> None:
    """A migrated database, and a warning where it may lose what it acknowledges. Raises InvalidSettings."""
    import logging

    from app import migrate
    from app.database import open_engine, reading
    from app.durability import durability_warnings, version_warning
    from app.errors import DatabaseUnavailable
    from app.settings import InvalidSettings

    log = logging.getLogger("honbun")
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if warning := version_warning(engine, settings.workers):
            raise InvalidSettings(f"HONBUN_WORKERS: {warning}")
        if settings.migrate:
            migrate.upgrade(engine)
        with reading(engine) as connection:
            for warning in durability_warnings(connection):
                log.warning(warning)
    except DatabaseUnavailable as error:
        if settings.migrate:
            raise
        log.warning("%s; requests are answered 503 until it is there", error.detail)
    finally:
        engine.dispose()
