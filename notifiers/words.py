"""Facts into words: one template a channel, kind and language, the operator's own before those that ship."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    DictLoader,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.environment import TemplateModule
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifiers import phrases
from notifiers.examples import examples
from notifiers.fillings import FILTERS, FUNCTIONS, MARKUP
from notifiers.own_words import TemplateProblem, provider_of, read_own, replacing_nothing
from notifiers.phrases import SMS_LIST, mask_name, one_line
from notifiers.sms.segments import sms_encoding, sms_segments

__all__ = [
    "KINDS",
    "SMS_LIST",
    "Composed",
    "TemplateProblem",
    "Words",
    "WordsError",
    "mask_name",
    "sms_encoding",
    "sms_segments",
]

KINDS = tuple(phrases.KINDS)
"""Every kind of message there are words for."""

CHANNELS = ("sms", "email", "chat")
LANGUAGES = ("zh", "en")

_SHIPPED = PackageLoader("templates", "")
_AS_SHIPPED = "shipped"
"""The folder before the name of a template as it ships, whatever the operator made of it."""

_CODES = frozenset({"role", "recipient_role", "kind", "reason", "what", "channel"})
"""Facts that are looked up, and said in words of ours."""

ALERT_FACTS = dict.fromkeys(
    (
        "case",
        "student",
        "school",
        "class",
        "grade",
        "village",
        "town",
        "residence_assumed",
        "run_from",
        "due_at",
        "raised_at",
        "answer_by",
        "episode",
        "unconfirmed",
        "reason",
        "days_absent",
        "kind",
        "rule",
        "rule_version",
        "title",
        "acknowledge_url",
        "record_url",
        "confirm_seen_url",
        "confirm_absent_url",
    )
)
"""What a template is told of each of `alerts`; None where it is not known."""
FACTS = {
    **dict.fromkeys(("unit", "count", "share", "feed", "since", "incident", "district", "callback", "recipient_role")),
    "reply_code": None,
    "signature": None,
    "judge_url": None,
    "classes": (),
    "faults": (),
    "problem": None,
    "part": None,
    "notices": (),
    "failures": (),
    "owed": (),
    "findings": (),
    "overdue": (),
    "answer": None,
}
"""What a template is told beside `alerts`."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The words of one message; `subject` and `html` are None where the channel has none."""

    subject: str | None
    text: str
    html: str | None


class WordsError(Exception):
    """A message could not be put into words; names the template and the fault, never a fact's value."""

    def __init__(self, problem: TemplateProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Words:
    """The templates, read once; decides nothing about who is told what.

    `overrides` is a folder of the operator's, laid out like `templates/` and searched first. A changed file is seen
    only by a new `Words`; one that cannot be read stands for itself in `problems`, and the shipped one speaks. A
    documented fact that is not given is None, any other an error; facts lose line breaks and control characters first.
    """

    def __init__(self, overrides: Path | None = None) -> None:
        self.overrides = overrides
        texts, self._unread = read_own(overrides, _SHIPPED.list_templates()) if overrides else ({}, ())
        self.own: Mapping[str, str] = texts
        """The operator's templates, by name."""
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([DictLoader(texts), _SHIPPED, PrefixLoader({_AS_SHIPPED: _SHIPPED})]),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._names = frozenset({*texts, *_SHIPPED.list_templates()})
        self._environment.filters.update(FILTERS)
        self._environment.globals.update({"sms_list": SMS_LIST, **FUNCTIONS})

    def compose(
        self, kind: str, channel: str, language: str, facts: Mapping[str, Any], provider: str | None = None
    ) -> Composed:
        """The words of a message of `kind`; raises WordsError. A language without templates is told in 中文.

        A provider that has words of its own, in a folder of its name below the channel's, is given those. A mail of the
        operator's that is not written in our letter has no HTML, unless that is the operator's too.
        """
        tongue = language if language in LANGUAGES else "zh"
        known = _clean({**FACTS, **facts, "alerts": [{**ALERT_FACTS, **alert} for alert in facts.get("alerts", ())]})
        known |= {"language": tongue, "channel": channel}
        name = self.template(kind, channel, tongue, provider).removesuffix(".txt.j2")
        if channel == "sms":
            text = str(self._made(f"{name}.txt.j2", known))
            return Composed(None, _joined(text, "" if tongue == "zh" else " "), None)
        said = self._made(f"{name}.txt.j2", _unmarked(known) if channel == "chat" else known)
        subject, text = one_line(str(getattr(said, "subject", ""))), _tidied(str(said))
        if not subject:
            fault = TemplateProblem(f"{name}.txt.j2", None, "sets no subject", "add {% set subject %}…{% endset %}")
            raise WordsError(fault)
        if channel == "chat" or not (hasattr(said, "lead") or f"{name}.html.j2" in self.own):
            return Composed(subject, text, None)
        return Composed(subject, text, str(self._made(f"{name}.html.j2", known)).strip() + "\n")

    def template(self, kind: str, channel: str, language: str, provider: str | None = None) -> str:
        """The name of the template that says it: the provider's, if there is one; it is in `own` if the operator's."""
        tongue = language if language in LANGUAGES else "zh"
        of_provider = f"{channel}/{provider}/{kind}.{tongue}.txt.j2"
        return of_provider if of_provider in self._names else f"{channel}/{kind}.{tongue}.txt.j2"

    def problems(self) -> tuple[TemplateProblem, ...]:
        """Everything wrong with the templates: each is filled with several examples; nothing is sent."""
        lost = replacing_nothing(self.overrides, _SHIPPED.list_templates()) if self.overrides else ()
        return (*self._unread, *lost, *dict.fromkeys(self._faults()))

    def _faults(self) -> Iterator[TemplateProblem]:
        of_providers = sorted({found for name in self._names if (found := provider_of(name))})
        for channel, provider in [*((channel, None) for channel in CHANNELS), *of_providers]:
            for kind in KINDS:
                for language in LANGUAGES:
                    for facts in examples(language).values():
                        try:
                            self.compose(kind, channel, language, facts, provider)
                        except WordsError as error:
                            yield error.problem

    def _made(self, name: str, facts: Mapping[str, Any]) -> TemplateModule:
        """A template filled: its text, and what it sets."""
        try:
            return self._environment.get_template(name).make_module(dict(facts))
        except TemplateSyntaxError as error:
            raise WordsError(TemplateProblem(error.name or name, error.lineno, error.message or "syntax")) from None
        except Exception as error:  # noqa: BLE001 - whatever an operator's template does wrong stops this message only
            raise WordsError(_problem(name, error)) from None


def _problem(name: str, error: Exception) -> TemplateProblem:
    """Where a template failed, and how; the text of an error may quote a fact, unless it is Jinja's own complaint."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            name, line = template.name or name, template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    if isinstance(error, TemplateNotFound):
        return TemplateProblem(name, line, f"template {error.name} does not exist")
    fault = str(error) if isinstance(error, TemplateError) else f"fails with {type(error).__name__}"
    return TemplateProblem(name, line, fault)


def _clean(value: Any) -> Any:  # noqa: ANN401 - facts of any shape
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {key: _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_clean(each) for each in value)
    return value


def _unmarked(value: Any, name: str = "") -> Any:  # noqa: ANN401 - facts of any shape
    """Facts for a robot: nothing in them is markup; links stay as they are."""
    if isinstance(value, str):
        return value if name.endswith("_url") or name in _CODES else value.translate(MARKUP)
    if isinstance(value, Mapping):
        return {key: _unmarked(each, key) for key, each in value.items()}
    return tuple(_unmarked(each) for each in value) if isinstance(value, tuple) else value


def _joined(text: str, glue: str) -> str:
    """The lines of a template as one: what providers accept, and what a reader expects of a text message."""
    return glue.join(line.strip() for line in text.splitlines() if line.strip())


def _tidied(text: str) -> str:
    """No trailing spaces, at most one empty line in a row, one line break at the end."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line, before in zip(lines, ["", *lines[:-1]], strict=True) if line or before]
    return "\n".join(kept) + "\n"
