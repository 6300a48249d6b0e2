"""Deliveries: what became of each, in which order a feed gave them, and how long a feed has failed."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a mark recorded after it was taken in counts as recorded then."""
    op.add_column('roll', sa.Column('delivered_at', sa.BigInteger(), nullable=False, server_default='0'))
    op.execute('UPDATE roll SET delivered_at = known_at')
    op.execute('UPDATE roll SET recorded_at = known_at WHERE recorded_at > known_at')
    op.add_column('feed', sa.Column('failed_polls', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('feed', sa.Column('failing_since', sa.BigInteger(), nullable=True))
    op.add_column('feed', sa.Column('dates_ahead', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('payload', sa.Column('outcome', sa.Text(), nullable=False, server_default='taken'))
    op.add_column('payload', sa.Column('delivered_at', sa.BigInteger(), nullable=True))
    op.create_index('ix_payload_district_id_feed_id_sha256', 'payload', ['district_id', 'feed_id', 'sha256'])
    op.add_column('payload', sa.Column('waiting_count', sa.Integer(), nullable=False, server_default='0'))
    op.add_column('payload', sa.Column('notices', sa.Text(), nullable=False, server_default='[]'))
