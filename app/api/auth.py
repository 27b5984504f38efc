"""Who asks: keys by `Authorization: Bearer` (RFC 6750), and what each may do."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from fastapi import Request
from sqlalchemy import Connection, Engine, insert, select, update

from app.api.problems import Forbidden, Unauthorized
from app.database import reading, writing
from app.errors import NotFound
from app.posts.models import api_keys

SCOPES = ("read", "write", "admin")  # each holds those before it
HOW_TO = "make a key with `honbun keys create`, or set HONBUN_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The holder of a key."""

    name: str
    scope: str
    key: str | None = None  # its id; None for the bootstrap key
    last_used_at: datetime | None = None

    def may(self, scope: str) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def digest(key: bytes) -> str:
    """A key as it is kept. A key is random and long, so a plain hash is enough."""
    return sha256(key).hexdigest()


def sent_key(request: Request) -> str | None:
    """The key that was sent, if one was. Raises Unauthorized for a header that holds none."""
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    if len(headers) > 1:  # which one counts is anybody's guess, a proxy's as well
        raise Unauthorized("send one Authorization header", code="invalid_key")
    header = headers[0]
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Unauthorized("send the key as `Authorization: Bearer KEY`", code="invalid_key")
    return key.strip()


def bootstrap_holder(key: str, bootstrap: str | None) -> Principal | None:
    """The holder of the key from the settings, whose digest is `bootstrap`; None for another key."""
    is_it = bootstrap is not None and compare_digest(_digest_of(key).encode(), bootstrap.encode())
    return Principal(name="bootstrap", scope="admin") if is_it else None


def _digest_of(key: str) -> str:
    return digest(key.encode("latin-1"))  # as header values are decoded


def holder_of(connection: Connection, key: str, now: datetime) -> Principal:
    """Whose a stored key is. Raises Unauthorized for one that is wrong, expired or revoked.

    A key's first part names its row, so that one hash is compared, in constant time.
    """
    refused = Unauthorized("this key is wrong, expired or revoked", code="invalid_key")
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != "honbun" or not parts[1].isalnum() or not parts[1].isascii():
        raise refused
    row = connection.execute(select(api_keys).where(api_keys.c.id == parts[1])).one_or_none()
    if row is None or not compare_digest(row.digest.encode(), _digest_of(key).encode()):
        raise refused
    if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise refused
    return Principal(name=row.name, scope=row.scope, key=row.id, last_used_at=row.last_used_at)


def require(principal: Principal | None, scope: str, engine: Engine, bootstrap: str | None) -> Principal:
    """The principal, where it has the scope.

    Raises Forbidden for too narrow a scope, and where no key exists at all; Unauthorized where none was sent.
    """
    if principal is None:
        if bootstrap is None and not _any_key(engine):
            raise Forbidden("this service has no key yet", code="no_key_configured", hint=HOW_TO)
        raise Unauthorized(f"this needs a key with scope {scope}", hint="send it as `Authorization: Bearer KEY`")
    if not principal.may(scope):
        raise Forbidden(f"this key has scope {principal.scope}; this needs {scope}", code="missing_scope")
    return principal


def _any_key(engine: Engine) -> bool:
    with reading(engine) as connection:
        return connection.execute(select(api_keys.c.id).limit(1)).first() is not None


def create_key(engine: Engine, *, name: str, scope: str, expires_at: datetime | None, now: datetime) -> str:
    """A new key; it is returned this once and kept as a hash only."""
    identifier = secrets.token_hex(6)
    key = f"honbun_{identifier}_{secrets.token_hex(24)}"
    row = {"id": identifier, "name": name, "digest": digest(key.encode()), "scope": scope}
    with writing(engine) as connection:
        connection.execute(insert(api_keys).values(**row, created_at=now, expires_at=expires_at, revoked_at=None))
    return key


def list_keys(engine: Engine) -> list[dict[str, Any]]:
    """All keys, oldest first, without their hashes."""
    columns = [column for column in api_keys.c if column.name != "digest"]
    with reading(engine) as connection:
        rows = connection.execute(select(*columns).order_by(api_keys.c.created_at, api_keys.c.id))
        return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name begins so


def revoke_key(engine: Engine, identifier: str, now: datetime) -> None:
    """Revokes a key at once, in every process. Raises NotFound."""
    statement = update(api_keys).where(api_keys.c.id == identifier).values(revoked_at=now)
    with writing(engine) as connection:
        if connection.execute(statement).rowcount == 0:
            raise NotFound(f"there is no key {identifier!r}; `honbun keys list` shows them")
