"""Delivery record."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Delivery record."""
    op.create_table('receipt',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('receipt_id', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('message_id', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('way', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('known_at', sa.BigInteger(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('district_id', 'receipt_id', name=op.f('pk_receipt')),
    sa.UniqueConstraint('district_id', 'fingerprint', name=op.f('uq_receipt_district_id_fingerprint')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_receipt_district_id_message_id'), ['district_id', 'message_id'], unique=False)

    op.create_table('reply',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('reply_id', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('known_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('district_id', 'reply_id', name=op.f('pk_reply')),
    sa.UniqueConstraint('district_id', 'fingerprint', name=op.f('uq_reply_district_id_fingerprint')),
    sqlite_with_rowid=False
    )
    op.create_table('silence',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('silence_id', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('created_by', sa.LargeBinary(), nullable=False),
    sa.Column('reason', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('starts_at', sa.BigInteger(), nullable=False),
    sa.Column('ends_at', sa.BigInteger(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_by', sa.LargeBinary(), nullable=True),
    sa.PrimaryKeyConstraint('district_id', 'silence_id', name=op.f('pk_silence')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('silence', schema=None) as batch_op:
        batch_op.create_index('ix_silence_running', ['district_id', 'ends_at'], unique=False, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('unreachable',
    sa.Column('district_id', sa.Text(), nullable=False),
    sa.Column('contact_id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('address_key', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('message_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('district_id', 'contact_id', 'channel', name=op.f('pk_unreachable')),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('fallback', sa.Text(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('falls_back_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('instead_of', sa.Text(), nullable=True))
        batch_op.create_index('ix_alert_instead_of', ['district_id', 'instead_of'], unique=False, sqlite_where=sa.text('instead_of IS NOT NULL'), postgresql_where=sa.text('instead_of IS NOT NULL'))

    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('addressee', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('priority', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('turn', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('held', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('school', sa.Text(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('provider_id', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('delivered_at', sa.BigInteger(), nullable=True))
        batch_op.create_index('ix_message_provider', ['district_id', 'channel', 'provider_id'], unique=False, sqlite_where=sa.text('provider_id IS NOT NULL'), postgresql_where=sa.text('provider_id IS NOT NULL'))
        batch_op.create_index('ix_message_turn', ['district_id', 'channel', 'school', 'turn'], unique=False, sqlite_where=sa.text("state = 'queued'"), postgresql_where=sa.text("state = 'queued'"))
        batch_op.create_index('ix_message_told', ['district_id', 'addressee', 'channel', 'told_at'], unique=False, sqlite_where=sa.text('told_at IS NOT NULL'), postgresql_where=sa.text('told_at IS NOT NULL'))

    # Until addresses had keys, a recipient was one contact.
    message = sa.table('message', sa.column('addressee', sa.Text()), sa.column('contact_id', sa.Text()))
    op.execute(message.update().values(addressee=message.c.contact_id))
