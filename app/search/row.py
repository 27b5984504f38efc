"""What of a post is searched."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRow:
    """The searched texts of a post, as shown: tags by name, `text` the whole body without its markup."""

    pk: int
    title: str
    tags: tuple[str, ...]
    excerpt: str
    text: str
