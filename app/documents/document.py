"""A source understood: the pipeline from bytes to a document, top to bottom."""

from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from datetime import datetime, time
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from app.documents import language, reading_time
from app.documents.addresses import Addresses
from app.documents.context import Context
from app.documents.dates import parse_date
from app.documents.excerpt import excerpt_of
from app.documents.fields import FrontMatter, read
from app.documents.front_matter import Node, Scalar, Split, decode, split, to_json
from app.documents.front_matter import parse as parse_front_matter
from app.documents.leaves import Field, leaves
from app.documents.links import Target, folders_above
from app.documents.liquid import Site, Translated, translate
from app.documents.markdown import Rendered, render
from app.documents.normalize import sort_key
from app.documents.permalinks import expand, is_address, is_pattern, last_part
from app.documents.sanitize import is_web_address
from app.documents.site_config import SiteConfig
from app.documents.slug import FileName, derived_slug, read_name, slug_from_name, slugify
from app.documents.sources import Source
from app.errors import DocumentError, Finding

__all__ = ["Context", "Document", "parse"]

MAX_SLUG_BYTES = 255  # what a file name may have
MAX_WARNINGS = 100  # many small files must not come back as a huge report


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A source understood. Instants are aware, in whole seconds; lists are as written, in order."""

    name: str
    sha256: str
    source: bytes
    rendered_by: str
    slug: str
    slug_is_given: bool  # by `slug` or `permalink`, not by the file's name or the title
    title: str
    title_key: str
    layout: str | None
    draft: bool
    date: datetime | None
    hidden_until: datetime | None
    updated: datetime | None
    expires: datetime | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    excerpt: str
    excerpt_html: str
    reading_time: int
    lang: str | None
    lang_suffix: str | None
    cover: str | None
    permalink: str | None
    aliases: tuple[str, ...]
    html: str
    toc: tuple[dict[str, Any], ...]
    images: tuple[dict[str, str], ...]
    links: tuple[Target, ...]  # other sources that the text links to
    front_matter: dict[str, Any]
    fields: tuple[Field, ...]
    text: str
    word_count: int
    character_count: int
    warnings: tuple[Finding, ...]


def parse(source: Source, context: Context) -> Document:
    """What a source means in a context.

    Raises DocumentError with the line, column and field of the first thing that cannot be understood.
    """
    zone = ZoneInfo(context.timezone)
    config = context.config if context.config and context.config.covers(source.name) else SiteConfig()
    parts, nodes, front, front_warnings = _front(source, config)
    file_name = read_name(source.name)
    pattern = config.permalink if context.post_url_template is None else None  # a setting wins over it
    addresses = Addresses(
        name=source.name, links=context.links, asset_url=context.asset_url, pattern=pattern, root=config.root
    )
    site = Site(url=context.site_url or "", address=addresses.of_tag)
    body = translate(parts.body, site)
    rendered = _render(parts, body, front, addresses, context.embed_hosts)
    title, title_warnings = _title(front, file_name, parts, rendered)
    excerpt = excerpt_of(body.text, front, rendered, site, addresses.resolve)
    slug, slug_is_given = _slug(front, file_name, title, source.name)
    updated = _date(front.updated, "updated_at", zone)
    date = _date(front.date, "date", zone) or _file_date(file_name, zone) or updated  # Qiita knows that alone
    categories = tuple(dict.fromkeys((*folders_above(source.name, config.root), *front.categories)))
    cover, cover_warnings = _cover(front, addresses)
    words, characters = reading_time.count(rendered.prose)
    return Document(
        name=source.name,
        sha256=source.sha256,
        source=source.content,
        rendered_by=context.rendered_by,
        slug=slug,
        slug_is_given=slug_is_given,
        title=title,
        title_key=sort_key(front.title_kana or title),
        layout=front.layout,
        draft=front.draft or "_drafts" in source.name.split("/")[:-1],
        date=date,
        hidden_until=_date(front.hidden_until, "date", zone),
        updated=updated,
        expires=_date(front.expires, "expires_at", zone),
        categories=categories,
        tags=front.tags,
        authors=front.authors,
        excerpt=excerpt.text,
        excerpt_html=excerpt.html,
        reading_time=front.reading_time or _minutes(rendered, context),
        lang=front.lang or file_name.lang or context.lang or language.detect(f"{title}\n{rendered.prose}"),
        lang_suffix=file_name.lang,
        cover=cover,
        permalink=_permalink(front, pattern, slug=slug, date=_in(zone, date), categories=categories),
        aliases=front.aliases,
        html=rendered.html,
        toc=tuple({"level": heading.level, "id": heading.id, "text": heading.text} for heading in rendered.toc),
        images=tuple({"src": image.src, "alt": image.alt} for image in rendered.images),
        links=addresses.targets(body.targets, rendered.addresses, parts.body_line - 1),
        front_matter={key: to_json(node) for key, node in nodes.items()},
        fields=tuple(leaves(nodes, zone)),
        text=rendered.text,
        word_count=words,
        character_count=characters,
        warnings=(*front_warnings, *title_warnings, *cover_warnings, *rendered.warnings)[:MAX_WARNINGS],
    )


def _front(source: Source, config: SiteConfig) -> tuple[Split, dict[str, Node], FrontMatter, tuple[Finding, ...]]:
    """The file in two, its front matter with the site's defaults under it, and the remarks on it."""
    if not source.content.removeprefix(BOM_UTF8).strip():
        detail = "the file is empty"
        raise DocumentError(Finding(code="empty_file", detail=detail, line=1, column=1, hint="was it saved?"))
    parts = split(decode(source.content))
    written, warnings = parse_front_matter(parts)
    nodes = config.under(source.name, written)
    front, field_warnings = read(nodes)
    if config.excerpt_separator and not front.excerpt_separator:
        front = replace(front, excerpt_separator=config.excerpt_separator)
    return parts, nodes, front, (*parts.warnings, *warnings, *field_warnings)


def _minutes(rendered: Rendered, context: Context) -> int:
    return reading_time.minutes(rendered.prose, cjk_per_minute=context.characters_per_minute)


def _render(
    parts: Split, body: Translated, front: FrontMatter, addresses: Addresses, embed_hosts: tuple[str, ...]
) -> Rendered:
    """Renders the body; a finding's line counts in the file, not in the body."""
    title = front.title.text if front.title else None
    try:
        rendered = render(
            body.text, title=title, resolve=addresses.resolve, literal=body.literal, embed_hosts=embed_hosts
        )
    except DocumentError as error:
        raise DocumentError(_shifted(error.finding, parts)) from error
    if not rendered.warnings:
        return rendered
    return replace(rendered, warnings=tuple(_shifted(finding, parts) for finding in rendered.warnings))


def _shifted(finding: Finding, parts: Split) -> Finding:
    return finding if finding.line is None else replace(finding, line=finding.line + parts.body_line - 1)


def _title(
    front: FrontMatter, file_name: FileName, parts: Split, rendered: Rendered
) -> tuple[str, tuple[Finding, ...]]:
    """The title as written; without one, the first heading of a file with no front matter, else the file's name."""
    if front.title is not None:
        return front.title.text, ()
    if parts.format is None and rendered.toc:
        title = rendered.toc[0].text
    else:
        title = " ".join(word.capitalize() for word in file_name.stem.replace("_", " ").replace("-", " ").split())
    finding = Finding(code="title_derived", detail=f"there is no title; {title!r} is used", field="title")
    return title, (finding,)


def _slug(front: FrontMatter, file_name: FileName, title: str, name: str) -> tuple[str, bool]:
    """The slug a document asks for, and whether the author gave it."""
    if front.slug is not None and front.slug.value is not None:
        slug = derived_slug(front.slug.text)
        if not slug or len(front.slug.text.encode()) > MAX_SLUG_BYTES:
            reason = "is too long" if slug else "holds no letter or digit"
            raise DocumentError(
                Finding(
                    code="invalid_slug",
                    detail=f"the slug {front.slug.text[:60]!r} {reason}",
                    field="slug",
                    line=front.slug.line,
                    column=front.slug.column,
                    hint=f"at most {MAX_SLUG_BYTES} bytes, with a letter or digit",
                )
            )
        return slug, True
    last = slug_from_name(last_part(_address(front) or ""))
    if last:
        return last, True
    derived = derived_slug(file_name.stem) or slugify(title)
    return derived or f"p-{sha256(name.encode()).hexdigest()[:8]}", False


def _address(front: FrontMatter) -> str | None:
    """The address the author wrote; Jekyll's named styles and placeholders are no addresses."""
    text = front.permalink.text if front.permalink else ""
    return text if is_address(text) else None


def _permalink(
    front: FrontMatter, site_pattern: str | None, *, slug: str, date: datetime | None, categories: tuple[str, ...]
) -> str | None:
    """The address that was written, or that the post's own pattern makes, or the site's."""
    pattern = front.permalink.text if front.permalink else site_pattern
    if pattern is None or not is_pattern(pattern):
        return _address(front)
    return expand(pattern, slug=slug, date=date, categories=categories)


def _cover(front: FrontMatter, addresses: Addresses) -> tuple[str | None, tuple[Finding, ...]]:
    """The picture's address; none where a page that puts it into a link would run it."""
    if front.cover is None or is_web_address(front.cover):
        return None if front.cover is None else addresses.file(front.cover), ()
    detail = f"{front.cover[:60]!r} is no address of a picture on the web; it is left out"
    return None, (Finding(code="field_ignored", detail=detail, field="cover", hint="write an http or https address"),)


def _in(zone: ZoneInfo, date: datetime | None) -> datetime | None:
    if date is None:
        return None
    try:
        return date.astimezone(zone)
    except OverflowError:
        return date


def _date(scalar: Scalar | None, field: str, zone: ZoneInfo) -> datetime | None:
    if scalar is None:
        return None
    try:
        return parse_date(scalar.text, zone=zone)
    except ValueError as error:
        raise DocumentError(
            Finding(
                code="invalid_date",
                detail=str(error),
                field=field,
                line=scalar.line,
                column=scalar.column,
                hint="write it as 2025-12-23 08:46:58 +09:00",
            )
        ) from error


def _file_date(file_name: FileName, zone: ZoneInfo) -> datetime | None:
    return None if file_name.date is None else datetime.combine(file_name.date, time(), tzinfo=zone)
