"""Texts a provider has approved beforehand: which of them says what, and what its variables are filled with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifiers.contract import DeliveryError, Fault, Message
from notifiers.provider import Key, Limits
from notifiers.sms.facts import CASE, FIXED, shortened

REPORTED = ("report", "escalation", "reminder", "reopened", "retraction", "return", "closed")
"""What a ladder says, and what corrects it on the channel that said it."""

KEY = Key(
    "template",
    "templates",
    "the texts the provider has approved, and what fills them",
    example='[{ id = "SMS_1", kinds = ["report"], parameters = [{ fact = "case" }, { fact = "school" }] }]',
    needed=True,
)

SIGN_NAME = Key(
    "sign_name",
    "text",
    "the approved signature texts begin with, without brackets",
    example='"青禾县教育局"',
    needed=True,
)
ENDPOINT = Key(
    "endpoint", "url", "its address, where not the usual one", example='"https://sms.example.org"', quiet=True
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One variable of a template: its name there, the fact that fills it, and the room it has."""

    fact: str
    name: str
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One approved text: for some kinds of messages, or for all that no other one is for, in one language."""

    id: str
    kinds: tuple[str, ...]
    language: str
    parameters: tuple[Parameter, ...]

    @property
    def most(self) -> int | None:
        """How many children one message of it can tell of: as many as have their case number in it; None: counts."""
        facts = {one.fact: one for one in self.parameters}
        if "cases" in facts:
            room = facts["cases"].longest
            return None if room is None else max((room + 1) // (CASE + 1), 1)
        return None if "count" in facts else 1


@dataclass(frozen=True, slots=True)
class Filled:
    """A template with the texts for its variables, in its own order."""

    template: Template
    values: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.template.id} {' '.join(f'{name}={value}' for name, value in self.values)}"


class Templates:
    """All approved texts of one channel; sends nothing."""

    def __init__(self, several: Sequence[Template], limits: Limits) -> None:
        self._limits = limits
        self._by: dict[tuple[str, str], Template] = {}
        for one in several:
            for kind in one.kinds or ("",):
                self._by.setdefault((kind, one.language), one)

    def fill(self, message: Message) -> Filled:
        """The template for a message with its variables; raises DeliveryError where there is none, or no room."""
        template = self.of(message.template, message.language)
        if template is None:
            raise DeliveryError(f"no approved template for {message.template}", Fault.MESSAGE)
        values = tuple((one.name, self._fit(one, message.parameters)) for one in template.parameters)
        total = sum(len(value) for _, value in values)
        if self._limits.total is not None and total > self._limits.total:
            raise DeliveryError("the template's variables are longer than the provider takes", Fault.MESSAGE)
        return Filled(template, values)

    def most(self, kind: str) -> int | None:
        """How many children one message of a kind may tell of, in whichever language; None: any number."""
        several = [found.most for language in ("zh", "en") if (found := self.of(kind, language)) is not None]
        counted = [one for one in several if one is not None]
        return min(counted) if counted else None if several else 1

    def of(self, kind: str, language: str) -> Template | None:
        """The text for a kind in a language, else in the other one; of its own before the one for all the rest."""
        tongues = (language, *(one for one in ("zh", "en") if one != language))
        wanted = ((word, tongue) for tongue in tongues for word in (kind, ""))
        return next((self._by[one] for one in wanted if one in self._by), None)

    def _fit(self, parameter: Parameter, facts: Mapping[str, str]) -> str:
        text = facts.get(parameter.fact, "")
        rooms = [room for room in (parameter.longest, self._limits.variable) if room is not None]
        fitting = shortened(parameter.fact, text, min(rooms)) if rooms else text
        if not fitting:
            raise DeliveryError(f"the template has no room for {parameter.fact}", Fault.MESSAGE)
        return fitting


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with templates as written: the place below them, what, and what might help."""

    place: tuple[str | int, ...]
    fault: str
    hint: str


def template_faults(
    rows: Sequence[object], limits: Limits, callback: str | None, *, replies: bool
) -> Iterator[TemplateFault]:
    """What makes templates useless, told before anything is sent; passes over what is misshapen.

    `callback` is the number people may call, and `replies` whether answers are heard: variables may be filled by them.
    """
    seen: dict[tuple[object, object], int] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            continue
        kinds, language = row.get("kinds", ()), row.get("language", "zh")
        for kind in kinds or ("",) if isinstance(kinds, list | tuple) else ():
            first = seen.setdefault((str(kind), language), number)
            if first != number:
                what = f'"{kind}"' if kind else "all other kinds"
                hint = "let each kind have one template in a language"
                yield TemplateFault((number,), f"is a second template for {what}, beside template[{first}]", hint)
        for index, one in enumerate(_tables(row.get("parameters"))):
            if one.get("fact") == "reply_code" and not replies:
                fault, hint = "is there only where answers are heard", "write replies = true, or leave it out"
                yield TemplateFault((number, "parameters", index, "fact"), fault, hint)
            yield from _room_faults((number, "parameters", index), one, limits, callback)


def uncovered(rows: Sequence[object], kinds: Sequence[str] = REPORTED) -> list[str]:
    """Of `kinds` those no template as written is for."""
    covered = {kind for row in _tables(rows) for kind in _words(row.get("kinds")) or kinds}
    return [kind for kind in kinds if kind not in covered]


def _room_faults(
    place: tuple[str | int, ...], one: Mapping[str, object], limits: Limits, callback: str | None
) -> Iterator[TemplateFault]:
    fact, longest = one.get("fact"), one.get("longest")
    if not isinstance(fact, str) or not isinstance(longest, int | None):
        return
    if limits.variable is not None and longest is not None and longest > limits.variable:
        hint = f"write at most {limits.variable}"
        yield TemplateFault((*place, "longest"), f"{longest} is more than the provider takes in a variable", hint)
    if fact == "callback" and callback is None:
        fault = "is filled by service.callback, which is not set"
        yield TemplateFault((*place, "fact"), fault, "set it, or leave it out")
    if limits.asked and longest is None:
        yield TemplateFault(
            (*place, "fact"), "has no room given", "write longest: how many characters the text allows here"
        )
    needed = len(callback or "") if fact == "callback" else FIXED.get(fact, 1)
    room = min((room for room in (longest, limits.variable) if room is not None), default=needed)
    if room < needed:
        place = (*place, "longest" if longest is not None else "fact")
        fault = f"leaves {room} characters for {fact}, which needs {needed} and is never cut"
        yield TemplateFault(place, fault, "give it more room in the provider's text")


def _words(value: object) -> list[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list | tuple) else []


def _tables(value: object) -> list[Mapping[str, object]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list | tuple) else []
