"""The history of changes, for whoever answers for the content."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.api import schemas
from app.api.auth import Principal
from app.api.caching import respond
from app.api.lists import envelope
from app.api.service import ReadingDep, Scope
from app.posts.history import HistoryQuery, list_changes

router = APIRouter(prefix="/v1", tags=["Operation"])


@router.get("/changes", response_model=schemas.ChangeList)
def get_changes(
    request: Request,
    query: Annotated[HistoryQuery, Query()],
    _holder: Annotated[Principal, Depends(Scope("admin"))],
    reading: ReadingDep,
) -> Response:
    """Who changed which post, when, by which way in, and the version that came of it; the newest first."""
    with reading.snapshot() as (snapshot, lifetime):
        page = list_changes(snapshot.connection, query)
    body, headers = envelope(request, page, lifetime.state.label, f"{reading.service.links.root_path}/v1/changes")
    return respond(request, body, lifetime, headers=headers)
