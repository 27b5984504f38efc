"""What an afternoon brings: FastAPI and SQLModel, entities with relations, offset pages, LIKE. The table's measure.

`AFTERNOON_DB` names its SQLite file.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import frontmatter
from fastapi import Depends, FastAPI, File, HTTPException, Query, UploadFile
from markdown_it import MarkdownIt
from sqlalchemy import event
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, func, or_, select

engine = create_engine(f"sqlite:///{os.environ['AFTERNOON_DB']}", connect_args={"check_same_thread": False})
markdown = MarkdownIt("commonmark").enable("table")


@event.listens_for(engine, "connect")
def _pragmas(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


class ArticleTag(SQLModel, table=True):
    article_id: int | None = Field(default=None, foreign_key="article.id", primary_key=True)
    tag_id: int | None = Field(default=None, foreign_key="tag.id", primary_key=True, index=True)


class Tag(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class ArticleBase(SQLModel):
    slug: str = Field(unique=True)
    title: str
    date: datetime = Field(index=True)
    category: str = Field(index=True)
    author: str = Field(index=True)
    excerpt: str
    reading_time: int


class Article(ArticleBase, table=True):
    id: int | None = Field(default=None, primary_key=True)
    source: str
    html: str
    tags: list[Tag] = Relationship(link_model=ArticleTag)


class ArticleSummary(ArticleBase):
    id: int
    tags: list[str]


class ArticleDetail(ArticleSummary):
    html: str


class ArticlePage(SQLModel):
    total: int
    items: list[ArticleSummary]


def _session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(_session)]
SQLModel.metadata.create_all(engine, [SQLModel.metadata.tables[name] for name in ("article", "tag", "articletag")])
app = FastAPI()


def _aware(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


@app.get("/articles", response_model=ArticlePage)
def list_articles(  # noqa: PLR0917 - an afternoon's parameters
    session: SessionDep,
    page: Annotated[int, Query(ge=1)] = 1,
    tag: str | None = None,
    category: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    q: str | None = None,
) -> Any:
    statement: Any = select(Article)
    if tag:
        statement = statement.where(Article.tags.any(Tag.name == tag))  # type: ignore[attr-defined]
    if category:
        statement = statement.where(Article.category == category)
    if since:
        statement = statement.where(Article.date >= _aware(since))
    if until:
        statement = statement.where(Article.date < _aware(until))
    if q:
        statement = statement.where(or_(Article.title.contains(q), Article.source.contains(q)))  # type: ignore[attr-defined]
    total = session.exec(select(func.count()).select_from(statement.subquery())).one()
    newest = statement.order_by(Article.date.desc()).offset((page - 1) * 20).limit(20)  # type: ignore[attr-defined]
    found: Any = session.exec(newest.options(selectinload(Article.tags))).all()  # type: ignore[arg-type]
    return ArticlePage(total=total, items=[_shown(article, ArticleSummary) for article in found])


@app.get("/articles/{slug}", response_model=ArticleDetail)
def get_article(slug: str, session: SessionDep) -> Any:
    article = session.exec(select(Article).where(Article.slug == slug)).first()
    if article is None:
        raise HTTPException(404)
    return _shown(article, ArticleDetail)


def _shown(article: Article, kind: type[ArticleSummary]) -> ArticleSummary:
    return kind.model_validate(article, update={"tags": [tag.name for tag in article.tags]})


@app.post("/articles", status_code=201)
def add_articles(session: SessionDep, files: Annotated[list[UploadFile], File()]) -> dict[str, int]:
    for file in files:
        post: Any = frontmatter.loads(file.file.read().decode())
        tags = [
            session.exec(select(Tag).where(Tag.name == str(name))).first() or Tag(name=str(name))
            for name in post["tags"]
        ]
        article = Article(
            slug=str(file.filename).removesuffix(".md")[11:],
            title=post["title"],
            date=_aware(post["date"]),
            category=post["categories"][0],
            author=post["author"],
            excerpt=post["excerpt"],
            reading_time=post["reading_time"],
            source=post.content,
            html=markdown.render(post.content),
            tags=tags,
        )
        session.add(article)
    session.commit()
    return {"stored": len(files)}
