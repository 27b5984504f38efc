import os
from typing import Annotated

import typer


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

    import uvicorn

    from app import logs, migrate
    from app.database import durability_warnings, open_engine, reading, version_warning
    from app.settings import InvalidSettings, Settings

    settings = Settings.load()
    logging_config = logs.configuration(settings.log_format, settings.log_level)
    logging.config.dictConfig(logging_config)
    log = logging.getLogger("honbun")
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if settings.migrate:
            migrate.upgrade(engine)
        if warning := version_warning(engine, settings.workers):
            raise InvalidSettings(f"HONBUN_WORKERS: {warning}")
        with reading(engine) as connection:
            for warning in durability_warnings(connection):
                log.warning(warning)
    finally:
        engine.dispose()
    address = f"http://{settings.host}:{settings.port}{settings.root_path}"
    log.info("Honbun serves %s/v1/posts; try it at %s/docs", address, address)
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        http="app.http_protocol:RawAddressProtocol",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        proxy_headers=settings.forwarded_allow_ips is not None,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=25,
        server_header=False,
        access_log=False,
        log_config=logging_config,
    )
