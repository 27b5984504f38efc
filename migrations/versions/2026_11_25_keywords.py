"""What posts are about, by which related ones are found; filled from the posts that are there by the code of the day."""

import sqlalchemy as sa
from alembic import op

from app.posts import keywords

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "keyword",
        sa.Column("keyword", sa.BigInteger, nullable=False),
        sa.Column("shows_from", sa.BigInteger, nullable=False),
        sa.Column("shows_until", sa.BigInteger, nullable=False),
        sa.Column("post_pk", sa.Integer, sa.ForeignKey("post.pk", ondelete="CASCADE"), nullable=False),
        sa.Column("is_tag", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("keyword", "shows_from", "post_pk", "shows_until"),
        sqlite_with_rowid=False,
    )
    keywords.fill(op.get_bind())
    op.create_index("ix_keyword_post_pk", "keyword", ["post_pk"])


def downgrade() -> None:
    op.drop_table("keyword")
