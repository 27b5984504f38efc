"""Cache tags: by what a shared cache can purge the lists of a term."""

from collections.abc import Iterator
from hashlib import sha256

from app.documents.normalize import term_key
from app.posts.filters import PostFilter
from app.posts.queries import TAXONOMIES


def term_tag(taxonomy: str, name: str) -> str:
    return f"term-{sha256(f'{taxonomy} {term_key(name)}'.encode()).hexdigest()[:12]}"


def term_tags(query: PostFilter) -> Iterator[str]:
    """A tag for each term that a filter names."""
    for taxonomy in TAXONOMIES:
        for suffix in ("", "__all"):
            for name in getattr(query, taxonomy + suffix):
                yield term_tag(taxonomy, name)
