"""Sitemaps (https://www.sitemaps.org/protocol.html): a list of addresses, or past 50 000 an index of such lists."""

from collections.abc import Iterable
from typing import Final

from app.api.xml import DECLARATION, element, text

MEDIA_TYPE: Final = "application/xml"
NAMESPACE: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST: Final = 50_000  # addresses in a file
LONGEST: Final = 980  # bytes of an address as written here: with longer ones a full file could pass 50 MiB


def sitemap(posts: Iterable[tuple[str, str]]) -> bytes:
    """Addresses and when what is there last changed; those that are too long are left out."""
    written = bytearray(f'{DECLARATION}<urlset xmlns="{NAMESPACE}">\n'.encode())
    for address, updated_at in posts:
        location = text(address)
        if len(location.encode()) <= LONGEST:
            place = element("loc", location) + element("lastmod", updated_at)
            written += f"{element('url', place)}\n".encode()
    return bytes(written + b"</urlset>\n")


def sitemap_index(addresses: Iterable[str]) -> bytes:
    listed = "\n".join(["", *(element("sitemap", element("loc", text(address))) for address in addresses), ""])
    return f"{DECLARATION}{element('sitemapindex', listed, {'xmlns': NAMESPACE})}\n".encode()
