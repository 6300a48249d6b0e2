"""Pydantic's errors in an operator's words: key, fault, and what to write instead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from daemon.config.credentials import UnreadError
from daemon.config.models import Document
from daemon.config.outline import EACH, all_keys, field_at, keys_of, model_at, nested
from daemon.config.source import Place, dotted
from daemon.config.table import Table
from daemon.config.values import kind_of, quoted
from daemon.problems import choose, either, nearest


class Finding(NamedTuple):
    """One fault at one place of the tree; does not know file and line."""

    place: Place
    fault: str
    hint: str


def findings(error: ValidationError, root: type[Table] = Document) -> Iterator[Finding]:
    """Every error pydantic found in a file of `root`, worded; values that might be secrets are never repeated."""
    for each in error.errors(include_url=False):
        context = each.get("ctx", {})
        place = tuple(step for step in each["loc"] if step != "[key]")
        if not _echo(each["type"], each["input"], context):
            yield Finding(
                place,
                *_WORDS.get(each["type"], _other)(
                    place, each["input"], {**context, "type": each["type"], "root": root}
                ),
            )


def _echo(kind: str, value: object, context: Mapping[str, Any]) -> bool:
    """Whether an error only repeats another: a list short of the members refused, a file the checks look for."""
    return (kind == "too_short" and bool(value)) or isinstance(context.get("error"), UnreadError)


def wanted(place: Place, root: type[Table] = Document) -> str:
    """What belongs at `place`, with an example to copy."""
    found = field_at(place, root)
    if found is None:
        return "leave it out"
    place, field = found
    inside = nested(field.annotation)
    brackets = {"table": "[{}]", "list": "[[{}]]", "named": "[{}.NAME]"}
    if inside and not field.examples:
        return f"{field.description}: write a table {brackets[inside[0]].format(_header(place))}"
    return f"{field.description}, for example: {place[-1]} = {example(field)}"


def example(field: FieldInfo) -> str:
    """A value for a key, as TOML: the model's own example, or else its default."""
    return str(field.examples[0]) if field.examples else toml(field.default)


def toml(value: object) -> str:
    """A default as TOML would write it."""
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return str(value).lower()
        case dt.timedelta():
            return f'"{_span(value)}"'
        case tuple():
            return f"[{', '.join(toml(part) for part in value)}]"
        case dict():
            return f"{{ {', '.join(f'{toml(key)} = {toml(part)}' for key, part in value.items())} }}"
        case _:
            return str(value)


def _span(span: dt.timedelta) -> str:
    seconds = int(span.total_seconds())
    return next(
        f"{seconds // size}{unit}"
        for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
        if seconds % size == 0
    )


def _header(place: Place) -> str:
    return dotted(tuple(step for step in place if isinstance(step, str)))


Words = tuple[str, str]
Context = Mapping[str, Any]


def _missing(place: Place, _value: object, context: Context) -> Words:
    return "is missing", wanted(place, context["root"])


def _unknown(place: Place, _value: object, context: Context) -> Words:
    model = model_at(place[:-1], context["root"])
    keys = list(keys_of(model)) if model else []
    key = str(place[-1])
    fault = "is no key known here"
    if f"{key}_env" in keys:
        return fault, f"secrets never stand in this file: name one with {key}_env or {key}_file"
    if nearest(key, keys) is None and (home := _elsewhere(key, context["root"])):
        return fault, f"it belongs to {home}"
    return fault, choose(key, keys)


def _elsewhere(key: str, root: type[Table]) -> str | None:
    """The only table `key` is a key of, if there is just one."""
    homes = [place[:-1] for place, _ in all_keys(root) if place[-1] == key and len(place) > 1]
    return ".".join(step for step in homes[0] if step != EACH) if len(homes) == 1 else None


def _one_of(_place: Place, value: object, context: Context) -> Words:
    choices = re.findall(r"'([^']*)'", context["expected"])
    if not isinstance(value, str):
        return f"is {kind_of(value)}, not text", f"write {either(toml(choice) for choice in choices)}"
    return f"{quoted(value)} is not {either(choices)}", choose(value, choices)


def _kind(noun: str) -> Callable[[Place, object, Context], Words]:
    def explain(place: Place, value: object, context: Context) -> Words:
        return f"is {kind_of(value)}, not {noun}", wanted(place, context["root"])

    return explain


def _empty(place: Place, _value: object, context: Context) -> Words:
    return "is empty", wanted(place, context["root"])


def _crowded(_place: Place, _value: object, context: Context) -> Words:
    return f"holds more than {context['max_length']}", "leave some out, or part the file"


def _range(_place: Place, value: object, context: Context) -> Words:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    bounds = [f"{words[bound]} {context[bound]}" for bound in words if bound in context]
    return f"{value} is out of range", f"write {' and '.join(bounds) or 'a finite number'}"


def _refused(_place: Place, _value: object, context: Context) -> Words:
    return context["fault"], context["hint"]


def _other(place: Place, _value: object, context: Context) -> Words:
    return f"is not accepted ({context['type']})", wanted(place, context["root"])


_WORDS: dict[str, Callable[[Place, object, Context], Words]] = {
    "missing": _missing,
    "extra_forbidden": _unknown,
    "literal_error": _one_of,
    "model_type": _kind("a table"),
    "dict_type": _kind("a table"),
    "tuple_type": _kind("a list"),
    "string_type": _kind("text"),
    "bool_type": _kind("true or false"),
    "int_type": _kind("an integer"),
    "float_type": _kind("a number"),
    "date_type": _kind("a date"),
    "time_type": _kind("a time"),
    "too_short": _empty,
    "too_long": _crowded,
    "greater_than": _range,
    "greater_than_equal": _range,
    "less_than": _range,
    "less_than_equal": _range,
    "finite_number": _range,
    "refused": _refused,
}
