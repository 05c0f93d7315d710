"""The batch of a label event: which of several choices of its message the labeler was answering."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; of what was said before, the batch is not known."""
    op.add_column("label_events", sa.Column("batch", sa.String, nullable=False, server_default=""))
