"""Where the fault of an attempt lies, and when an address failed last."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; an address failed last when it was noted."""
    op.add_column('attempt', sa.Column('fault', sa.Text(), nullable=True))
    op.add_column('unreachable', sa.Column('failed_at', sa.BigInteger(), nullable=False, server_default='0'))
    op.execute('UPDATE unreachable SET failed_at = since')
