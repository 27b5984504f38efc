"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from typing import Any, Final

from app.api.feed import Entry, Feed

MEDIA_TYPE: Final = "application/feed+json"


def json_feed(feed: Feed) -> dict[str, Any]:
    return (
        {"version": "https://jsonfeed.org/version/1.1", "title": feed.site.title}
        | _given(
            home_page_url=feed.site.url,
            feed_url=feed.pages["self"],
            description=feed.site.description,
            language=feed.site.lang,
            next_url=feed.pages.get("next"),
        )
        | {"items": [_item(entry) for entry in feed.entries]}
    )


def _item(entry: Entry) -> dict[str, Any]:
    return _given(
        id=entry.id,
        url=entry.address,
        title=entry.title,
        summary=entry.excerpt,
        image=entry.cover,
        date_published=entry.published_at,
        date_modified=entry.updated_at,
        authors=[{"name": name} for name in entry.authors],
        tags=entry.terms,
        language=entry.lang,
    ) | {"content_html": entry.html}


def _given(**members: Any) -> dict[str, Any]:
    """The members that have a value: the format has no null."""
    return {name: value for name, value in members.items() if value}
