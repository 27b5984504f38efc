"""`+` and `#` after a word are tokens, so that C++ and C# are found. A later revision makes the index anew."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
