"""SQLite's index is written in larger pieces, of which a large import has fewer to merge."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO post_search(post_search, rank) VALUES ('hashsize', 8388608)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO post_search(post_search, rank) VALUES ('hashsize', 1048576)")  # FTS5's own
