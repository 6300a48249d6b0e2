"""Rule files to a rulebook: every fault at once, each with its line; reads no file itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rules.predicate import Predicate, PredicateError, compile_predicate

_KEYS = ("id", "title", "when", "after", "since", "clock", "stage", "ladder", "source")
_REQUIRED = ("id", "when", "after", "stage", "ladder")
_CHOICES = {"since": ("absence",), "clock": ("elapsed", "school"), "stage": ("reported",)}
_PLACE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True, slots=True)
class RuleFault:
    """Something in a rule file that its author must mend."""

    source: str
    line: int | None
    key: str
    fault: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One accepted rule; `version` changes with every character that matters."""

    rule_id: str
    title: Mapping[str, str]
    when: Predicate
    after: dt.timedelta
    school_time: bool
    stage: str
    ladder: str
    law: str | None
    """Where the duty comes from (`source` in the file)."""
    source: str
    line: int | None
    version: str


class RulebookError(Exception):
    """The rule files cannot be accepted; `faults` says everything that is wrong with them."""

    def __init__(self, faults: Iterable[RuleFault]) -> None:
        self.faults = tuple(faults)
        super().__init__(f"{len(self.faults)} faults in the rule files")


def read_rules(sources: Iterable[tuple[str, str]], ladders: Iterable[str]) -> dict[str, Rule]:
    """The rules of `sources` (name, text), later ones replacing earlier ones of the same id.

    `ladders` are the ids a rule may name. Raises RulebookError with every fault of every file.
    """
    faults: list[RuleFault] = []
    rules: dict[str, Rule] = {}
    known = tuple(ladders)
    for name, text in sources:
        rules |= _read_file(name, text, known, faults)
    if not faults and len(rules) != 1:
        faults += [
            RuleFault(
                rule.source,
                rule.line,
                "id",
                f"a second rule of stage 'reported': '{rule.rule_id}'",
                "override the shipped rule by giving yours its id, absent-48h",
            )
            for rule in list(rules.values())[1:]
        ]
    if faults:
        raise RulebookError(faults)
    return rules


def _read_file(name: str, text: str, ladders: tuple[str, ...], faults: list[RuleFault]) -> dict[str, Rule]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else None
        faults.append(RuleFault(name, line, "", "is not valid TOML", _PLACE.sub("", str(error)).strip()))
        return {}
    except RecursionError:
        faults.append(RuleFault(name, None, "", "is nested too deeply", "a rule file holds [[rule]] tables"))
        return {}
    lines = [number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith("[[rule]]")]
    unknown = sorted(set(document) - {"rule"})
    faults += [RuleFault(name, None, key, "unknown key", "a rule file holds [[rule]] tables") for key in unknown]
    tables = document.get("rule", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        faults.append(RuleFault(name, None, "rule", "is not a list of tables", "write each rule under a line [[rule]]"))
        return {}
    rules: dict[str, Rule] = {}
    for number, table in enumerate(tables):
        place = _Place(name, text, lines[number] if number < len(lines) else None, f"rule[{number}]")
        rule = _read_rule(place, table, ladders, faults)
        if rule is None:
            continue
        if rule.rule_id in rules:
            faults.append(place.fault("id", f"'{rule.rule_id}' is there twice", "rules of one file need different ids"))
        rules[rule.rule_id] = rule
    return rules


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which file a rule stands."""

    source: str
    text: str
    line: int | None
    path: str

    def fault(self, key: str, fault: str, hint: str | None = None) -> RuleFault:
        return RuleFault(self.source, self._line_of(key), f"{self.path}.{key}", fault, hint)

    def _line_of(self, key: str) -> int | None:
        if self.line is None:
            return None
        following = self.text.splitlines()[self.line :]
        for offset, line in enumerate(following):
            if line.strip().startswith("[["):
                break
            if re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
                return self.line + offset + 1
        return self.line


def _read_rule(
    place: _Place, table: Mapping[str, Any], ladders: tuple[str, ...], faults: list[RuleFault]
) -> Rule | None:
    found = [*_unknown(place, table), *_missing(place, table), *_wrong(place, table, ladders)]
    faults += found
    when = _read_when(place, table, faults)
    if found or when is None:
        return None
    after = parse_duration(table["after"])
    assert after is not None
    return Rule(
        rule_id=table["id"],
        title=dict(table.get("title", {})),
        when=when,
        after=after,
        school_time=table.get("clock", "elapsed") == "school",
        stage=table["stage"],
        ladder=table["ladder"],
        law=table.get("source"),
        source=place.source,
        line=place.line,
        version=hashlib.sha256(repr(sorted(table.items())).encode()).hexdigest()[:12],
    )


def _unknown(place: _Place, table: Mapping[str, Any]) -> list[RuleFault]:
    faults = []
    for key in sorted(set(table) - set(_KEYS)):
        near = get_close_matches(key, _KEYS, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"keys: {', '.join(_KEYS)}"
        faults.append(place.fault(key, "unknown key", hint))
    return faults


def _missing(place: _Place, table: Mapping[str, Any]) -> list[RuleFault]:
    return [place.fault(key, "missing", f"every rule needs {key}") for key in _REQUIRED if key not in table]


def _wrong(place: _Place, table: Mapping[str, Any], ladders: tuple[str, ...]) -> list[RuleFault]:
    texts = [key for key in _KEYS if key != "title" and key in table and not isinstance(table[key], str)]
    faults = [place.fault(key, "is not text", f'write {key} = "…"') for key in texts]
    for key, choices in _CHOICES.items():
        value = table.get(key)
        if isinstance(value, str) and value not in choices:
            faults.append(place.fault(key, f"'{value}' is not known", f"one of: {', '.join(choices)}"))
    if isinstance(table.get("after"), str) and parse_duration(table["after"]) is None:
        faults.append(place.fault("after", f"'{table['after']}' is not a duration", "such as 48h, 90m or 2d"))
    ladder = table.get("ladder")
    if isinstance(ladder, str) and ladder not in ladders:
        hint = f"configured: {', '.join(ladders)}" if ladders else "add a [[ladder]] to the configuration"
        faults.append(place.fault("ladder", f"no ladder '{ladder}'", hint))
    title = table.get("title", {})
    if (
        not isinstance(title, dict)
        or set(title) - {"zh", "en"}
        or not all(isinstance(one, str) for one in title.values())
    ):
        faults.append(place.fault("title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'))
    return faults


def _read_when(place: _Place, table: Mapping[str, Any], faults: list[RuleFault]) -> Predicate | None:
    if not isinstance(table.get("when"), str):
        return None
    try:
        return compile_predicate(table["when"])
    except PredicateError as error:
        where = f" at column {error.column}" if error.column else ""
        faults.append(place.fault("when", f"{error.fault}{where}", error.hint))
        return None


def parse_duration(text: str) -> dt.timedelta | None:
    """`2d`, `48h`, `1h30m`, `90s` as a span of time; None if it is none, or zero."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    try:
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds) or None
    except (ValueError, OverflowError):  # longer than anything can last
        return None
