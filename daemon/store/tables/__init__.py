"""Every table of the store; those marked * in house.md are only ever added to.

Texts are ids, kinds and JSON without anything personal; what is personal is Encrypted.
"""

from daemon.store.tables.doing import (
    alert,
    attempt,
    case,
    entry,
    incident,
    message,
    receipt,
    reply,
    silence,
    timer,
    unreachable,
)
from daemon.store.tables.known import (
    calendar_edit,
    contact,
    counter,
    feed,
    key_check,
    leave,
    membership,
    movement,
    overlay,
    payload,
    refused,
    renumbering,
    roll,
    rule_version,
    student,
    unit,
)
from daemon.store.tables.shape import metadata

__all__ = [
    "alert",
    "attempt",
    "calendar_edit",
    "case",
    "contact",
    "counter",
    "entry",
    "feed",
    "incident",
    "key_check",
    "leave",
    "membership",
    "message",
    "metadata",
    "movement",
    "overlay",
    "payload",
    "receipt",
    "refused",
    "renumbering",
    "reply",
    "roll",
    "rule_version",
    "silence",
    "student",
    "timer",
    "unit",
    "unreachable",
]
