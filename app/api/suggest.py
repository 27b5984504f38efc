"""Suggestions while a reader types."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api import schemas
from app.api.caching import respond
from app.api.routes import ReadRoute
from app.api.service import ReadingDep
from app.api.terms import term_link
from app.posts.filters import SuggestQuery
from app.posts.suggest import suggest_posts, suggest_tags
from app.search.typed import Typed

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=ReadRoute)


@router.get("/suggest", response_model=schemas.Suggestions)
def get_suggestions(request: Request, query: Annotated[SuggestQuery, Query()], reading: ReadingDep) -> Response:
    """Tags and titles that begin with what is typed, then those that hold it."""
    typed = Typed.of(query.q)
    with reading.snapshot() as (snapshot, lifetime):
        tags = suggest_tags(snapshot.connection, typed, query.limit, reading.reader)
        found = suggest_posts(snapshot.connection, typed, query.limit, reading.reader, reading.show)
    root = reading.service.links.root_path
    body = {
        "tags": [term_link(name, "tag", root) for name in tags],
        "posts": found,
        "version": lifetime.state.label,
    }
    return respond(request, body, lifetime, tags=["list"])
