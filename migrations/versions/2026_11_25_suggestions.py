"""The index holds titles and tags by how they begin, for suggestions. A later revision makes it anew."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
