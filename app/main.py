"""The application: engine, routers, middleware, problem handlers, lifespan. The only wiring."""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import fastapi_offline
from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from app import __doc__ as description
from app import migrate
from app.api import feeds, health, history, ingest, openapi, posts, problems, render, single, sources, suggest, terms
from app.api.auth import digest
from app.api.envelope import Envelope, policy_of_page
from app.api.key_use import KeyUse
from app.api.middleware import Cors, Forgetting, Head, Unexpected
from app.api.observation import Observation, observers_of
from app.api.overload import Admission, Rates, Slots
from app.api.readiness import Readiness
from app.api.response_cache import ResponseCache
from app.api.service import Service, Site
from app.api.short_reads import ShortReads
from app.database import THREADS, inline_of, open_engine
from app.documents.sources import Limits
from app.ending import drain_at_sigterm, end_with_parent
from app.memory import give_back_memory
from app.posts.replica import Replica
from app.posts.watch import Watch
from app.rendering.pool import Renderers, cores
from app.settings import Settings
from app.taking import take_content

NICENESS = 5  # of the render processes: whoever reads comes before whoever writes
STREAMS = 8  # at once; fewer than there are connections to the database
WAITERS = 100
Clock = Callable[[], datetime]


class Application(FastAPI):
    """FastAPI behind the response cache, and that behind whatever observes."""

    cache: ResponseCache | None = None
    prepared: ResponseCache | ShortReads | None = None
    front: ASGIApp | None = None

    def ready(self, scope: Scope, request: tuple[Hashable, ...] | None = None) -> tuple[bytes, bytes] | None:
        """Head and body of the answer to a request, where it is there at once; for our HTTP protocol, past ASGI."""
        return None if self.prepared is None else self.prepared.ready(scope, request)

    def again(self, request: tuple[Hashable, ...]) -> tuple[bytes, bytes] | None:
        """The same for a request that was answered so before."""
        return None if self.prepared is None else self.prepared.again(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.front or super().__call__)(scope, receive, send)


def create_app(
    settings: Settings | None = None,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    renderers: Renderers | None = None,
) -> Application:
    """The application for these settings, by default those of the environment; renderers of its own end with it."""
    settings = settings or Settings.load()
    engine = open_engine(
        settings.database_url.get_secret_value(),
        risk_power_loss=settings.risk_power_loss,
        patience=settings.database_patience,
    )
    own = renderers or Renderers(size=cores(), seconds=settings.render_seconds, niceness=NICENESS)
    service = _service(settings, engine, clock, own)
    app = Application(
        title="Honbun",
        summary=description,
        version="1",
        lifespan=partial(_lifespan, service=service, settings=settings, ends_renderers=renderers is None),
        servers=[{"url": settings.root_path}] if settings.root_path else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"auto_configure": settings.traces, "tracing": settings.traces, "metrics": False, "logs": False},
    )
    app.state.service = service
    for module in (posts, terms, feeds, suggest, ingest, single, render, sources, history, health):
        app.include_router(module.router)
    _add_docs(app, settings.root_path)
    problems.install(app)
    openapi.install(app)
    # The last one added is the first to see a request.
    app.add_middleware(Head)
    app.add_middleware(
        Admission, reads=settings.max_reads, writes=settings.max_writes, patience=settings.upload_patience
    )
    app.add_middleware(Unexpected)
    app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(Envelope)
    app.add_middleware(Forgetting, watch=service.watch)
    _put_in_front(app, service, settings)
    return app


@asynccontextmanager
async def _lifespan(_: FastAPI, *, service: Service, settings: Settings, ends_renderers: bool) -> AsyncIterator[None]:
    give_back_memory()
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    if settings.migrate:
        await anyio.to_thread.run_sync(migrate.upgrade, service.engine)
    drain_at_sigterm(partial(setattr, service.readiness, "is_ending", True), settings.drain_seconds)
    end_with_parent()
    work = [take_content(service, settings.content_dir), service.watch.signal.run(), service.key_use.run()]
    if service.replica is not None:
        work.append(service.replica.run())
    tasks = [asyncio.create_task(one) for one in work]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)  # what a thread has begun to write, it ends
    service.watch.signal.close()
    await anyio.to_thread.run_sync(service.key_use.write)
    await anyio.to_thread.run_sync(service.engine.dispose)
    if service.replica is not None:
        await anyio.to_thread.run_sync(service.replica.engine.dispose)
    if ends_renderers:
        await anyio.to_thread.run_sync(service.renderers.close)


def _put_in_front(app: Application, service: Service, settings: Settings) -> None:
    """Short reads, the response cache and the observers, outside of all that FastAPI does."""
    inner: ASGIApp = partial(FastAPI.__call__, app)
    short = None
    if service.inline is not None and not settings.traces:  # FastAPI makes the traces
        inner = app.prepared = short = ShortReads(inner, service, Cors(inner, origins=settings.cors_origins))
    if settings.cache_bytes:
        app.cache = ResponseCache(
            inner,
            service.watch,
            capacity=settings.cache_bytes,
            s_maxage=settings.s_maxage,
            origins=() if "*" in settings.cors_origins else [origin.encode() for origin in settings.cors_origins],
            streams=("/v1/export.jsonl", "/v1/sources"),
            read=None if short is None else short.answer,
        )
        inner = app.prepared = app.cache
    if observers := observers_of(app, access_log=settings.access_log, metrics=settings.metrics):
        inner, app.prepared = Observation(inner, observers=observers), None  # which sees all
    app.front = inner


def _service(settings: Settings, engine: Engine, clock: Clock, renderers: Renderers) -> Service:
    key = settings.api_key
    listen_url = settings.database_listen_url or settings.database_url
    replica_url = settings.database_replica_url
    inline = inline_of(engine)
    return Service(
        engine=engine,
        inline=inline,
        replica=None
        if replica_url is None
        else Replica(replica_url.get_secret_value(), patience=settings.database_patience),
        watch=Watch(engine, inline, listen_url=listen_url.get_secret_value(), clock=clock),
        site=Site(
            title=settings.site_title,
            description=settings.site_description,
            url=settings.site_url,
            lang=settings.lang,
        ),
        context=settings.context,
        links=settings.links,
        limits=Limits(
            file_bytes=settings.max_file_bytes, total_bytes=settings.max_upload_bytes, files=settings.max_files
        ),
        s_maxage=settings.s_maxage,
        public_source=settings.public_source,
        private_front_matter=tuple(settings.private_front_matter),
        bootstrap=None if key is None else digest(key.get_secret_value().encode()),
        writers=anyio.CapacityLimiter(2),  # one parses while the other writes
        renderers=renderers,
        key_use=KeyUse(engine),
        readiness=Readiness(engine, migrate.is_migrated),
        rates=Rates(writes=settings.writes_per_minute, failed_keys=settings.failed_keys_per_minute),
        read_seconds=settings.read_seconds,
        streams=Slots(STREAMS, "streams"),
        waiters=Slots(WAITERS, "readers that wait for a version"),
        clock=clock,
    )


def _add_docs(app: FastAPI, root: str) -> None:
    """A page to try the API, with its scripts from this service: it works with no outside network."""
    assets = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/docs/assets", StaticFiles(directory=assets))

    html = bytes(
        get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title="Honbun",
            swagger_js_url=f"{root}/docs/assets/swagger-ui-bundle.js",
            swagger_css_url=f"{root}/docs/assets/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/assets/favicon.png",
        ).body
    )
    headers = {"Content-Security-Policy": policy_of_page(html)}

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(html, headers=headers)
