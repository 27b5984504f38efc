"""Indexes that hold lists in their order: terms repeat what their posts are sorted by and what makes them visible."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(20), "sqlite")
CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")
OWN = "post_pk, taxonomy, position, key, name"
COPIED = "source_name, draft, published_at, updated_at, expires_at"


def _own_columns() -> list[sa.Column[object]]:
    owner = sa.ForeignKey("post.pk", ondelete="CASCADE")
    return [
        sa.Column("post_pk", sa.Integer, owner, primary_key=True, nullable=False, autoincrement=False),
        sa.Column("taxonomy", sa.String(10), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", CODE_POINTS, nullable=False),
        sa.Column("name", CODE_POINTS, nullable=False),
    ]


def _replace_terms(create: Callable[[], object], fill: str) -> None:
    """Makes the table anew: its constraints have their names again, which they would not after a renaming."""
    op.execute(f"CREATE TEMPORARY TABLE kept AS SELECT {OWN} FROM term")  # noqa: S608 - names from above
    op.drop_table("term")
    create()
    op.execute(fill)
    op.execute("DROP TABLE kept")


def upgrade() -> None:
    op.drop_index("ix_post_draft_published_at_source_name", "post")
    op.drop_index("ix_post_expires_at", "post")
    op.create_index(
        "ix_post_draft_published_at_source_name_expires_at",
        "post",
        ["draft", "published_at", "source_name", "expires_at"],
    )
    op.create_index("ix_post_draft_expires_at_published_at", "post", ["draft", "expires_at", "published_at"])
    own = ", ".join(f"kept.{name}" for name in OWN.split(", "))
    copied = ", ".join(f"post.{name}" for name in COPIED.split(", "))
    _replace_terms(
        lambda: op.create_table(
            "term",
            *_own_columns(),
            sa.Column("source_name", CODE_POINTS, nullable=False),
            sa.Column("draft", sa.Boolean, nullable=False),
            sa.Column("published_at", INSTANT),
            sa.Column("updated_at", INSTANT, nullable=False),
            sa.Column("expires_at", INSTANT),
        ),
        f"INSERT INTO term ({OWN}, {COPIED}) SELECT {own}, {copied} "  # noqa: S608 - names from above
        "FROM kept JOIN post ON post.pk = kept.post_pk",
    )
    op.create_index(
        "ix_term_published_at",
        "term",
        ["taxonomy", "key", "draft", "published_at", "source_name", "expires_at", "post_pk"],
    )
    op.create_index("ix_term_updated_at", "term", ["taxonomy", "key", "draft", "updated_at", "source_name", "post_pk"])


def downgrade() -> None:
    fill = f"INSERT INTO term ({OWN}) SELECT {OWN} FROM kept"  # noqa: S608 - names from above
    _replace_terms(lambda: op.create_table("term", *_own_columns()), fill)
    op.create_index("ix_term_taxonomy_key_post_pk", "term", ["taxonomy", "key", "post_pk"])
    op.drop_index("ix_post_draft_expires_at_published_at", "post")
    op.drop_index("ix_post_draft_published_at_source_name_expires_at", "post")
    op.create_index("ix_post_expires_at", "post", ["expires_at"])
    op.create_index("ix_post_draft_published_at_source_name", "post", ["draft", "published_at", "source_name"])
