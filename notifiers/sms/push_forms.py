"""How a gateway of one's own pushes reports and replies: as JSON, a form, or an address, with names of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

from notifiers.contract import NotHeardError, Pushed, Reply, Report
from notifiers.refusals import coded, fault_of_receipt
from notifiers.sms.gateway_answers import dig, parsed, written
from notifiers.sms.pushes import china_time, e164, instant, text_of

FIELDS = ("rows", "id", "provider_id", "status", "detail", "from", "text", "at", "reply_id", "token")
"""What a gateway may call by names of its own."""
STATUSES = ("delivered", "failed", "delayed")

Status = Literal["delivered", "failed", "delayed"]

_WORDS: Mapping[str, Status] = {
    "delivrd": "delivered",
    "accepted": "delayed",
    "acceptd": "delayed",
    "enroute": "delayed",
    "delayed": "delayed",
    "delivered": "delivered",
}
"""The words of SMPP 3.4 and CMPP for what is no failure; the codes of failures are without number."""
_MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class PushForm:
    """The names of a gateway's fields by ours, what its words of status mean, and what it wants to hear.

    Without `names` it pushes the form of docs/providers.md. With them a row that has a status is a report, and one with
    a text a reply; a status that is neither in `statuses` nor a word of SMPP is a failure, for their codes are endless.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    answer: str = '{"ok":true}'

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.names) - set(FIELDS)):
            raise ValueError(f"{unknown[0]} is nothing a push holds – known are {', '.join(FIELDS)}")
        if self.names and not ({"id", "provider_id"} & set(self.names) and "status" in self.names):
            raise ValueError("a report needs the names of its status and of id or provider_id")
        if wrong := sorted(set(self.statuses.values()) - set(STATUSES)):
            raise ValueError(f"{wrong[0]} is no status – known are {', '.join(STATUSES)}")

    @property
    def media_type(self) -> str:
        """The media type of the answer."""
        return "application/json" if self.answer[:1] in {"{", "["} else "text/plain"

    @property
    def token_field(self) -> str:
        """The name of the field, in the query or a form, that carries the word agreed on."""
        return self.names.get("token", "token")

    def rows(self, pushed: Pushed, *, only_body: bool) -> Sequence[Mapping[str, Any]]:
        """Return the rows of a push; raise NotHeardError where it holds none.

        With `only_body` nothing in the address is read, for no signature covers it.
        """
        sent = _sent(pushed, only_body=only_body)
        held = sent
        if "rows" in self.names and isinstance(sent, dict):
            held = sent.get(self.names["rows"])
            held = _parsed(held.encode()) if isinstance(held, str) else held
        several = held if isinstance(held, list) else [held]
        if not several or len(several) > _MOST_ROWS or not all(isinstance(one, dict) for one in several):
            raise NotHeardError("the push holds something else than reports or replies", forged=False)
        return cast("Sequence[Mapping[str, Any]]", several)

    def told(self, row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
        """Return what one row says; raise NotHeardError where it says nothing."""
        return self._named(row, now) if self.names else _in_our_form(row, now)

    def _named(self, row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
        said = {ours: dig(row, theirs) for ours, theirs in self.names.items()}
        at = instant(said.get("at"), china_time(said.get("at"), now))
        status, text = said.get("status"), said.get("text")
        if status not in {None, ""}:
            own, theirs = _id(said.get("id")), _id(said.get("provider_id"))
            if own is None and theirs is None:
                raise NotHeardError("a report that names no message", forged=False)
            word = written(status).strip()
            code = coded(written(said.get("detail", word)))
            return Report(self._status(word), at, own, theirs, code, fault_of_receipt(code))
        if text is not None:
            return Reply(e164(said.get("from")), text_of(text), at, reply_id=_id(said.get("reply_id")))
        raise NotHeardError("a push that is neither a report nor a reply", forged=False)

    def _status(self, word: str) -> Status:
        return cast("Status", self.statuses.get(word) or _WORDS.get(word.casefold(), "failed"))


def form_of(pushed: Pushed) -> dict[str, str]:
    """Return the fields of a form in a push's body; none where it is no form."""
    content = pushed.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content not in {"application/x-www-form-urlencoded", ""} or pushed.body[:1] in {b"{", b"["}:
        return {}
    return fields_of(pushed.body)


def fields_of(raw: bytes) -> dict[str, str]:
    """Return the fields of a form or of an address's query, in UTF-8 or, as many gateways in China write, in GBK."""
    for encoding in ("utf-8", "gb18030"):
        with contextlib.suppress(ValueError):
            words = raw.decode(encoding)
            fields = parse_qsl(
                words, keep_blank_values=True, encoding=encoding, errors="strict", max_num_fields=_MOST_ROWS
            )
            return dict(fields)
    return {}


def _sent(pushed: Pushed, *, only_body: bool) -> Any:  # noqa: ANN401 - whatever was pushed
    if form := form_of(pushed):
        return form
    if pushed.body.strip():
        return _parsed(pushed.body)
    if only_body or not pushed.query:
        raise NotHeardError("the push is empty", forged=False)
    return dict(pushed.query)


def _parsed(content: bytes) -> Any:  # noqa: ANN401 - whatever was pushed
    try:
        return parsed(content)
    except ValueError:
        raise NotHeardError("the push is no JSON", forged=False) from None


def _id(value: object) -> str | None:
    return None if value in {None, ""} else written(value)


def _in_our_form(row: Mapping[str, Any], now: dt.datetime) -> Report | Reply:
    at, number = instant(row.get("at"), now), row.get("id")
    told = None if number is None else str(number)
    if row.get("type") == "reply":
        return Reply(e164(row.get("from")), text_of(row.get("text")), at, reply_id=told)
    status, own = row.get("status"), row.get("provider_id")
    if row.get("type") != "report" or status not in set(STATUSES) or (told or own) is None:
        raise NotHeardError("a push that is neither a report nor a reply", forged=False)
    code = coded(row.get("detail"))
    return Report(status, at, told, None if own is None else str(own), code, fault_of_receipt(code))
