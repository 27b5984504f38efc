"""SQLite's index is written in larger pieces, of which a large import has fewer to merge."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _gather(8 * 2**20)


def downgrade() -> None:
    _gather(2**20)  # FTS5's own


def _gather(size: int) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"INSERT INTO post_search(post_search, rank) VALUES ('hashsize', {size})")
