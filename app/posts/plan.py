"""What an upload will do, decided before anything is written: renames, prunes, slugs. Pure."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any, TypeVar

from app.documents.slug import read_name
from app.errors import Conflict, DocumentError, Finding
from app.posts.records import Planned

T = TypeVar("T")
PRUNE_SHARE = 0.2  # more than this share of PRUNE_LEAST or more posts is taken for a mistake
PRUNE_LEAST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A stored post as the plan sees it."""

    pk: int
    id: str
    name: str
    slug: str
    slug_wanted: str
    sha256: str
    rendered_by: str


def find_renames(gone: Iterable[Known], come: Iterable[Planned]) -> dict[str, Known]:
    """New name -> the stored post that moved there.

    The same bytes under another name (of several, the one whose name differs in folder and date alone), else the
    same name but for folder and date, where only one fits.
    """
    left = {post.pk: post for post in sorted(gone, key=lambda post: post.name)}
    if not left:
        return {}
    new = {document.name: document for document in sorted(come, key=lambda document: document.name)}
    renames: dict[str, Known] = {}
    rules: tuple[tuple[Callable[[Known | Planned], Hashable], bool], ...] = (
        (lambda file: (file.sha256, stem_of(file.name)), False),
        (lambda file: file.sha256, False),
        (lambda file: stem_of(file.name), True),
    )
    for key, only_one in rules:
        old_by_key, new_by_key = _group(left.values(), key), _group(new.values(), key)
        for shared, documents in new_by_key.items():
            posts = old_by_key.get(shared, [])
            if only_one and not len(documents) == len(posts) == 1:
                continue
            for document, post in zip(documents, posts, strict=False):
                renames[document.name] = post
                del left[post.pk], new[document.name]
    return renames


def _group(items: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def stem_of(name: str) -> Hashable:
    """What stays of a name when a file moves to another folder or date."""
    try:
        read = read_name(name)
    except DocumentError:
        return name
    return read.stem, read.lang


def spared(gone: Iterable[str], failed: Iterable[str]) -> set[str]:
    """The names of those gone that a file which failed may be, renamed: a file that failed is never pruned."""
    stems = {stem_of(name) for name in failed}
    return {name for name in gone if stem_of(name) in stems}


def check_prune(deleted: int, stored: int, prune_max: int | None) -> None:
    """Raises Conflict where a prune takes so much that it is probably a mistake."""
    too_many = stored >= PRUNE_LEAST and deleted > stored * PRUNE_SHARE
    if too_many and (prune_max is None or deleted > prune_max):
        raise Conflict(
            f"this would delete {deleted} of {stored} posts",
            code="prune_too_large",
            hint=f"if that is meant, allow it with prune_max={deleted}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A document that needs a slug; `post` is the stored post that it replaces."""

    document: Planned
    post: Known | None
    instant: datetime
    restored: str | None = None  # the slug that an export says the post had


def keeps_slug(claim: Claim) -> bool:
    """A slug once held stays, unless the author asks for another in the front matter."""
    if claim.post is None:
        return False
    return claim.post.slug_wanted == claim.document.slug or not claim.document.slug_is_given


def give_slugs(
    claims: Sequence[Claim], holders: Callable[[str], str | None]
) -> tuple[dict[str, str], dict[str, Finding]]:
    """Name -> slug, and the warnings where a slug was taken.

    Posts already stored come first, then by instant, then by name. `holders` tells which source holds a slug
    that this upload does not free.
    """
    slugs = {claim.document.name: claim.post.slug for claim in claims if claim.post and keeps_slug(claim)}
    given = {slug: name for name, slug in slugs.items()}
    warnings: dict[str, Finding] = {}
    numbers: dict[str, Iterator[int]] = defaultdict(partial(count, 2))  # what was taken once is not asked for again
    for claim in sorted(claims, key=_turn):
        name = claim.document.name
        if name in slugs:
            continue
        rival = None
        for slug in _candidates(claim, numbers[claim.document.slug]):
            holder = given.get(slug) or holders(slug)
            if holder is None or holder == name:
                break
            rival = rival or holder
        slugs[name], given[slug] = slug, name
        if rival is not None:
            warnings[name] = Finding(
                code="slug_taken",
                detail=f"the slug {claim.document.slug!r} is held by {rival}; {name} has {slug!r}",
                field="slug",
                hint="write another slug into the front matter of one of them",
            )
    return slugs, warnings


def _turn(claim: Claim) -> tuple[bool, datetime, str]:
    return claim.post is None and claim.restored is None, claim.instant, claim.document.name


def _candidates(claim: Claim, numbers: Iterator[int]) -> Iterator[str]:
    wanted = claim.document.slug
    if claim.restored is not None:
        yield claim.restored
    yield wanted
    if claim.document.lang_suffix:
        yield f"{wanted}-{claim.document.lang_suffix}"
    if claim.document.date is not None:
        yield f"{wanted}-{claim.document.date.date().isoformat()}"
    for number in numbers:
        yield f"{wanted}-{number}"


def same_source(post: Any, sha256: str, rendered_by: str) -> bool:
    """Whether a file is stored already as it would be now; `post` is the row or what is known of it, None for none."""
    return post is not None and post.sha256 == sha256 and post.rendered_by == rendered_by


def missing_from(manifest: Mapping[str, str], stored: Mapping[str, str]) -> list[tuple[str, Finding]]:
    """The names of a manifest that the service does not have as it says."""
    return [
        (name, Finding(code="not_stored", detail="the manifest names bytes that are not stored", hint="send the file"))
        for name, sha256 in sorted(manifest.items())
        if stored.get(name) != sha256
    ]
