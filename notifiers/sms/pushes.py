"""Reports and replies that providers push to our door: who may knock, and what their dates and numbers mean."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from standardwebhooks import Webhook as Signer

from notifiers.contract import Heard, NotHeardError, Pushed, Reply, Report
from notifiers.provider import Key

TOKEN = Key("receipts_token", "secret", "the word its pushes of receipts must carry", example='"sms.receipts"')
"""Providers of text messages sign nothing they push: a secret word in the address is all that tells who knocks."""

Told = TypeVar("Told")

CHINA = dt.timezone(dt.timedelta(hours=8))
_LONGEST_TEXT = 1000
_TOLERANCE = 300
"""Seconds, as the specification of Standard Webhooks recommends."""


def demand_token(pushed: Pushed, token: str | None, *, given: str = "") -> None:
    """Raise NotHeardError unless a push carries the word: as the end of its path, `?token=`, or in a header.

    The header is `Authorization: Bearer` or `X-Token`; `given` is what else it carries in a field of its own.
    """
    if token is None:
        raise NotHeardError("no receipts_token is configured, so no push is believed", forged=True)
    query, header = pushed.query.get("token", ""), pushed.headers.get("x-token", "")
    words = (pushed.path.rpartition("/")[2], query, _bearer(pushed.headers), header, given)
    if not any(hmac.compare_digest(one.encode(), token.encode()) for one in words):
        raise NotHeardError("the push does not carry the receipts_token", forged=True)


def demand_proof(pushed: Pushed, token: str | None, secret: str | None, now: dt.datetime, *, given: str = "") -> None:
    """Raise NotHeardError unless a push is signed after Standard Webhooks; where only a token is agreed on, carries it.

    A signature is good for five minutes on either side of its time, and covers its id, its time and its body.
    """
    if secret is None:
        return demand_token(pushed, token, given=given)
    headers = pushed.headers
    stamp = headers.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdecimal()) or abs(int(stamp[:12]) - now.timestamp()) > _TOLERANCE:
        raise NotHeardError("the push is not signed, or its signature is stale", forged=True)
    at = dt.datetime.fromtimestamp(int(stamp), dt.UTC)
    try:
        good = [Signer(one).sign(headers.get("webhook-id", ""), at, pushed.body.decode()) for one in secret.split()]
    except UnicodeDecodeError:
        raise NotHeardError("the push is no text", forged=True) from None
    signatures = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(one.encode(), each.encode()) for one in signatures for each in good):
        raise NotHeardError("the push's signature is wrong", forged=True)
    return None


def rows(pushed: Pushed) -> Iterator[Mapping[str, Any]]:
    """The objects of a push: a JSON list of them, or one; raises NotHeardError for anything else."""
    try:
        parsed = json.loads(pushed.body)
    except ValueError:
        raise NotHeardError("the push is no JSON", forged=False) from None
    several = parsed if isinstance(parsed, list) else [parsed]
    if not several or not all(isinstance(one, dict) for one in several):
        raise NotHeardError("the push holds something else than reports or replies", forged=False)
    return iter(several)


def each(several: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], Told]) -> list[Told]:
    """What can be read of several rows; raises NotHeardError where that is nothing at all.

    One row at fault must not cost the others: a provider that is refused a batch gives it up after a few tries.
    """
    found, fault = [], None
    for row in several:
        try:
            found.append(read(row))
        except NotHeardError as error:
            fault = error
    if fault is not None and not found:
        raise fault
    return found


def heard(told: Iterable[Report | Reply], answer: bytes = b"") -> Heard:
    """Reports and replies, each with their like, and what the provider wants to hear: JSON."""
    several = list(told)
    reports = tuple(one for one in several if isinstance(one, Report))
    return Heard(reports, tuple(one for one in several if isinstance(one, Reply)), answer, "application/json")


def china_time(value: object, otherwise: dt.datetime) -> dt.datetime:
    """An instant in China's time, `2026-03-18 08:00:00` or `20260318080000`, or in seconds; else `otherwise`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return dt.datetime.fromtimestamp(value, dt.UTC)
        except (ValueError, OverflowError, OSError):  # milliseconds, say: it must not cost the others of its batch
            return otherwise
    for form in ("%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"):
        try:
            return dt.datetime.strptime(str(value), form).replace(tzinfo=CHINA).astimezone(dt.UTC)
        except ValueError:
            continue
    return otherwise


def e164(number: object, country: object = "86") -> str:
    """A number as providers write it, in E.164; one without a country is China's. Raises NotHeardError for none."""
    digits = str(number).strip()
    bare = digits.removeprefix("+").removeprefix("00")
    if not (bare.isascii() and bare.isdecimal() and 5 <= len(bare) <= 15):  # noqa: PLR2004 - what E.164 allows
        raise NotHeardError("a report or reply without a telephone number", forged=False)
    if digits.startswith(("+", "00")) or (len(bare) == 13 and bare.startswith("86")):  # noqa: PLR2004 - 86 and 11 digits
        return f"+{bare}"
    return f"+{country}{bare}"


def instant(value: object, otherwise: dt.datetime) -> dt.datetime:
    """An instant as ISO 8601 writes it, with its offset; else `otherwise`."""
    try:
        found = dt.datetime.fromisoformat(str(value))
        return found.astimezone(dt.UTC) if found.tzinfo else otherwise
    except (ValueError, OverflowError):
        return otherwise


def text_of(value: object) -> str:
    """What somebody wrote, without an end nobody will read, nor the zeros some modems fill up with."""
    return str(value if value is not None else "").replace("\0", "")[:_LONGEST_TEXT]


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, word = headers.get("authorization", "").partition(" ")
    return word.strip() if scheme.lower() == "bearer" else ""
