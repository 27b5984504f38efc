"""When a key was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(20), "sqlite")


def upgrade() -> None:
    op.add_column("api_key", sa.Column("last_used_at", INSTANT))


def downgrade() -> None:
    op.drop_column("api_key", "last_used_at")
