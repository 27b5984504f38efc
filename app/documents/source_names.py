"""Names of sources: what is one, which are posts, and what their folders make of them."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator

from app.errors import SourceError

POST_SUFFIXES = (".md", ".markdown", ".mkdn", ".mkd")
NEVER_POSTS = ("README", "LICENSE", "CONTRIBUTING")
NEVER_FOLDERS = ("__MACOSX", "node_modules", "vendor")
POST_FOLDERS = ("_posts", "_drafts")
CONFIG_FILE = "_config.yml"
MAX_NAME_BYTES = 1024


def source_name(name: str, *, strip: int = 0, prefix: str = "") -> str:
    """A name in the one form that names are kept in, after `strip` leading folders are dropped and `prefix` is put before.

    Raises SourceError for what is no relative POSIX path of at most 1 024 bytes.
    """
    parts = [part for part in unicodedata.normalize("NFC", name).split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or (parts and _is_drive(parts[0])):
        raise SourceError(f"{name!r} leads out of its folder", code="invalid_name")
    if len(parts) <= strip:
        raise SourceError(f"{name!r} has no {strip} folders to drop", code="invalid_name")
    result = unicodedata.normalize("NFC", prefix) + "/".join(parts[strip:])
    if not (result.isascii() and result.isprintable()) and any(
        unicodedata.category(character) in ("Cc", "Cs") or character in _BIDI for character in set(result)
    ):
        raise SourceError(f"{name!r} holds a control character", code="invalid_name")
    if len(result.encode()) > MAX_NAME_BYTES:
        raise SourceError(f"a name is at most {MAX_NAME_BYTES} bytes long", code="invalid_name")
    return result


_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _is_drive(part: str) -> bool:
    return part[1:2] == ":" and part[0].isascii() and part[0].isalpha()


def is_post(name: str) -> bool:
    """Whether a name can be a post by itself; folders with `_posts` narrow it further (`posts_among`)."""
    *folders, file = name.split("/")
    return (
        is_markdown(file)
        and not file.startswith((".", *NEVER_POSTS))
        and not any(_is_passed_over(folder) for folder in folders)
    )


def is_markdown(name: str) -> bool:
    """Whether a name ends as Markdown files do, in whichever case."""
    return name.lower().endswith(POST_SUFFIXES)


def is_config(name: str) -> bool:
    """Whether a name is a site's configuration, which says what the posts below its folder mean."""
    *folders, file = name.split("/")
    return file == CONFIG_FILE and not any(_is_passed_over(folder) for folder in folders)


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def _is_passed_over(folder: str) -> bool:
    if folder in POST_FOLDERS:
        return False
    return folder.startswith((".", "_")) or folder in NEVER_FOLDERS


def posts_among(names: Iterable[str]) -> Callable[[str], bool]:
    """The rule of which files of one folder are posts.

    Where a folder holds `_config.yml` or `_posts`, only its `_posts` and `_drafts` hold posts.
    """
    sites = {site for name in names for site in _sites(name)}

    def rule(name: str) -> bool:
        if not is_post(name):
            return False
        site = next((above for above in _folders_above(name) if above in sites), None) if sites else None
        return site is None or any(folder in POST_FOLDERS for folder in name[len(site) :].split("/")[:-1])

    return rule


def _folders_above(name: str) -> Iterator[str]:
    """From the outermost, which has no name."""
    yield ""
    yield from (name[: slash.start()] for slash in re.finditer("/", name))


def _sites(name: str) -> Iterator[str]:
    parts = name.split("/")
    if parts[-1] == CONFIG_FILE:
        yield "/".join(parts[:-1])
    if "_posts" in parts[:-1]:
        yield "/".join(parts[: parts.index("_posts")])
