"""Single values: words, addresses, answers; each taken whole or refused with a reason that quotes nothing personal."""

from __future__ import annotations

import re

import phonenumbers

from daemon.config.ids import id_form
from daemon.feeds.ids import AS_TEXT, LOST_DIGITS, is_rounded, unquoted, unwrapped, whole_number
from daemon.feeds.payload import Fault

LONGEST_TEXT = 2_000

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\.]+(?:\.[^\s@<>,;:\"()\[\]\\.]+)*")
_WITH_COUNTRY = re.compile(r"(?:tel:)?\s*\+", re.IGNORECASE)
_EXTENSION = re.compile(r"\d[\s(-]*(?:转|轉|分机|分機|内线)")
_KNOWN_EXTENSION = re.compile(r"(?i)\d\W*(?:ext|extension|x)\W*\d{1,7}\W*$")
_LETTER_WITHIN = re.compile(r"\d\W*(?:[^\W\d_]\W*)+\d")
_BETWEEN_NUMBERS = re.compile(r"[;/、,|]|(?<=\d{7})\s+(?=\d{7})")
_FEWEST_DIGITS = 7
"""What has fewer stands beside a number and is none."""
_CHINA, _CHINESE_MOBILE, _MOBILE_DIGITS = 86, re.compile(r"1[3-9]\d*", re.ASCII), 11
_ENDPOINT = re.compile(r"[\w.-]{1,64}")
_YES = frozenset({"true", "yes", "y", "1", "是"})
_NO = frozenset({"false", "no", "n", "0", "否"})


def words(text: str) -> str | None:
    """Free text on one line, or None where there is none."""
    plain = unwrapped(text.strip()).strip()
    if len(plain) > LONGEST_TEXT:
        raise Fault(f"is longer than {LONGEST_TEXT} characters")
    return _CONTROL.sub(" ", plain) or None


def phone(text: str, region: str | None) -> str:
    """Return a number as E.164, one without a country code being of `region`; without a region it is refused.

    A number need only be possible, not assigned: new prefixes appear faster than tables of them, and a gateway's
    refusal is seen while a number dropped here is not. Whether a text message can reach it is `notifiers.numbers`' to
    say: a landline is kept, for people to call.
    """
    plain = whole_number(unquoted(id_form(text))).replace("·", "-")
    hint = _one_number(region)
    _refuse_no_number(plain, hint)
    if region is None and not _WITH_COUNTRY.match(plain):
        raise Fault("has no country code", "write it, as in +86…, or set service.country")
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        raise Fault("is not a telephone number", hint) from None
    if number.extension:
        raise Fault("has an extension, which no message can reach", "give a direct number")
    national = phonenumbers.national_significant_number(number)
    if number.country_code == _CHINA and _CHINESE_MOBILE.fullmatch(national) and len(national) != _MOBILE_DIGITS:
        raise Fault(f"is a mobile number of {len(national)} digits, and a Chinese one has {_MOBILE_DIGITS}", hint)
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise Fault("is not a possible telephone number", hint)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refuse_no_number(plain: str, hint: str) -> None:
    """Raise Fault for what would be read as another number than the one meant."""
    if is_rounded(plain):
        raise Fault(LOST_DIGITS, AS_TEXT)
    if _EXTENSION.search(plain):
        raise Fault("has an extension, which no message can reach", "give a direct number")
    several = [part for part in _BETWEEN_NUMBERS.split(plain) if len(re.findall(r"\d", part)) >= _FEWEST_DIGITS]
    if len(several) > 1:
        raise Fault("holds more than one number", hint)
    if _LETTER_WITHIN.search(plain) and not _KNOWN_EXTENSION.search(plain):
        raise Fault("has a letter among its digits", hint)  # which would be dialled as on the keys of a telephone


def _one_number(region: str | None) -> str:
    """What to write, shown by a number of `region` that nobody has."""
    if region in {None, "CN"}:
        return "one number, like 13800000000 or +8613800000000" if region else "one number, like +8613800000000"
    return (
        f"one number of {region}, or one with its country code, like +{phonenumbers.country_code_for_region(region)}…"
    )


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
