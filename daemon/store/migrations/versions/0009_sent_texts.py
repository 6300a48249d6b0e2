"""Sent texts."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sent texts."""
    op.create_table('sent_text',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('words', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['district_id', 'message_id'], ['message.district_id', 'message.message_id'], name=op.f('fk_sent_text_message')),
    sa.PrimaryKeyConstraint('district_id', 'message_id', 'n', name=op.f('pk_sent_text')),
    sqlite_with_rowid=False
    )
