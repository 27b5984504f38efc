"""The spellings of a term by an index: facets look for the first and the last of each."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_term_taxonomy_key_name", "term", ["taxonomy", "key", "name"])


def downgrade() -> None:
    op.drop_index("ix_term_taxonomy_key_name", "term")
