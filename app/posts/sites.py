"""The `_config.yml` files that uploads bring: kept, and from then on the word on all posts below their folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, Connection, Engine, and_, case, delete, func, insert, select, true

from app.database import reading
from app.documents.context import Context, Contexts
from app.documents.site_config import SiteConfig, parse_config
from app.documents.source_names import folder_of
from app.documents.sources import UNREAD, Batch, Source, SourceElsewhere
from app.errors import DocumentError, Finding
from app.posts.models import bodies, posts, site_files
from app.posts.options import Options
from app.posts.prepared import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """The configurations before and after an upload, by name, and those of it that cannot be read."""

    before: Mapping[str, Source]
    after: Mapping[str, Source]
    refused: Mapping[str, Finding]

    def changed(self, name: str) -> tuple[str, ...]:
        """The settings that the upload changes."""
        return _config(name, self.before).differs_in(_config(name, self.after))

    @property
    def written(self) -> set[str]:
        """The names whose bytes the upload changes."""
        return {name for name in {*self.before, *self.after} if self.before.get(name) != self.after.get(name)}

    @property
    def moved(self) -> list[str]:
        """The folders whose posts the upload gives another meaning."""
        return [folder_of(name) for name in sorted(self.written) if self.changed(name)]


def _config(name: str, configs: Mapping[str, Source]) -> SiteConfig:
    folder = folder_of(name)
    return parse_config(configs[name].content, folder=folder) if name in configs else SiteConfig(folder=folder)


def read_sites(connection: Connection) -> dict[str, Source]:
    return {row.name: Source(name=row.name, content=bytes(row.source)) for row in read(connection, _SITES)}


_SITES = select(site_files.c.name, site_files.c.source).order_by(site_files.c.name)


def contexts_now(connection: Connection, plain: Context) -> Contexts:
    """The context of each source, by the configurations that are stored."""
    return Contexts.of_sites(plain, read_sites(connection).values())


def plan_sites(before: Mapping[str, Source], batch: Batch, options: Options) -> Sites:
    """What an upload makes of the configurations; one that cannot be read leaves the stored one in its place."""
    after, refused = dict(before), {}
    for config in batch.configs:
        try:
            parse_config(config.content, folder=folder_of(config.name))
        except DocumentError as error:
            refused[config.name] = error.finding
        else:
            after[config.name] = config
    if options.prune_below is not None:
        sent = {*options.manifest, *(config.name for config in batch.configs), *(name for name, _ in batch.refused)}
        for name in before:
            if name.startswith(options.prune_below) and name not in sent:
                del after[name]
    return Sites(before=before, after=after, refused=refused)


def write_sites(connection: Connection, sites: Sites, via: str) -> None:
    names = sites.written
    if not names:
        return
    connection.execute(delete(site_files).where(site_files.c.name.in_(names)))
    for config in (sites.after[name] for name in names if name in sites.after):
        values = {"name": config.name, "sha256": config.sha256, "source": config.content, "via": via}
        connection.execute(insert(site_files).values(values))


def is_stale(contexts: Contexts) -> ColumnElement[bool]:
    """Whether a post was made by another renderer or in another context than it would be now."""
    deepest_first = sorted(contexts.sites.items(), key=lambda site: -len(site[0]))
    wanted = [(is_below(folder), context.rendered_by) for folder, context in deepest_first]
    plain = contexts.plain.rendered_by
    return posts.c.rendered_by != (case(*wanted, else_=plain) if wanted else plain)


def is_below(folder: str) -> ColumnElement[bool]:
    """Whether a post lies below a folder. Names compare by code point, and `0` comes right after `/`."""
    if not folder:
        return true()
    return and_(posts.c.source_name >= f"{folder}/", posts.c.source_name < f"{folder}0")


def stale_below(connection: Connection, folders: Iterable[str], contexts: Contexts) -> list[Source]:
    """The stored sources below the folders that mean something else now; they may be all, and are not kept in memory."""
    found: dict[str, Source] = {}
    for folder in folders:
        for row in connection.execute(_SIZES.where(is_below(folder), is_stale(contexts))):
            read = partial(_source_of, connection.engine, row.pk, row.sha256)
            found[row.source_name] = SourceElsewhere(row.source_name, read, sha256=row.sha256, size=row.size)
    return list(found.values())


_SIZES = (
    select(posts.c.pk, posts.c.source_name, posts.c.sha256, func.length(bodies.c.source).label("size"))
    .join(bodies, bodies.c.post_pk == posts.c.pk)
    .order_by(posts.c.source_name)
)


def _source_of(engine: Engine, pk: int, sha256: str) -> bytes:
    """The stored source that was seen. Raises DocumentError where the post holds another one now, or is gone."""
    statement = (
        select(bodies.c.source)
        .join(posts, posts.c.pk == bodies.c.post_pk)
        .where(posts.c.pk == pk, posts.c.sha256 == sha256)
    )
    with reading(engine) as connection:
        source = connection.execute(statement).scalar_one_or_none()
    if source is None:
        raise DocumentError(Finding(code=UNREAD, detail="the post was written or deleted meanwhile"))
    return bytes(source)
