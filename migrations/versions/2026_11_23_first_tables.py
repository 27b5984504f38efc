"""First tables: posts and their parts, the version row, the history, keys."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# As app.posts.models had them at this revision; a migration must not change when the models do.
INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(20), "sqlite")
CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def post_pk(*, primary_key: bool) -> sa.Column[int]:
    owner = sa.ForeignKey("post.pk", ondelete="CASCADE")
    return sa.Column("post_pk", sa.Integer, owner, primary_key=primary_key, nullable=False, autoincrement=False)


def upgrade() -> None:
    op.create_table(
        "post",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("source_name", CODE_POINTS, nullable=False, unique=True),
        sa.Column("slug", CODE_POINTS, nullable=False, unique=True),
        sa.Column("slug_wanted", sa.Text, nullable=False),
        sa.Column("draft", sa.Boolean, nullable=False),
        sa.Column("published_at", INSTANT),
        sa.Column("date", sa.String),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("title_key", CODE_POINTS, nullable=False),
        sa.Column("layout", sa.Text),
        sa.Column("lang", sa.Text),
        sa.Column("categories", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("authors", sa.Text, nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
        sa.Column("excerpt_html", sa.Text, nullable=False),
        sa.Column("reading_time", sa.Integer, nullable=False),
        sa.Column("cover", sa.Text),
        sa.Column("permalink", sa.Text),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rendered_by", sa.Text, nullable=False),
        sa.Column("ingested_at", INSTANT, nullable=False),
    )
    for column in ("published_at", "updated_at", "title_key"):
        op.create_index(f"ix_post_draft_{column}_source_name", "post", ["draft", column, "source_name"])
    op.create_index("ix_post_expires_at", "post", ["expires_at"])
    op.create_table(
        "body",
        post_pk(primary_key=True),
        sa.Column("html", sa.Text, nullable=False),
        sa.Column("toc", sa.Text, nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("front_matter", sa.Text, nullable=False),
        sa.Column("aliases", sa.Text, nullable=False),
        sa.Column("word_count", sa.Integer, nullable=False),
        sa.Column("character_count", sa.Integer, nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "term",
        post_pk(primary_key=True),
        sa.Column("taxonomy", sa.String(10), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", CODE_POINTS, nullable=False),
        sa.Column("name", CODE_POINTS, nullable=False),
    )
    op.create_index("ix_term_taxonomy_key_post_pk", "term", ["taxonomy", "key", "post_pk"])
    op.create_table(
        "field_value",
        post_pk(primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", CODE_POINTS, nullable=False),
        sa.Column("text", CODE_POINTS, nullable=False),
        sa.Column("number", sa.Float),
        sa.Column("instant", INSTANT),
    )
    for column in ("text", "number", "instant"):
        op.create_index(f"ix_field_value_path_{column}", "field_value", ["path", column])
    op.create_table(
        "alias",
        sa.Column("pk", sa.Integer, primary_key=True),
        post_pk(primary_key=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("value", CODE_POINTS, nullable=False),
    )
    op.create_index("ix_alias_kind_value", "alias", ["kind", "value"])
    op.create_index("ix_alias_post_pk", "alias", ["post_pk"])
    op.create_table(
        "change",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("post_id", sa.String(36), nullable=False),
        sa.Column("source_name", CODE_POINTS, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("via", sa.String(10), nullable=False),
        sa.Column("sha256", sa.String(64)),
    )
    op.create_index("ix_change_source_name_pk", "change", ["source_name", "pk"])
    op.create_index("ix_change_version", "change", ["version"])
    content = op.create_table(
        "content",
        sa.Column("pk", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("visible_version", sa.Integer, nullable=False),
        sa.Column("visible_at", INSTANT, nullable=False),
        sa.Column("ambiguous", sa.Boolean, nullable=False),
    )
    now = datetime.now(UTC)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    start = now.strftime("%Y-%m-%dT%H:%M:%SZ") if is_sqlite else now.replace(microsecond=0)
    op.bulk_insert(content, [{"pk": 1, "version": 0, "visible_version": 0, "visible_at": start, "ambiguous": False}])
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(10), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("revoked_at", INSTANT),
    )
    op.create_table(
        "taken",
        sa.Column("name", CODE_POINTS, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    for table in ("taken", "api_key", "content", "change", "alias", "field_value", "term", "body", "post"):
        op.drop_table(table)
