"""What a document depends on beside its bytes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.documents.links import Links
from app.documents.markdown import RENDERER
from app.documents.site_config import SiteConfig, parse_config
from app.documents.source_names import folder_of
from app.documents.sources import Source


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a document depends on beside its bytes; a change of it is a reason to parse again.

    The site's address, the template and the root path are those that links between posts are made of.
    """

    timezone: str = "UTC"
    timezone_is_set: bool = False  # by whoever runs the service: it wins over a site's
    lang: str | None = None
    asset_url: str | None = None
    characters_per_minute: int = 500
    embed_hosts: tuple[str, ...] = ()  # whose frames stay in the HTML; in order
    site_url: str | None = None
    post_url_template: str | None = None
    root_path: str = ""
    config: SiteConfig | None = None

    @cached_property
    def rendered_by(self) -> str:
        """The renderer's version and a digest of the context."""
        values = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _UNCOUNTED}
        config = self.config.digest if self.config else None
        return f"{RENDERER}+{sha256(repr((values, config)).encode()).hexdigest()[:12]}"

    def with_config(self, config: SiteConfig | None) -> "Context":
        """The context of a site with a `_config.yml`: its zone and language count where no setting says another."""
        if config is None:
            return self
        zone = self.timezone if self.timezone_is_set else config.timezone or self.timezone
        return replace(self, config=config, timezone=zone, lang=self.lang or config.lang)

    @property
    def links(self) -> Links:
        zone = ZoneInfo(self.timezone)
        return Links(root_path=self.root_path, site_url=self.site_url, template=self.post_url_template, zone=zone)


_UNCOUNTED = ("config", "timezone_is_set")  # what they come to is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """The context of each source: that of the nearest `_config.yml` above it, else the service's own."""

    plain: Context
    sites: Mapping[str, Context]  # the folder of a `_config.yml` -> the context of what lies below it

    @classmethod
    def of_sites(cls, plain: Context, configs: Iterable[Source]) -> "Contexts":
        """Raises DocumentError for a configuration that cannot be read."""
        parsed = [parse_config(config.content, folder=folder_of(config.name)) for config in configs]
        return cls(plain=plain, sites={config.folder: plain.with_config(config) for config in parsed})

    def of(self, name: str) -> Context:
        while name and self.sites:
            name = folder_of(name)
            if name in self.sites:
                return self.sites[name]
        return self.plain
