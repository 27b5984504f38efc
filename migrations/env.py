"""Alembic's entry: runs the migrations on the connection that `app.migrate` hands over, in its transaction."""

from alembic import context

from app.posts.models import posts

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=posts.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=False,
)
context.run_migrations()
