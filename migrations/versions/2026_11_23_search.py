"""The search index, filled from the posts that are there.

It holds nothing that the posts do not, so it is made by the code of the day: whenever that makes another one, a later
revision makes it anew.
"""

from alembic import op

from app.search import index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    index.create(connection)
    index.fill(connection)


def downgrade() -> None:
    index.drop(op.get_bind())
