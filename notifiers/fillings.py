"""What templates may say beside facts: a word in the language at hand, an instant, a reason, a fault."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from jinja2 import pass_context
from jinja2.runtime import Context

from notifiers import phrases
from notifiers.glosses import fault_words, hint_words
from notifiers.phrases import one_line

_NARROW, _WIDE = "*_`~#|<>[]\\", "＊＿｀～＃｜＜＞［］＼"
MARKUP = str.maketrans(_NARROW, _WIDE)
"""What a robot would take for markup, as wide characters: names are masked with stars."""
_AS_WRITTEN = str.maketrans(_WIDE, _NARROW)


@pass_context
def _say(context: Context, zh: str, en: str) -> str:
    return zh if context["language"] == "zh" else en


@pass_context
def _when(context: Context, at: dt.datetime) -> str:
    return phrases.instant(at, context["language"], short=context["channel"] in {"sms", "chat"})


@pass_context
def _day(context: Context, at: dt.datetime) -> str:
    return phrases.day(at, context["language"])


@pass_context
def _reason(context: Context, reason: str | None) -> str:
    return phrases.reason_words(reason, context["language"], context["channel"])


@pass_context
def _fault(context: Context, text: str) -> str:
    return _glossed(context, text, lambda plain: fault_words(plain, original=context["channel"] != "sms"))


@pass_context
def _hint(context: Context, text: str) -> str:
    return _glossed(context, text, hint_words)


def _glossed(context: Context, text: str, words: Callable[[str], str]) -> str:
    """The words for a text as it was written, though facts for a robot hold no markup."""
    if context["language"] != "zh":
        return text
    return words(text.translate(_AS_WRITTEN)).translate(MARKUP) if context["channel"] == "chat" else words(text)


@pass_context
def _role(context: Context, role: str | None) -> str:
    return phrases.role_words(role, context["language"])


@pass_context
def _kind(context: Context, kind: str) -> str:
    return phrases.KINDS.get(kind, (kind, kind))[0 if context["language"] == "zh" else 1]


def _short(name: str | None, longest: int = 16) -> str:
    return (name or "")[:longest].strip()


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%"


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


FILTERS: Mapping[str, Callable[..., str]] = {
    "when": _when,
    "day": _day,
    "when_en": lambda at: phrases.instant(at, "en"),
    "reason": _reason,
    "fault": _fault,
    "hint": _hint,
    "role": _role,
    "kind": _kind,
    "short": _short,
    "percent": _percent,
    "line": one_line,
}
"""The filters of templates, by name."""
FUNCTIONS: Mapping[str, Callable[..., str]] = {"say": _say, "plural": _plural}
"""What templates call, by name."""
