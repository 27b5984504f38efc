"""The search index, empty.

It holds nothing that the posts do not, so it is made by the code of the day: whenever that makes another one, the last
such revision makes it anew from the posts.
"""

from alembic import op

from app.search import index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    index.create(op.get_bind())


def downgrade() -> None:
    index.drop(op.get_bind())
