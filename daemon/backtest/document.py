"""Everything a backtest found as one plain document: what `--json` prints and the page is drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from daemon.jobs.lines import local
from rules.backtest.compare import Comparison, Differing, compare
from rules.backtest.figures import FIGURES, Figure
from rules.backtest.ranks import Ranking
from rules.backtest.score import DAY, Score, Share
from rules.backtest.trial import Exam, Flagged, Trial
from rules.facts.catalogue import find
from rules.instants import NEVER
from rules.rule import Rule

CURVE_POINTS = 60
"""Points of a curve worth keeping: more make no visible difference."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One rulebook's trial, and the file or files the rules came from."""

    trial: Trial
    source: str


def document(tried: Tried, exam: Exam, zone: ZoneInfo, outcomes_from: str, against: Tried | None) -> dict[str, Any]:
    """The document; instants are local to `zone`, children are ids."""
    trial = tried.trial
    return {
        "from": local(exam.start, zone),
        "to": local(exam.end, zone),
        "known_until": local(exam.until, zone),
        "horizon_days": exam.horizon / dt.timedelta(days=1),
        "rules_from": tried.source,
        "children": trial.baseline.children,
        "child_weeks": round(trial.baseline.child_weeks, 3),
        "outcomes": _outcomes(trial, exam, outcomes_from),
        "base_rate": _share(trial.baseline.looks),
        "looks_cut_off": trial.baseline.cut_off,
        "rules": [_rule(rule, trial, zone) for rule in trial.rulebook.rules.values()],
        "facts": [_fact(one) for one in trial.rankings],
        "definitions": [_definition(figure) for figure in FIGURES],
        "against": None if against is None else _against(trial, against, zone),
    }


def _outcomes(trial: Trial, exam: Exam, source: str) -> dict[str, Any]:
    """How many outcomes were given, of whom, and how many count."""
    known = int((trial.cohort.outcome != NEVER).sum())
    return {
        "source": source,
        "given": len(exam.outcomes),
        "of_unknown_children": len(exam.outcomes) - known,
        "in_span": trial.baseline.outcomes,
    }


def _rule(rule: Rule, trial: Trial, zone: ZoneInfo) -> dict[str, Any]:
    score = trial.scores[rule.rule_id]
    return {
        "rule": rule.rule_id,
        "title": {"zh": rule.title.get("zh"), "en": rule.title.get("en")},
        "version": rule.version,
        "when": rule.when.text,
        "after": f"{rule.after.total_seconds() / 3600:g}h",
        "stage": rule.stage,
        "ladder": rule.ladder,
        "file": rule.source,
        "figures": {figure.key: _figure(figure, score) for figure in FIGURES},
        "why": {
            figure.key: {"zh": figure.lacking_zh, "en": figure.lacking}
            for figure in FIGURES
            if figure.number(score) is None
        },
        "lead_days": [round(one, 3) for one in score.lead.days],
        "weekly": score.weekly.tolist(),
        "flagged": [_flagged(one, zone) for one in trial.flagged[rule.rule_id]],
    }


def _figure(figure: Figure, score: Score) -> Any:  # noqa: ANN401 - a number, none, or a share
    found = figure.of(score)
    if isinstance(found, Share):
        return _share(found)
    return round(found, 3) if isinstance(found, float) else found


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval or (None, None)
    return {
        "value": _rounded(share.value),
        "hits": share.hits,
        "of": share.of,
        "low": _rounded(low),
        "high": _rounded(high),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)


def _flagged(one: Flagged, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "student": one.student,
        "first": local(one.first, zone),
        "last": local(one.last, zone),
        "times": one.times,
        "outcome": local(one.outcome, zone),
        "lead_days": None if one.lead is None else round(one.lead / dt.timedelta(microseconds=DAY), 3),
    }


def _fact(one: Ranking) -> dict[str, Any]:
    fact = find(one.fact)
    step = max(1, len(one.curve) // CURVE_POINTS)
    curve = [*one.curve[:-1:step].tolist(), one.curve[-1].tolist()]
    return {
        "fact": one.fact,
        "zh": one.fact if fact is None else fact.alias,
        "auc": _rounded(one.area),
        "followed": one.followed,
        "others": one.others,
        "curve": [[round(x, 4), round(y, 4)] for x, y in curve],
    }


def _definition(figure: Figure) -> dict[str, str]:
    return {
        "key": figure.key,
        "zh": figure.zh,
        "en": figure.en,
        "unit": figure.unit,
        "meaning": figure.meaning,
        "meaning_zh": figure.meaning_zh,
    }


def _against(new: Trial, old: Tried, zone: ZoneInfo) -> dict[str, Any]:
    rules = list(dict.fromkeys([*new.rulebook.rules, *old.trial.rulebook.rules]))
    compared = compare(rules, old.trial.flags, new.flags)
    return {"rules": old.source, "differences": [_difference(one, new, old.trial, zone) for one in compared]}


def _difference(one: Comparison, new: Trial, old: Trial, zone: ZoneInfo) -> dict[str, Any]:
    """How one rule's children and figures differ; `moved` are those of `both` whose first flag came at another time."""
    return {
        "rule": one.rule,
        "versions": {"old": _version(old, one.rule), "new": _version(new, one.rule)},
        "figures": {
            figure.key: _change(figure, old.scores.get(one.rule), new.scores.get(one.rule)) for figure in FIGURES
        },
        "both": _children(one.both, zone),
        "moved": _children((child for child in one.both if child.old != child.new), zone),
        "only_old": _children(one.only_old, zone),
        "only_new": _children(one.only_new, zone),
    }


def _version(trial: Trial, rule: str) -> str | None:
    found = trial.rulebook.rules.get(rule)
    return found.version if found is not None else None


def _change(figure: Figure, old: Score | None, new: Score | None) -> dict[str, float | None]:
    before = figure.number(old) if old is not None else None
    after = figure.number(new) if new is not None else None
    change = None if before is None or after is None else after - before
    return {"old": _rounded(before), "new": _rounded(after), "difference": _rounded(change)}


def _children(children: Iterable[Differing], zone: ZoneInfo) -> list[Mapping[str, str | None]]:
    return [{"student": one.student, "old": local(one.old, zone), "new": local(one.new, zone)} for one in children]
