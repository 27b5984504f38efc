"""Where a post is found: its address in this service and its reader's address."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo


def day_in(zone: ZoneInfo, instant: datetime) -> date:
    """The day of an instant in a zone; in UTC where the calendar has no such day (before year 1, after 9999)."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Computed when a post is shown, so that a changed template or site address needs no second ingestion."""

    root_path: str
    site_url: str | None
    template: str | None
    zone: ZoneInfo

    def url(self, slug: str) -> str:
        """The path of a post in this API, percent-encoded (RFC 3986)."""
        return f"{self.root_path}/v1/posts/{quote(slug, safe='')}"

    def permalink(  # noqa: PLR0913 - the tokens of the template
        self,
        *,
        id: str,  # noqa: A002 - the token's name
        slug: str,
        written: str | None,
        published_at: datetime | None,
        category: str | None,
        lang: str | None,
    ) -> str | None:
        """The reader's absolute address: the one written in the front matter, else by the template."""
        if written is not None:
            return self._absolute(quote(written, safe="/:?#[]@!$&'()*+,;=%~"))
        if self.template is None:
            return None
        day = day_in(self.zone, published_at) if published_at else None
        return self._absolute(
            self.template.format(
                slug=quote(slug, safe=""),
                id=id,
                year=f"{day.year:04}" if day else "",
                month=f"{day.month:02}" if day else "",
                day=f"{day.day:02}" if day else "",
                category=quote(category or "", safe=""),
                lang=lang or "",
            )
        )

    def _absolute(self, address: str) -> str | None:
        if address.startswith(("http://", "https://")):
            return address
        return None if self.site_url is None else f"{self.site_url}/{address.lstrip('/')}"
