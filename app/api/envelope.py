"""What every answer carries: headers that keep browsers from misusing it, and an id to find it in the log by.

The id is on errors, on writes and wherever a request brings its own. A plain read has none, so that equal answers are
equal to the byte and any cache may keep them.
"""

import re
import secrets
from base64 import b64encode
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import request_id

REQUEST_ID = b"x-request-id"
SANE = re.compile(r"[A-Za-z0-9._~+/=:@-]{1,128}", re.ASCII)
CONTENT_SECURITY_POLICY = b"content-security-policy"
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
NOTHING = (CONTENT_SECURITY_POLICY, b"default-src 'none'; frame-ancestors 'none'")  # an answer is no page


class Envelope:
    """Around all that answers; a request's own `X-Request-ID` is taken where it is sane."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        identifier = identifier_of(sent)
        is_plain_read = not sent and scope["method"] in ("GET", "HEAD")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), *SECURITY]
                if not is_plain_read or message["status"] >= 400:
                    headers.append((REQUEST_ID, identifier.encode()))
                if not any(name == CONTENT_SECURITY_POLICY for name, _ in headers):
                    headers.append(NOTHING)
                message = {**message, "headers": headers}
            await send(message)

        token = request_id.set(identifier)
        try:
            await self.app(scope, receive, with_headers)
        finally:
            request_id.reset(token)


def identifier_of(sent: str) -> str:
    """The request's own id where it is sane, else a new one."""
    return sent if SANE.fullmatch(sent) else secrets.token_hex(8)


def policy_of_page(html: bytes) -> str:
    """What a page of ours may do: run the scripts that stand in it and those of this service, and ask this service."""
    scripts = re.findall(rb"<script>(.*?)</script>", html, re.DOTALL)
    hashes = " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in scripts)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
