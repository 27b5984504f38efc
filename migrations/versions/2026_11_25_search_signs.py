"""The search index made anew: `+` and `#` after a word are tokens now, so that C++ and C# are found."""

from alembic import op

from app.search import index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index.rebuild(op.get_bind())


def downgrade() -> None:
    pass  # the index holds nothing that an older Honbun could not make anew
