"""One `[[rule]]` table to a rule, or to everything that is wrong with it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.compiler import PredicateError, compile_predicate
from rules.durations import parse_duration
from rules.facts.catalogue import TAGS, find
from rules.faults import RuleFault, choose
from rules.places import Page
from rules.predicate import Predicate, ends
from rules.rule import Priority, Rule, Scope

REARM = dt.timedelta(days=14)
"""How long a sign rests unless its rule says otherwise."""

_KEYS = (
    *("id", "title", "when", "until", "after", "since", "clock", "stage", "ladder", "rearm", "scope", "priority"),
    *("source", "from", "to"),
)
_TEXTS = ("id", "when", "until", "after", "since", "clock", "stage", "ladder", "rearm", "source")
_STATEFUL = ("watch", "first_absence")
"""The stages whose rules are signs: raised, over, raised again."""
_CHOICES = {
    "since": ("absence", "leave_end", "movement", "term_start", "condition"),
    "clock": ("elapsed", "school"),
    "stage": ("reported", "suspected", "dropped_out", "watch", "first_absence"),
}
_REQUIRED = {
    "reported": ("after", "ladder"),
    "suspected": ("after",),
    "dropped_out": ("after",),
}
_SIGNS_ONLY = ("until", "rearm")
_SCOPE = ("units", "grades", "tags")
_ID = re.compile(r"[\w.-]{1,80}")
_UNTIL = 'such as when = "unexcused_days_20 >= 5" with until = "unexcused_days_20 <= 2"'
_A_DURATION = "such as 48h, 90m or 2d"


@dataclass
class Reading:
    """One `[[rule]]` being read; gathers what is wrong with it."""

    source: str
    written: Page
    number: int
    table: Mapping[str, Any]
    ladders: tuple[str, ...]
    faults: list[RuleFault] = field(default_factory=list)

    def fault(self, key: str, fault: str, hint: str | None = None) -> None:
        """Note a fault of `key`, which may be one within a table: `scope.units`."""
        line = self.written.line(self.number, key.partition(".")[0])
        self.faults.append(RuleFault(self.source, line, f"rule[{self.number}].{key}", fault, hint))

    def rule(self) -> Rule | None:
        """The rule, or None where anything is wrong with it."""
        self._unknown()
        self._missing()
        self._texts()
        self._title()
        after, rearm = self._duration("after", dt.timedelta(0)), self._duration("rearm", self._usual_rest())
        when, until = self._predicate("when"), self._predicate("until")
        scope, priority = self._scope(), self._priority(after)
        first, last = self._day("from"), self._day("to")
        if first is not None and last is not None and first > last:
            self.fault("to", f"{last} is before from, {first}", "the last day on which the rule is in force")
        if when is not None:
            self._sound(when, until)
        if self.faults or when is None or after is None or rearm is None:
            return None
        body = json.dumps(self.table, sort_keys=True, ensure_ascii=False, default=str)
        return Rule(
            rule_id=self.table["id"],
            title=dict(self.table.get("title", {})),
            when=when,
            until=until,
            after=after,
            since=self._since(),
            school_time=self.table.get("clock", "elapsed") == "school",
            stage=self.table["stage"],
            ladder=self.table.get("ladder"),
            rearm=rearm,
            scope=scope,
            priority=priority,
            law=self.table.get("source"),
            first=first,
            last=last,
            source=self.source,
            line=self.written.line(self.number, ""),
            version=_version(body),
            body=body,
        )

    def _text(self, key: str) -> str | None:
        value = self.table.get(key)
        return value if isinstance(value, str) else None

    def _since(self) -> str:
        usual = "condition" if self.table.get("stage") == "watch" else "absence"
        return self._text("since") or usual

    def _usual_rest(self) -> dt.timedelta:
        return dt.timedelta(0) if self._since() == "absence" else REARM

    # ---- keys ---------------------------------------------------------------------------------------------------

    def _unknown(self) -> None:
        for key in sorted(set(self.table) - set(_KEYS)):
            self.fault(key, "unknown key", choose(key, _KEYS, "keys"))

    def _missing(self) -> None:
        stage = self._text("stage")
        for key in ("id", "when", "stage"):
            if key not in self.table:
                self.fault(key, "missing", f"every rule needs {key}")
        for key in _REQUIRED.get(stage or "", ()):
            if key not in self.table:
                self.fault(key, "missing", f"a rule of stage {stage} needs {key}")
        if stage not in _STATEFUL and stage in _CHOICES["stage"]:
            for key in (*_SIGNS_ONLY, "priority") if stage == "reported" else _SIGNS_ONLY:
                if key in self.table:
                    self.fault(key, f"means nothing in a rule of stage {stage}", _INSTEAD[key])
            if self._text("since") in set(_CHOICES["since"]) - {"absence"}:
                self.fault("since", f"a rule of stage {stage} counts from the absence", 'write since = "absence"')
        elif stage == "watch" and "since" not in self.table and self._waits():
            self.fault("since", "missing: after must count from something", f"one of: {', '.join(_CHOICES['since'])}")

    def _waits(self) -> bool:
        return bool(parse_duration(self._text("after") or "", zero=True))

    def _texts(self) -> None:
        for key in _TEXTS:
            if key in self.table and self._text(key) is None:
                self.fault(key, "is not text", f'write {key} = "…"')
        for key, choices in _CHOICES.items():
            value = self._text(key)
            if value is not None and value not in choices:
                self.fault(key, f"'{value}' is not known", choose(value, choices, "one of"))
        rule_id = self._text("id")
        if rule_id is not None and not _ID.fullmatch(rule_id):
            self.fault("id", "is not a plain word", "letters, digits, - and _, such as absent-48h")
        ladder = self._text("ladder")
        if ladder is not None and ladder not in self.ladders:
            self.fault("ladder", f"no ladder '{ladder}'", self._ladder_hint(ladder))

    def _ladder_hint(self, ladder: str) -> str:
        if not self.ladders:
            return "add a [[ladder]] to the configuration"
        return choose(ladder, self.ladders, "configured")

    def _title(self) -> None:
        title = self.table.get("title", {})
        spoken = isinstance(title, dict) and not set(title) - {"zh", "en"}
        if not spoken or not all(isinstance(one, str) and one.strip() for one in title.values()):
            self.fault("title", "is not a pair of languages", 'title = { zh = "…", en = "…" }')

    def _duration(self, key: str, usual: dt.timedelta) -> dt.timedelta | None:
        """How long `key` says, or what is usual; None where it cannot be read."""
        text = self._text(key)
        if text is None:
            return usual
        span = parse_duration(text, zero=self.table.get("stage") in _STATEFUL)
        if span is None:
            self.fault(key, f"'{text}' is not a duration", _A_DURATION)
        return span

    def _day(self, key: str) -> dt.date | None:
        value = self.table.get(key)
        if value is None:
            return None
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            self.fault(key, "is not a date", f"write {key} = 2026-09-01, without quotes")
            return None
        return value

    # ---- what it says -------------------------------------------------------------------------------------------

    def _predicate(self, key: str) -> Predicate | None:
        text = self._text(key)
        if text is None:
            return None
        try:
            return compile_predicate(text)
        except PredicateError as error:
            where = f" at column {error.column}" if error.column else ""
            line = self.written.line_within(self.number, key, text, error.line)
            place = f"rule[{self.number}].{key}"
            self.faults.append(RuleFault(self.source, line, place, f"{error.fault}{where}", error.hint))
            return None

    def _sound(self, when: Predicate, until: Predicate | None) -> None:
        """A sign can be over; and a report rests on the run alone, for other facts may change while its clock runs."""
        if until is not None and not ends(when, until):
            self.fault("until", "is never true once `when` is not, so the sign would stand for ever", _UNTIL)
        for name in sorted(when.facts) if self._text("stage") == "reported" else ():
            fact = find(name)
            if fact is not None and not (fact.of_run or fact.trait):
                hint = 'absent_days, absent_sessions, grade, boarding and tags may; stage = "watch" takes any fact'
                self.fault("when", f"a report cannot rest on {name}", hint)

    def _scope(self) -> Scope:
        if "scope" not in self.table:
            return Scope()
        inside = self._inside(
            "scope", _SCOPE, 'scope = { units = ["sch-1"], grades = ["九年级"], tags = ["left_behind"] }'
        )
        if inside is None:
            return Scope()
        if not inside:
            self.fault("scope", "is empty, so it covers nobody", "leave it out to cover every child")
        words = {key: self._words(f"scope.{key}", inside[key]) for key in _SCOPE if key in inside}
        return Scope(words.get("units", ()), words.get("grades", ()), _tags(words.get("tags", ())))

    def _priority(self, after: dt.timedelta | None) -> Priority | None:
        if "priority" not in self.table:
            return None
        example = 'priority = { tags = ["left_behind"], after = "24h" }'
        inside = self._inside("priority", ("tags", "after"), example)
        if inside is None:
            return None
        for key in ("tags", "after"):
            if key not in inside:
                self.fault(f"priority.{key}", "missing", example)
        tags = self._words("priority.tags", inside["tags"]) if "tags" in inside else ()
        return Priority(_tags(tags), self._sooner(inside["after"], after) if "after" in inside else dt.timedelta(0))

    def _sooner(self, text: object, after: dt.timedelta | None) -> dt.timedelta:
        """How long a priority group waits."""
        sooner = parse_duration(text, zero=True) if isinstance(text, str) else None
        if sooner is None:
            self.fault("priority.after", f"'{text}' is not a duration", _A_DURATION)
        elif after is not None and sooner >= after:
            self.fault("priority.after", "is no shorter than after", "priority groups wait less than the others")
        return sooner or dt.timedelta(0)

    def _inside(self, key: str, known: tuple[str, ...], example: str) -> Mapping[str, Any] | None:
        """The keys of a table within the rule; None where it is none."""
        value = self.table[key]
        if not isinstance(value, dict):
            self.fault(key, "is not a table", f"write {example}")
            return None
        for name in sorted(set(value) - set(known)):
            self.fault(f"{key}.{name}", "unknown key", choose(name, known, "keys"))
        return value

    def _words(self, key: str, value: object) -> tuple[str, ...]:
        """A list of words; a grade may be written as a number."""
        numbers = key == "scope.grades"
        listed = value if isinstance(value, list) else []
        words = [str(one) if numbers and type(one) is int else one for one in listed]
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in words):
            self.fault(key, "is not a list of words", f'write {key.partition(".")[2]} = ["…", "…"]')
            return ()
        if not words:
            self.fault(key, "is empty, so it covers nobody", "leave it out to leave nobody out")
        return tuple(dict.fromkeys(words))


_TAGS_ZH = {alias: tag for tag, alias in TAGS.items()}


def _tags(words: Iterable[str]) -> tuple[str, ...]:
    """Tags as the roster has them, which may be written in Chinese."""
    return tuple(_TAGS_ZH.get(word, word) for word in words)


_INSTEAD = {
    "until": "leave it out: a report is over when the child is seen",
    "rearm": "leave it out: a report is raised again when the child was seen and is absent again",
    "priority": "write a second rule with a shorter after and scope = { tags = […] }",
}


def _version(body: str) -> str:
    """A short name of everything a rule says, in whatever order it is written."""
    return hashlib.sha256(body.encode()).hexdigest()[:12]
