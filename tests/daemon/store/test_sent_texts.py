"""What messages said when they left: kept by attempt, sealed, and once where it is the same."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.desk.links import without_tokens
from daemon.store import sent_texts, tables
from daemon.store.sent_texts import SentText

if TYPE_CHECKING:
    from daemon.store.engine import Store


NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)


def queued(store: Store, message_id: str) -> None:
    """A message there is something to say of."""
    row: dict[str, object] = {
        column.name: None for column in tables.message.c if column.nullable and column.name != "district_id"
    }
    texts = ("contact_id", "channel", "kind", "state", "addressee", "school")
    row |= dict.fromkeys(texts, "x") | {"message_id": message_id, "attempts": 0, "doubtful": False}
    row |= {"priority": 0, "turn": 0, "next_at": NOW, "created_at": NOW}
    store.commit(lambda tx: tx.add(tables.message, [row]))


def test_an_attempt_that_says_the_same_is_not_kept_again(store: Store) -> None:
    queued(store, "m")
    for n, text in (
        (1, "张** is absent"),
        (2, "张** is absent"),
        (3, "张** is absent still"),
        (4, "张** is absent still"),
    ):
        store.commit(lambda tx, n=n, text=text: sent_texts.keep(tx, [SentText("m", n, text, "Absent")]))  # type: ignore[misc]
    with store.read() as tx:
        found = sent_texts.texts_of(tx, ["m", "other"])
    assert [(one.n, one.text, one.subject) for one in found["m"]] == [
        (1, "张** is absent", "Absent"),
        (3, "张** is absent still", "Absent"),
    ]
    assert "other" not in found


def test_what_was_said_lies_sealed(store: Store) -> None:
    queued(store, "m")
    store.commit(lambda tx: sent_texts.keep(tx, [SentText("m", 1, "三年级1班 张**")]))
    with store.read() as tx:
        [raw] = tx.connection.scalars(sa.select(sa.type_coerce(tables.sent_text.c.words, sa.LargeBinary)))
    assert "张".encode() not in bytes(raw)


def test_what_is_shown_has_no_link_by_which_one_could_act() -> None:
    text = "签收 https://baoxue.example.org/a/AZWgscLTZk3vQ9tLm2Rc8dWy 或回复"
    assert without_tokens(text) == "签收 https://baoxue.example.org/a/… 或回复"
    assert without_tokens("see https://example.org/about") == "see https://example.org/about"
