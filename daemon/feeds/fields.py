"""Single values: ids, words, addresses; each taken whole or refused with a reason that quotes nothing personal."""

from __future__ import annotations

import re

import phonenumbers

from daemon.feeds.payload import Fault

LONGEST_ID = 128
LONGEST_TEXT = 2_000

_LOST_DIGITS = re.compile(r"\d(?:\.\d+)?[eE]\+\d{2,}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\.]+(?:\.[^\s@<>,;:\"()\[\]\\.]+)*")
_ENDPOINT = re.compile(r"[\w.-]{1,64}")
_YES = frozenset({"true", "yes", "y", "1", "是"})
_NO = frozenset({"false", "no", "n", "0", "否"})


def an_id(text: str) -> str:
    """An id as given, trimmed. Refuses one a spreadsheet turned into a rounded number, however it looks."""
    plain = text.strip()
    if not plain:
        raise Fault("is missing")
    if len(plain) > LONGEST_ID:
        raise Fault(f"is longer than {LONGEST_ID} characters")
    if _LOST_DIGITS.fullmatch(plain):
        raise Fault("was saved as a number and lost digits", "format the column as text before filling it")
    if not plain.isprintable():
        raise Fault("holds invisible characters")
    return plain


def words(text: str) -> str | None:
    """Free text on one line, or None where there is none."""
    plain = text.strip()
    if len(plain) > LONGEST_TEXT:
        raise Fault(f"is longer than {LONGEST_TEXT} characters")
    return _CONTROL.sub(" ", plain) or None


def phone(text: str, region: str) -> str:
    """A number as E.164, numbers without a country code being of `region`.

    A number need only be possible, not assigned: new prefixes appear faster than tables of them, and a gateway's
    refusal is seen while a number dropped here is not.
    """
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise Fault("is not a telephone number", "one number, like 13800000000 or +8613800000000") from None
    if number.extension:
        raise Fault("has an extension, which no message can reach", "give a direct number")
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise Fault("is not a possible telephone number", "one number, like 13800000000 or +8613800000000")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mail(text: str) -> str:
    """A mail address, as given."""
    if len(text) > 254 or not text.isprintable() or not _MAIL.fullmatch(text):  # noqa: PLR2004 - RFC 5321
        raise Fault("is not a mail address", "like name@example.org, one only")
    return text


def endpoint(text: str) -> str:
    """The name of a configured endpoint; never a URL."""
    if not _ENDPOINT.fullmatch(text):
        raise Fault("is not the name of an endpoint", "name one of channels.webhook.endpoints; addresses belong there")
    return text


def boolean(text: str) -> bool:
    """Yes or no, in the words for it."""
    plain = text.casefold()
    if plain in _YES:
        return True
    if plain in _NO:
        return False
    raise Fault("is neither yes nor no", "true or false")


def tags(text: str) -> tuple[str, ...]:
    """Tags between semicolons, each once, in order."""
    return tuple(dict.fromkeys(tag.strip() for tag in re.split("[;；]", text) if tag.strip()))
