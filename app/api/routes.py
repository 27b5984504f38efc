"""Routes of reads: their signatures are what the OpenAPI document says, but FastAPI does not solve them.

Its query models take a millisecond for our forty parameters, each dependency a task or a thread; a cold list takes
less than either. A query string that was read before is not read again.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from inspect import iscoroutinefunction
from typing import Any, TypeVar, get_origin, get_type_hints
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import ValidationError

from app.api.service import Reading, reading_of, wanted_version
from app.posts.parameters import Query
from app.posts.replica import AskPrimary

Q = TypeVar("Q", bound=Query)
LONGEST = 500  # bytes of a query string that is remembered


class ReadRoute(APIRoute):
    """A route whose endpoint takes a request, a query, a reading and parts of the path."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        kinds = get_type_hints(self.endpoint)
        del kinds["return"]
        ((query_name, model),) = [item for item in kinds.items() if issubclass(item[1], Query)]
        names = {kind: name for name, kind in kinds.items() if kind in (Request, Reading)}
        call = self.endpoint if iscoroutinefunction(self.endpoint) else _threaded(self.endpoint)

        async def handle(request: Request) -> Response:
            reading = await reading_of(request)
            query = read_query(model, request.scope["query_string"])
            if query.min_version is not None:
                await wanted_version(request, reading.service)
            answer = partial(call, **{query_name: query, names[Request]: request}, **request.path_params)
            return await _answer(lambda view: answer(**{names[Reading]: view}), reading)

        return handle


async def _answer(call: Callable[[Reading], Awaitable[Response]], reading: Reading) -> Response:
    """The answer from the replica, where it is there and is as new as anybody was promised; else from the primary."""
    service = reading.service
    if service.replica is not None and service.replica.is_there:
        await service.watch.state()  # what others have committed is promised, once this process has heard of it
        with suppress(AskPrimary):
            return await call(replace(reading, replica=service.replica))
    return await call(reading)


def _threaded(endpoint: Callable[..., Response]) -> Callable[..., Awaitable[Response]]:
    async def call(**values: Any) -> Response:
        return await run_sync(lambda: endpoint(**values))

    return call


def read_query(model: type[Q], text: bytes) -> Q:
    """The query of a query string, as FastAPI would read it. Raises RequestValidationError."""
    query: Any = _remembered(model, text) if len(text) <= LONGEST else _read(model, text)
    return query  # type: ignore[no-any-return]


def _read(model: type[Query], text: bytes) -> Query:
    given: dict[str, Any] = {}
    for name, value in parse_qsl(text.decode("latin-1"), keep_blank_values=True):
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        field = model.model_fields.get(name)
        if field is None:
            given[name] = values if len(values) > 1 else values[0]
        elif get_origin(field.annotation) is not tuple:
            given[name] = values[-1]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise RequestValidationError([item | {"loc": ("query", *item["loc"])} for item in found]) from error


_remembered = lru_cache(maxsize=1000)(_read)
