"""What the addresses in one source become: other sources' posts, files below the asset address, the rest as it is."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from app.documents.links import Links, Target, file_linked, source_linked
from app.documents.source_names import is_markdown, is_post

_PAGES = (".md", ".markdown", ".html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The addresses in the source `name`; `pattern` is the site's permalink style, where it has one, `root` its folder."""

    name: str
    links: Links
    asset_url: str | None
    pattern: str | None = None
    root: str = ""

    def resolve(self, target: str) -> str:
        """What a link target or an image source becomes in the HTML; both percent-encoded."""
        linked = source_linked(target, self.name)
        address = self.links.of_name(linked, self.pattern, self.root) if linked else None
        if address is not None:
            _, mark, fragment = target.partition("#")
            return f"{address}{mark}{fragment}"
        return self.file(target)

    def file(self, target: str) -> str:
        """A relative file below `asset_url` and the source's folder; every other target as it is (RFC 3986)."""
        if self.asset_url is None:
            return target
        try:
            parts = urlsplit(target)
        except ValueError:
            return target
        is_file = not parts.scheme and not parts.netloc and "." in parts.path.rsplit("/", 1)[-1]
        if not is_file or parts.path.endswith(_PAGES) or self._is_post_here(parts.path):
            return target
        folder = urljoin(quote(self.name), target)
        return urljoin(f"{self.asset_url}/", target.lstrip("/") if target.startswith("/") else folder)

    def _is_post_here(self, path: str) -> bool:
        return path.startswith(f"{self.links.root_path}/v1/posts/")

    def of_tag(self, name: str) -> str | None:
        """The address of the post that a Liquid tag names; of a file, its path in the site."""
        if is_markdown(name) and is_post(name):
            return self.links.of_name(name, self.pattern, self.root)
        return quote(f"/{name}")

    def targets(
        self, of_tags: Iterable[tuple[str, int]], of_links: Iterable[tuple[str, int]], offset: int
    ) -> tuple[Target, ...]:
        """The files that tags, links and images name, by line; `offset` is what the body's lines lack of the file's."""
        found = [Target(name=name, line=line + offset, anywhere=True) for name, line in of_tags if is_post(name)]
        for target, line in of_links:
            if linked := source_linked(target, self.name) or file_linked(target, self.name):
                found.append(Target(name=linked, line=line + offset))
        return tuple(sorted(found, key=lambda target: target.line))
