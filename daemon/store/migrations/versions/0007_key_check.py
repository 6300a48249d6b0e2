"""Key checks: a known text sealed with each key, to tell another key of the same name."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table('key_check',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('district_id', 'key_id', name=op.f('pk_key_check')),
    sqlite_with_rowid=False
    )
