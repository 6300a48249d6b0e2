"""What is known: people, what came in, the rolls."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, UniqueConstraint

from daemon.store.columns import Day, Encrypted, Json
from daemon.store.tables.shape import belongs, instant, some, table, text

counter = table("counter", ("name",), text("name"), Column("value", BigInteger, nullable=False))

# -- people ------------------------------------------------------------------------------------------------------

unit = table(
    "unit",
    ("unit_id",),
    text("unit_id"),
    text("kind"),
    text("parent_id", null=True),
    text("name"),
    text("code", null=True),
    text("source"),
    instant("known_at"),
    instant("missing_since", null=True),
)

contact = table(
    "contact",
    ("contact_id",),
    text("contact_id"),
    text("role"),
    text("unit_id", null=True),
    text("student_id", null=True),
    Column("name", Encrypted("contact.name"), nullable=False),
    Column("phone", Encrypted("contact.phone")),
    Column("email", Encrypted("contact.email")),
    text("endpoint", null=True),
    text("language", null=True),
    text("source"),
    instant("known_at"),
    instant("gone_at", null=True),
)

student = table(
    "student",
    ("student_id",),
    text("student_id"),
    Column("ordinal", Integer, nullable=False),
    Column("name", Encrypted("student.name"), nullable=False),
    text("class_id"),
    text("sex", null=True),
    Column("birth_date", Encrypted("student.birth_date")),
    text("grade", null=True),
    text("residence_id", null=True),
    Column("boarding", Boolean),
    Column("tags", Json, nullable=False),
    text("status", null=True),
    Column("status_since", Day),
    Column("id_number", Encrypted("student.id_number")),
    text("source"),
    instant("known_at"),
    instant("missing_since", null=True),
    UniqueConstraint("district_id", "ordinal"),
    Index(None, "district_id", "class_id"),
)

membership = table(
    "membership",
    ("student_id", "known_at", "class_id"),
    text("student_id"),
    text("class_id"),
    Column("starts_on", Day),
    instant("known_at"),
    belongs(("student_id",), "student", ("student_id",)),
    Index(None, "district_id", "class_id"),
)

renumbering = table(
    "renumbering",
    ("renumbering_id",),
    text("renumbering_id"),
    text("student_id"),
    text("same_as", null=True),
    instant("known_at"),
    Column("said_by", Encrypted("renumbering.said_by"), nullable=False),
    Column("cases", Json, nullable=False),
)

leave = table(
    "leave",
    ("leave_id", "version"),
    text("leave_id"),
    Column("version", Integer, nullable=False),
    text("student_id"),
    instant("starts"),
    instant("ends"),
    text("kind"),
    instant("known_at"),
    instant("recorded_at", null=True),
    Column("approved_by", Encrypted("leave.approved_by")),
    Column("withdrawn", Boolean, nullable=False),
    Index(None, "district_id", "student_id"),
)

movement = table(
    "movement",
    ("student_id", "digest"),
    text("student_id"),
    text("digest"),
    text("kind"),
    instant("at"),
    instant("known_at"),
    instant("recorded_at", null=True),
    text("to_school", null=True),
    text("evidence", null=True),
)

# -- intake ------------------------------------------------------------------------------------------------------

feed = table(
    "feed",
    ("feed_id",),
    text("feed_id"),
    Column("cursor", Json),
    text("state"),
    instant("last_polled_at", null=True),
    instant("last_ok_at", null=True),
    text("problem", null=True),
    Column("counts", Json, nullable=False),
    Column("failed_polls", Integer, nullable=False),
    instant("failing_since", null=True),
    Column("dates_ahead", Boolean, nullable=False),
)

payload = table(
    "payload",
    ("payload_id",),
    text("payload_id"),
    text("feed_id"),
    text("sha256"),
    text("name"),
    instant("fetched_at"),
    Column("covers_from", Day),
    Column("covers_to", Day),
    Column("row_count", Integer, nullable=False),
    Column("refused_count", Integer, nullable=False),
    text("outcome"),
    instant("delivered_at", null=True),
    Column("waiting_count", Integer, nullable=False),
    Column("notices", Json, nullable=False),
    Index(None, "district_id", "feed_id", "name", "fetched_at"),
    Index(None, "district_id", "feed_id", "sha256"),
)

refused = table(
    "refused",
    ("refused_id",),
    text("refused_id"),
    text("payload_id"),
    Column("line", Integer, nullable=False),
    text("column_name", null=True),
    text("fault"),
    text("hint", null=True),
    text("student_id", null=True),
    Column("content", Encrypted("refused.content")),
    Column("retry", Boolean, nullable=False),
    belongs(("payload_id",), "payload", ("payload_id",)),
    Index(None, "district_id", "payload_id"),
    some("ix_refused_parked", "student_id", where="retry"),
)

calendar_edit = table(
    "calendar_edit",
    ("edit_id",),
    text("edit_id"),
    instant("known_at"),
    text("fingerprint"),
    Column("body", Json, nullable=False),
    Index(None, "district_id", "known_at"),
)

rule_version = table(
    "rule_version",
    ("rule_id", "since"),
    text("rule_id"),
    instant("since"),
    text("version"),
    text("source"),
    text("body"),
)

# -- rolls -------------------------------------------------------------------------------------------------------

roll = table(
    "roll",
    ("class_id", "session_date", "roll_id"),
    text("roll_id"),
    text("class_id"),
    Column("session_date", Day, nullable=False),
    text("session_name"),
    text("feed_id"),
    Column("rank", Integer, nullable=False),
    instant("known_at"),
    instant("recorded_at"),
    Column("line", Integer, nullable=False),
    instant("delivered_at"),
    Column("implied", Boolean, nullable=False),
    Column("signals", SmallInteger, nullable=False),
    Column("packed", LargeBinary, nullable=False),
)

overlay = table(
    "overlay",
    ("overlay_id",),
    text("overlay_id"),
    text("unit_id", null=True),
    text("student_id", null=True),
    Column("session_date", Day, nullable=False),
    text("session_name"),
    Column("mark", SmallInteger, nullable=False),
    instant("known_at"),
    Column("said_by", Encrypted("overlay.said_by"), nullable=False),
    text("incident_id", null=True),
    Index(None, "district_id", "session_date"),
)

key_check = table(
    "key_check",
    ("key_id",),
    text("key_id"),
    Column("sealed", LargeBinary, nullable=False),
)
"""A known text sealed with each key that values may be sealed with, to tell another key of the same name."""
