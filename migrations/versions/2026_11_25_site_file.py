"""A table for the configurations of sites."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CODE_POINTS = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "site_file",
        sa.Column("name", CODE_POINTS, primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.Column("via", sa.String(10), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("site_file")
