"""What an operator sees of the requests: a line each in the log, and figures for Prometheus."""

import logging
import os
import time
from collections.abc import Callable
from functools import cached_property
from re import Pattern
from typing import TYPE_CHECKING, Protocol

from fastapi import Depends, FastAPI, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.service import Scope as Needs

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"))
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
log = logging.getLogger("honbun.access")


class Observer(Protocol):
    def __call__(self, scope: Scope, status: int, seconds: float) -> None:
        """Hears of each answer; status 499 where the reader went away before there was one."""


class Observation:
    """Outermost: what the response cache answers is seen as well."""

    def __init__(self, app: ASGIApp, *, observers: list[Observer]) -> None:
        self.app = app
        self.observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 499
        begun = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            seconds = time.perf_counter() - begun
            for observe in self.observers:
                observe(scope, status, seconds)


def write_access_log(scope: Scope, status: int, seconds: float) -> None:
    """Without the query, which may hold what a reader looks for, and without headers, which may hold keys."""
    line = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "client": (scope.get("client") or ("",))[0],
    }
    log.info("request", extra=line)


class Metrics:
    """Counts and durations by method, route and status.

    Several processes share them through the folder that `PROMETHEUS_MULTIPROC_DIR` names.
    """

    def __init__(self, templates: Callable[[], list[str]]) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector  # noqa: PLC0415 - optional

        self._templates = templates
        self._registry = CollectorRegistry()
        if not self._is_shared:
            ProcessCollector(registry=self._registry)
        labels = ("method", "route")
        self._requests = Counter("honbun_requests", "Requests answered", (*labels, "status"), registry=self._registry)
        self._seconds = Histogram(
            "honbun_request_seconds", "From request to answer", labels, registry=self._registry, buckets=BUCKETS
        )

    def __call__(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = next((template for template, pattern in self._routes if pattern.fullmatch(scope["path"])), "other")
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        from prometheus_client import generate_latest  # noqa: PLC0415

        return generate_latest(self._shared() if self._is_shared else self._registry)

    @property
    def _is_shared(self) -> bool:
        return "PROMETHEUS_MULTIPROC_DIR" in os.environ

    def _shared(self) -> "CollectorRegistry":
        from prometheus_client import CollectorRegistry  # noqa: PLC0415
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry

    @cached_property
    def _routes(self) -> list[tuple[str, Pattern[str]]]:
        """Templates, not paths: a reader must not be able to make up new series."""
        return [(template, compile_path(template)[0]) for template in self._templates()]


def observers_of(app: FastAPI, *, access_log: bool, metrics: bool) -> list[Observer]:
    """Those that are wanted; figures get a route of their own."""
    observers: list[Observer] = [write_access_log] if access_log else []
    if metrics:
        figures = Metrics(lambda: list(app.openapi()["paths"]))
        observers.append(figures)

        @app.get("/metrics", include_in_schema=False, dependencies=[Depends(Needs("read"))])
        def show_metrics() -> Response:
            headers = {"Cache-Control": "no-store"}
            return Response(figures.text(), media_type="text/plain; version=0.0.4", headers=headers)

    return observers
