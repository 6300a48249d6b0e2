"""Renumbering."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Renumbering."""
    op.create_table('renumbering',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('renumbering_id', sa.Text(), nullable=False),
    sa.Column('student_id', sa.Text(), nullable=False),
    sa.Column('same_as', sa.Text(), nullable=True),
    sa.Column('known_at', sa.BigInteger(), nullable=False),
    sa.Column('said_by', sa.LargeBinary(), nullable=False),
    sa.Column('cases', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('district_id', 'renumbering_id', name=op.f('pk_renumbering')),
    sqlite_with_rowid=False
    )
