"""Where the fault of a message that did not arrive lies, by the channel's later word."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was said before nothing is known but that the address was blamed."""
    op.add_column('receipt', sa.Column('fault', sa.Text(), nullable=True))
