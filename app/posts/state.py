"""What a post is beside its bytes: id, slug, former slugs, when it first came. It goes along with an export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection, select

from app.errors import SourceError
from app.posts.models import aliases, bodies, instant_text, posts
from app.posts.options import PostState
from app.posts.sites import read_sites

STATE_FILE = ".honbun-state.json"


class _StateFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    posts: dict[str, PostState]  # pydantic reads the dataclass as it would a model of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A stored source: its name and bytes."""

    name: str
    content: bytes


def export_sources(connection: Connection) -> Iterator[Exported]:
    """Every source byte for byte under its name: the configurations of sites, then the posts by name."""
    for config in read_sites(connection).values():
        yield Exported(name=config.name, content=config.content)
    statement = (
        select(posts.c.source_name, bodies.c.source)
        .join(bodies, bodies.c.post_pk == posts.c.pk)
        .order_by(posts.c.source_name)
    )
    for row in connection.execution_options(yield_per=100).execute(statement):
        yield Exported(name=row.source_name, content=bytes(row.source))


def export_state(connection: Connection) -> bytes:
    """The state of all posts as JSON: name -> id, slug, former slugs, first dates."""
    former: dict[int, list[str]] = {}
    slugs = select(aliases.c.post_pk, aliases.c.value).where(aliases.c.kind == "slug").order_by(aliases.c.pk)
    for row in connection.execute(slugs):
        former.setdefault(row.post_pk, []).append(row.value)
    columns = (posts.c.pk, posts.c.source_name, posts.c.id, posts.c.slug, posts.c.ingested_at, posts.c.updated_at)
    found = {
        row.source_name: _state(row, former)
        for row in connection.execute(select(*columns).order_by(posts.c.source_name))
    }
    return orjson.dumps({"posts": found}, option=orjson.OPT_INDENT_2)


def _state(row: Any, former: Mapping[int, list[str]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "slug": row.slug,
        "former_slugs": former.get(row.pk, []),
        "ingested_at": instant_text(row.ingested_at),
        "updated_at": instant_text(row.updated_at),
    }


def read_state_file(content: bytes) -> dict[str, PostState]:
    """The state that an export brought. Raises SourceError."""
    try:
        return _StateFile.model_validate_json(content).posts
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise SourceError(f"{STATE_FILE}: {place}: {first['msg']}", code="invalid_state") from error
