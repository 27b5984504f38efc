"""A body's text beside its HTML, for highlights; and the search index, made anew from it."""

import sqlalchemy as sa
from alembic import op

from app.documents.html_text import read
from app.search import index

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PAGE = 200
body = sa.table("body", sa.column("post_pk"), sa.column("html"), sa.column("text"))


def upgrade() -> None:
    op.add_column("body", sa.Column("text", sa.Text, nullable=False, server_default=""))
    connection = op.get_bind()
    last = 0
    page = sa.select(body.c.post_pk, body.c.html).order_by(body.c.post_pk).limit(PAGE)
    while rows := connection.execute(page.where(body.c.post_pk > last)).all():
        for pk, html in rows:
            connection.execute(body.update().where(body.c.post_pk == pk).values(text=read(html).text))
        last = rows[-1].post_pk
    index.rebuild(connection)


def downgrade() -> None:
    with op.batch_alter_table("body") as table:
        table.drop_column("text")
