"""What is decided and done about it: cases, incidents, timers, messages."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, UniqueConstraint

from daemon.store.columns import Encrypted, Json
from daemon.store.tables.shape import belongs, instant, some, table, text

# -- cases -------------------------------------------------------------------------------------------------------

case = table(
    "case",
    ("case_id",),
    text("case_id"),
    text("number"),
    text("student_id"),
    text("stage"),
    Column("is_open", Boolean, nullable=False),
    Column("episode", Integer, nullable=False),
    instant("run_from", null=True),
    instant("due_at", null=True),
    instant("raised_at", null=True),
    instant("told_at", null=True),
    instant("closed_at", null=True),
    instant("wake_at", null=True),
    Column("version", Integer, nullable=False),
    Column("state", Json, nullable=False),
    UniqueConstraint("district_id", "number"),
    Index(None, "district_id", "student_id"),
    some("uq_case_open", "student_id", where="is_open", unique=True),
    some("ix_case_stage", "stage", where="is_open"),
)

entry = table(
    "entry",
    ("case_id", "seq"),
    text("case_id"),
    Column("seq", Integer, nullable=False),
    instant("at"),
    instant("known_at"),
    text("kind"),
    Column("body", Encrypted("entry.body"), nullable=False),
    text("prev_hash"),
    text("hash"),
    belongs(("case_id",), "case", ("case_id",)),
)

incident = table(
    "incident",
    ("incident_id",),
    text("incident_id"),
    text("kind"),
    text("subject"),
    Column("sessions", Json, nullable=False),
    instant("opened_at"),
    instant("closed_at", null=True),
    text("verdict", null=True),
    Column("judged_by", Encrypted("incident.judged_by")),
    instant("judged_at", null=True),
    Column("state", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Index(None, "district_id", "kind", "subject"),
    some("ix_incident_open", "kind", where="closed_at IS NULL"),
)

# -- doing -------------------------------------------------------------------------------------------------------

timer = table(
    "timer",
    ("kind", "subject"),
    text("kind"),
    text("subject"),
    instant("due_at"),
    instant("lease_until", null=True),
    text("lease_by", null=True),
    Index(None, "district_id", "kind", "due_at"),
)

message = table(
    "message",
    ("message_id",),
    text("message_id"),
    text("contact_id"),
    text("channel"),
    text("kind"),
    text("state"),
    instant("next_at"),
    instant("lease_until", null=True),
    text("lease_by", null=True),
    Column("attempts", Integer, nullable=False),
    instant("created_at"),
    instant("told_at", null=True),
    Column("doubtful", Boolean, nullable=False),
    text("group_key", null=True),
    text("addressee"),
    Column("priority", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    text("held", null=True),
    text("school"),
    text("provider_id", null=True),
    instant("delivered_at", null=True),
    Index(None, "district_id", "created_at"),
    some("ix_message_queued", "channel", "next_at", where="state = 'queued'"),
    some("ix_message_group", "group_key", where="state = 'queued'"),
    some("ix_message_turn", "channel", "school", "turn", where="state = 'queued'"),
    some("ix_message_told", "addressee", "channel", "told_at", where="told_at IS NOT NULL"),
    some("ix_message_provider", "channel", "provider_id", where="provider_id IS NOT NULL"),
)

alert = table(
    "alert",
    ("alert_id",),
    text("alert_id"),
    text("key"),
    text("case_id", null=True),
    text("incident_id", null=True),
    text("student_id", null=True),
    text("unit_id", null=True),
    text("contact_id"),
    text("role"),
    text("channel"),
    text("kind"),
    Column("episode", Integer),
    Column("rung", Integer),
    instant("due_at", null=True),
    instant("raised_at"),
    Column("facts", Json, nullable=False),
    text("group_key", null=True),
    text("message_id"),
    instant("created_at"),
    instant("cancelled_at", null=True),
    text("cancel_reason", null=True),
    Column("fallback", Json, nullable=False),
    instant("falls_back_at", null=True),
    text("instead_of", null=True),
    UniqueConstraint("district_id", "key"),
    belongs(("message_id",), "message", ("message_id",)),
    Index(None, "district_id", "message_id"),
    Index(None, "district_id", "case_id"),
    Index(None, "district_id", "incident_id"),
    some("ix_alert_instead_of", "instead_of", where="instead_of IS NOT NULL"),
)

attempt = table(
    "attempt",
    ("message_id", "n"),
    text("message_id"),
    Column("n", Integer, nullable=False),
    instant("started_at"),
    instant("ended_at", null=True),
    text("outcome", null=True),
    text("provider_id", null=True),
    text("error", null=True),
    Column("doubtful", Boolean, nullable=False),
    text("fault", null=True),
    belongs(("message_id",), "message", ("message_id",)),
)

sent_text = table(
    "sent_text",
    ("message_id", "n"),
    text("message_id"),
    Column("n", Integer, nullable=False),
    Column("words", Encrypted("sent_text.words"), nullable=False),
    belongs(("message_id",), "message", ("message_id",)),
)

# -- what became of it -------------------------------------------------------------------------------------------

receipt = table(
    "receipt",
    ("receipt_id",),
    text("receipt_id"),
    text("fingerprint"),
    text("channel"),
    text("provider_id", null=True),
    text("message_id", null=True),
    text("status"),
    text("way"),
    instant("at"),
    instant("known_at"),
    text("detail", null=True),
    text("fault", null=True),
    UniqueConstraint("district_id", "fingerprint"),
    Index(None, "district_id", "message_id"),
)

reply = table(
    "reply",
    ("reply_id",),
    text("reply_id"),
    text("fingerprint"),
    text("channel"),
    text("contact_id", null=True),
    text("outcome"),
    instant("at"),
    instant("known_at"),
    UniqueConstraint("district_id", "fingerprint"),
)

unreachable = table(
    "unreachable",
    ("contact_id", "channel"),
    text("contact_id"),
    text("channel"),
    text("address_key"),
    instant("since"),
    text("reason"),
    text("message_id", null=True),
    instant("failed_at"),
)

silence = table(
    "silence",
    ("silence_id",),
    text("silence_id"),
    Column("scope", Json, nullable=False),
    Column("created_by", Encrypted("silence.created_by"), nullable=False),
    Column("reason", Encrypted("silence.reason"), nullable=False),
    instant("created_at"),
    instant("starts_at"),
    instant("ends_at"),
    instant("ended_at", null=True),
    Column("ended_by", Encrypted("silence.ended_by")),
    some("ix_silence_running", "ends_at", where="ended_at IS NULL"),
)
