"""Requests whose address holds raw UTF-8, as `curl '…/v1/posts?tag=投資'` sends it.

RFC 3986 wants such bytes percent-encoded, and the parser refuses them with a bare 400. Browsers encode them, people
at a terminal do not; other servers take them. Only the bytes of the request line change, never where a request ends.
"""

import re
from urllib.parse import quote_from_bytes

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_LINE = re.compile(rb"([A-Z]{1,20} )([^ \r\n]*[\x80-\xff][^ \r\n]*)(?= HTTP/1\.[01]\r\n)")
KEPT = "".join(map(chr, range(0x21, 0x7F)))


class RawAddressProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with request lines of raw bytes percent-encoded before they are parsed."""

    def data_received(self, data: bytes) -> None:
        in_body = self.cycle is not None and self.cycle.more_body
        if not in_body and not data.isascii():
            data = REQUEST_LINE.sub(_encoded, data, count=1) if REQUEST_LINE.match(data) else data
        super().data_received(data)


def _encoded(line: re.Match[bytes]) -> bytes:
    return line[1] + quote_from_bytes(line[2], safe=KEPT).encode()
