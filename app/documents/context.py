"""What a document depends on beside its bytes."""

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.documents.links import Links
from app.documents.markdown import RENDERER
from app.documents.site_config import SiteConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a document depends on beside its bytes; a change of it is a reason to parse again.

    The site's address, the template and the root path are those that links between posts are made of.
    """

    timezone: str = "UTC"
    lang: str | None = None
    asset_url: str | None = None
    characters_per_minute: int = 500
    site_url: str | None = None
    post_url_template: str | None = None
    root_path: str = ""
    config: SiteConfig | None = None

    @property
    def rendered_by(self) -> str:
        """The renderer's version and a digest of the context."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "config"}
        config = self.config.digest if self.config else None
        return f"{RENDERER}+{sha256(repr((values, config)).encode()).hexdigest()[:12]}"

    def with_config(self, config: SiteConfig | None) -> "Context":
        """The context of a site with a `_config.yml`: its zone and language count where no setting says another."""
        if config is None:
            return self
        zone = config.timezone if config.timezone and self.timezone == "UTC" else self.timezone
        return replace(self, config=config, timezone=zone, lang=self.lang or config.lang)

    @property
    def links(self) -> Links:
        zone = ZoneInfo(self.timezone)
        return Links(root_path=self.root_path, site_url=self.site_url, template=self.post_url_template, zone=zone)
