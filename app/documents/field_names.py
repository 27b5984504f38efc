"""The one table of names that generators give to the same field."""

# Our field -> the keys it may come under, the first that is present counts; those of JOINED are put together.
# Dots walk maps: Zola keeps terms under [taxonomies] and everything of one's own under [extra].
ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title",),
    "layout": ("layout",),
    "slug": ("slug",),
    "permalink": ("permalink", "url", "path"),
    "date": (
        *("date", "pubDate", "publishDate", "publishdate", "pubdate", "publish_date", "published_at", "publishedAt"),
        *("published_on", "date_published", "datePublished", "created", "created_at", "createdAt", "date_created"),
    ),
    "updated": (
        *("last_modified_at", "updated", "lastmod", "modified", "updatedDate", "updated_at", "updatedAt"),
        *("last_updated", "lastUpdated", "modified_at", "dateModified"),
    ),
    "expires": ("expires_at", "expiryDate", "expirydate", "unpublish_at", "expires", "unpublishdate"),
    "hidden_until": ("publishDate", "publishdate", "publish_date"),
    "draft": ("draft", "isDraft", "is_draft", "private", "ignorePublish"),
    "published": ("published",),
    "categories": ("categories", "category", "taxonomies.categories"),
    "tags": ("tags", "tag", "topics", "taxonomies.tags"),
    "authors": ("authors", "author", "taxonomies.authors", "extra.authors", "extra.author"),
    "aliases": ("redirect_from", "aliases"),
    "excerpt": ("excerpt", "summary"),
    "excerpt_separator": ("excerpt_separator",),
    "reading_time": ("reading_time", "readingTime", "read_time", "readtime", "extra.reading_time"),
    "lang": ("lang", "language", "locale", "extra.lang"),
    "cover": (
        *("image", "cover", "thumbnail", "heroImage", "hero_image", "featured_image", "featuredImage", "cover_image"),
        *("coverImage", "ogImage", "og_image", "eyecatch", "banner", "images", "header", "extra.image", "extra.cover"),
        *("extra.thumbnail",),
    ),
    "title_kana": ("title_kana", "yomi", "furigana", "title_yomi", "extra.title_kana", "extra.yomi"),
}
JOINED = frozenset({"categories", "tags", "authors", "aliases"})
# A string under one of these is one value unless it holds a comma; under the plurals blanks divide as well.
SINGULAR = frozenset({"category", "tag"})
IMAGE_KEYS = ("path", "url", "src", "image", "relative", "teaser", "overlay_image")
NAME_KEYS = ("name", "display_name", "nickname")
