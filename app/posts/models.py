"""The tables. A post's bodies are kept beside it, so that lists read none of them."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Row,
    Select,
    String,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

SQLModel.metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant in whole seconds: `timestamptz` on Postgres, sortable text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(20) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return _sqlite_text(value) if dialect.name == "sqlite" else _in_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if dialect.name == "sqlite" else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC).replace(microsecond=0)


@lru_cache(maxsize=256)  # a post's own instants are written with each of its terms
def _sqlite_text(value: datetime) -> str:
    return instant_text(_in_utc(value))


def instant_text(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ` of an instant in UTC (RFC 3339); strftime does not pad years before 1000."""
    return f"{instant.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


class ShownInstant(FunctionElement[str]):
    """The text of an instant, as `instant_text` has it, by the database: no row needs a conversion."""

    type = String()
    inherit_cache = True


@compiles(ShownInstant)
def _as_stored(element: ShownInstant, compiler: SQLCompiler, **given: Any) -> str:
    return compiler.process(element.clauses, **given)


@compiles(ShownInstant, "postgresql")
def _as_text(element: ShownInstant, compiler: SQLCompiler, **given: Any) -> str:
    return f"""to_char({compiler.process(element.clauses, **given)}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def code_points(length: int | None = None) -> String:
    """Text that is compared and sorted by code point on both databases; SQLite does so by itself."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Post(SQLModel, table=True):
    """What lists show of a post, and what they filter and sort by."""

    __table_args__ = (
        Index(None, "draft", "published_at", "source_name", "expires_at"),  # all that a count or an offset asks for
        Index(None, "draft", "updated_at", "source_name"),
        Index(None, "draft", "title_key", "source_name"),
        Index(None, "draft", "expires_at", "published_at"),
    )

    pk: int | None = Field(default=None, primary_key=True)
    id: str = Field(sa_type=String(36), unique=True)
    source_name: str = Field(sa_type=code_points(), unique=True)
    slug: str = Field(sa_type=code_points(), unique=True)
    slug_wanted: str = Field(sa_type=Text)
    draft: bool
    published_at: datetime | None = Field(sa_type=UTCDateTime)
    date: str | None
    updated_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(sa_type=UTCDateTime)
    title: str = Field(sa_type=Text)
    title_key: str = Field(sa_type=code_points())
    layout: str | None = Field(sa_type=Text)
    lang: str | None = Field(sa_type=Text)
    categories: str = Field(sa_type=Text)  # JSON lists, as written
    tags: str = Field(sa_type=Text)
    authors: str = Field(sa_type=Text)
    excerpt: str = Field(sa_type=Text)
    excerpt_html: str = Field(sa_type=Text)
    reading_time: int
    cover: str | None = Field(sa_type=Text)
    permalink: str | None = Field(sa_type=Text)
    sha256: str = Field(sa_type=String(64))
    rendered_by: str = Field(sa_type=Text)
    ingested_at: datetime = Field(sa_type=UTCDateTime)


class Body(SQLModel, table=True):
    """The large parts of a post."""

    post_pk: int = Field(primary_key=True, foreign_key="post.pk", ondelete="CASCADE")
    html: str = Field(sa_type=Text)
    text: str = Field(sa_type=Text)  # of the HTML, to be searched and highlighted
    toc: str = Field(sa_type=Text)  # JSON
    images: str = Field(sa_type=Text)  # JSON
    front_matter: str = Field(sa_type=Text)  # JSON, private keys included
    aliases: str = Field(sa_type=Text)  # JSON list, as written
    word_count: int
    character_count: int
    source: bytes


class Term(SQLModel, table=True):
    """One value of a taxonomy on one post; equal keys are one term.

    It repeats what lists of a term are sorted by and what decides whether its post is visible: so the indexes hold
    each term's posts in the order of its lists, and its count is told by one of them alone.
    """

    __tablename__ = "term"
    __table_args__ = (
        Index(
            "ix_term_published_at", "taxonomy", "key", "draft", "published_at", "source_name", "expires_at", "post_pk"
        ),
        Index("ix_term_updated_at", "taxonomy", "key", "draft", "updated_at", "source_name", "post_pk"),
        Index(None, "taxonomy", "key", "name"),
    )

    post_pk: int = Field(primary_key=True, foreign_key="post.pk", ondelete="CASCADE")
    taxonomy: str = Field(primary_key=True, sa_type=String(10))
    position: int = Field(primary_key=True)
    key: str = Field(sa_type=code_points())
    name: str = Field(sa_type=code_points())
    source_name: str = Field(sa_type=code_points())
    draft: bool
    published_at: datetime | None = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(sa_type=UTCDateTime)


class FieldValue(SQLModel, table=True):
    """One leaf of a front matter, for filters; a list's members share a path."""

    __tablename__ = "field_value"
    __table_args__ = (
        Index(None, "path", "text"),
        Index(None, "path", "number"),
        Index(None, "path", "instant"),
    )

    post_pk: int = Field(primary_key=True, foreign_key="post.pk", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    path: str = Field(sa_type=code_points())
    text: str = Field(sa_type=code_points())
    number: float | None
    instant: datetime | None = Field(sa_type=UTCDateTime)


class Keyword(SQLModel, table=True):
    """What a post is about, as a hash; and from when until when it shows, in seconds: 0 is for ever.

    The primary key alone tells the newest posts that have a keyword, and whether they show.
    """

    __table_args__ = (
        PrimaryKeyConstraint("keyword", "shows_from", "post_pk", "shows_until"),
        Index(None, "post_pk"),
        {"sqlite_with_rowid": False},
    )

    keyword: int = Field(sa_type=BigInteger)
    shows_from: int = Field(sa_type=BigInteger)
    shows_until: int = Field(sa_type=BigInteger)
    post_pk: int = Field(foreign_key="post.pk", ondelete="CASCADE")
    is_tag: bool


class Alias(SQLModel, table=True):
    """A former slug, or an address the front matter names; the newest holder of a former slug answers for it."""

    __table_args__ = (Index(None, "kind", "value"), Index(None, "post_pk"))

    pk: int | None = Field(default=None, primary_key=True)
    post_pk: int = Field(foreign_key="post.pk", ondelete="CASCADE")
    kind: str = Field(sa_type=String(10))  # "slug" or "path"
    value: str = Field(sa_type=code_points())


class Content(SQLModel, table=True):
    """The one row that writers lock: which version this is, and when something visible last changed."""

    pk: int = Field(primary_key=True)
    version: int
    visible_version: int
    visible_at: datetime = Field(sa_type=UTCDateTime)
    ambiguous: bool  # more than one visible change in the second of `visible_at`
    # Counts versions that changed no more than texts, from some number on that each other version draws. Who does not
    # count them changes more, as far as others know.
    text_changes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class Change(SQLModel, table=True):
    """One append-only history: every change of a post, by whom, over which way in."""

    __table_args__ = (Index(None, "source_name", "pk"), Index(None, "version"))

    pk: int | None = Field(default=None, primary_key=True)
    version: int
    at: datetime = Field(sa_type=UTCDateTime)
    post_id: str = Field(sa_type=String(36))
    source_name: str = Field(sa_type=code_points())
    kind: str = Field(sa_type=String(10))
    author: str = Field(sa_type=Text)  # the key's name
    via: str = Field(sa_type=String(10))  # "http", "cli" or "folder"
    sha256: str | None = Field(sa_type=String(64))


class ApiKey(SQLModel, table=True):
    """A key's hash and what it may do; the key itself is shown once and kept nowhere."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True, sa_type=String(16))
    name: str = Field(sa_type=Text)
    digest: str = Field(sa_type=String(64))
    scope: str = Field(sa_type=String(10))
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(sa_type=UTCDateTime)
    revoked_at: datetime | None = Field(sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)  # to the minute, and a little late


class Taken(SQLModel, table=True):
    """What `serve` last took from the content folder under a name."""

    name: str = Field(primary_key=True, sa_type=code_points())
    sha256: str = Field(sa_type=String(64))


class SiteFile(SQLModel, table=True):
    """A site's `_config.yml` as received: it says what the posts below its folder mean."""

    __tablename__ = "site_file"

    name: str = Field(primary_key=True, sa_type=code_points())
    sha256: str = Field(sa_type=String(64))
    source: bytes
    via: str = Field(sa_type=String(10))  # "http", "cli" or "folder"


def table(model: type[SQLModel]) -> Table:
    """The table of a model, for statements that load no entities."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


posts, bodies, terms, keywords = table(Post), table(Body), table(Term), table(Keyword)
field_values, aliases, content = table(FieldValue), table(Alias), table(Content)
changes, api_keys, taken, site_files = table(Change), table(ApiKey), table(Taken), table(SiteFile)
