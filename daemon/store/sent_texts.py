"""What messages said when they left, sealed; kept by attempt, and only where it is not what the attempt before said."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import sent_text
from daemon.store.tx import rows_where_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class SentText:
    """What attempt `n` of a message, and those after it, said; `subject` only of a mail."""

    message_id: str
    n: int
    text: str = field(repr=False)
    subject: str | None = field(default=None, repr=False)


def keep(tx: Tx, said: Sequence[SentText]) -> None:
    """Write down what is about to leave; nothing where the attempt before said the same."""
    before = texts_of(tx, [one.message_id for one in said if one.n > 1])
    news = [one for one in said if not any(_words(one) == _words(last) for last in before.get(one.message_id, ())[-1:])]
    tx.add(sent_text, [{"message_id": one.message_id, "n": one.n, "words": _words(one)} for one in news])


def texts_of(tx: Tx, message_ids: Iterable[str]) -> dict[str, tuple[SentText, ...]]:
    """Return what messages said, opened, in order of their attempts; KeyringError where it does not open."""
    asked = sa.select(sent_text.c.message_id, sent_text.c.n, sent_text.c.words).where(tx.ours(sent_text))
    found: dict[str, list[SentText]] = {}
    for message_id, n, words in rows_where_in(tx, asked, sent_text.c.message_id, message_ids):
        found.setdefault(message_id, []).append(SentText(message_id, n, **json.loads(words)))
    return {key: tuple(sorted(texts, key=lambda one: one.n)) for key, texts in found.items()}


def _words(one: SentText) -> str:
    said = {"text": one.text, "subject": one.subject}
    return json.dumps({key: words for key, words in said.items() if words is not None}, ensure_ascii=False)
