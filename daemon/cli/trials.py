"""A backtest's document as tables on the terminal; knows the document only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from daemon.cli.language import Said, in_words, worded
from daemon.cli.output import print_table, say

Document = Mapping[str, Any]
Records = list[dict[str, Any]]

SHOWN = ("children", "episodes", "alerts", "precision", "lift", "recall", "lead", "back")
CHANGED = ("alerts", "precision", "recall", "lead")
FACTS = {
    "fact": ("指标", "fact"),
    "auc": ("AUC", "AUC"),
    "followed": ("其后有结局", "outcome followed"),
    "others": ("其后无结局", "none followed"),
}
DIFFERENCES = {
    "rule": ("规则", "rule"),
    "both": ("两者都标记", "both"),
    "only_old": ("仅原规则", "only the old"),
    "only_new": ("仅新规则", "only the new"),
    "moved": ("时刻不同", "other instant"),
}
CHILDREN = {
    "rule": ("规则", "rule"),
    "student": ("学籍号", "student"),
    "old": ("原首次标记", "old first flag"),
    "new": ("新首次标记", "new first flag"),
}
TELLING = ("only_old", "only_new", "moved")
MOST_FACTS, MOST_CHILDREN = 12, 50


def print_trial(document: Document) -> None:
    """The figures of every rule, why some are lacking, the facts that say most, and how two rule files differ."""
    for words in _summary(document):
        click.echo(words)
    names = {figure["key"]: (figure["zh"], figure["en"]) for figure in document["definitions"]}
    columns = {"rule": ("规则", "rule")} | {key: names[key] for key in SHOWN}
    raised = [rule for rule in document["rules"] if rule["figures"]["episodes"]]
    silent = [rule["rule"] for rule in document["rules"] if rule not in raised]
    if raised:
        print_table([_row(rule) for rule in raised], columns)
    for words in _lacking(raised, names):
        click.echo(words)
    if silent:
        say(f"未标记任何学生：{', '.join(silent)}", f"raised of nobody: {', '.join(silent)}")
    facts = _telling(document["facts"])
    if facts:
        print_table(facts, FACTS, ("指标对结局的区分力", "how well facts tell who comes to an outcome"))
    if document["against"]:
        _print_differences(document["against"], names)


def _print_differences(against: Document, names: Mapping[str, Said]) -> None:
    """What differs, rule by rule and child by child; rules that say the same are only named."""
    differing = [one for one in against["differences"] if any(_counts(one)[key] for key in TELLING)]
    same = [one["rule"] for one in against["differences"] if one not in differing]
    if differing:
        columns = DIFFERENCES | {key: names[key] for key in CHANGED}
        title = (f"与 {against['rules']} 相比", f"against {against['rules']}")
        print_table([_difference(one) for one in differing], columns, title)
    children = list(_children(differing))
    if children:
        print_table(children[:MOST_CHILDREN], CHILDREN, ("逐名学生", "child by child"))
    if len(children) > MOST_CHILDREN:
        more = len(children) - MOST_CHILDREN
        say(f"… 另有 {more} 行，见 --json", f"… {more} more rows, see --json")
    if same:
        say(f"与 {against['rules']} 无差别：{', '.join(same)}", f"no child differs by: {', '.join(same)}")


def _summary(document: Document) -> Iterator[str]:
    outcomes, base = document["outcomes"], document["base_rate"]
    horizon = f"{worded('观察期', 'horizon')} {document['horizon_days']:g}d"
    yield f"{document['from'][:16]} – {document['to'][:16]}, {horizon}"
    yield (
        f"{worded('学生', 'children')} {document['children']}, "
        f"{worded('人周', 'child-weeks')} {document['child_weeks']:.0f}, "
        f"{worded('出现结局', 'with an outcome')} {outcomes['in_span']}, {worded('基础率', 'base rate')} {_shown(base)}"
    )
    if outcomes["of_unknown_children"]:
        lost = worded("结局中不在名单的学生", "outcomes of children who are on no roster")
        yield f"{lost}: {outcomes['of_unknown_children']}"


def _row(rule: Mapping[str, Any]) -> dict[str, Any]:
    figures = rule["figures"]
    row = {"rule": rule["rule"]} | {key: _shown(figures[key]) for key in SHOWN}
    row["precision"] += _within(figures["precision"])
    if figures["lead_lower"] is not None:
        row["lead"] += f" ({figures['lead_lower']:.0f}–{figures['lead_upper']:.0f})"
    return row


def _shown(found: Any) -> str:  # noqa: ANN401 - a number, none, or a share
    if isinstance(found, Mapping):
        found = found["value"]
        return "–" if found is None else f"{found:.1%}"
    if found is None:
        return "–"
    return f"{found:,}" if isinstance(found, int) else f"{found:,.1f}"


def _within(share: Mapping[str, Any]) -> str:
    """The interval of a share."""
    return f" ({share['low']:.0%}–{share['high']:.0%}, n={share['of']})" if share["of"] else ""


def _lacking(rules: Sequence[Mapping[str, Any]], names: Mapping[str, Said]) -> Iterator[str]:
    """Why figures are lacking, each reason once with the rules it is true of."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for rule in rules:
        for key, why in rule["why"].items():
            if key in SHOWN:
                found.setdefault((key, why["zh"], why["en"]), []).append(rule["rule"])
    for (key, zh, en), theirs in found.items():
        of = "" if len(theirs) == len(rules) else f" ({', '.join(theirs)})"
        yield f"– {in_words(names[key])}{of}: {worded(zh, en)}"


def _telling(facts: Sequence[Mapping[str, Any]]) -> Records:
    known = [fact for fact in facts if fact["auc"] is not None]
    known.sort(key=lambda fact: (-abs(fact["auc"] - 0.5), fact["fact"]))
    return [
        {
            "fact": worded(f"{fact['zh']} {fact['fact']}", fact["fact"]),
            "auc": f"{fact['auc']:.3f}",
            "followed": fact["followed"],
            "others": fact["others"],
        }
        for fact in known[:MOST_FACTS]
    ]


def _difference(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"rule": one["rule"]} | _counts(one) | {key: _change(one["figures"][key], key) for key in CHANGED}


def _counts(one: Mapping[str, Any]) -> dict[str, int]:
    return {key: len(one[key]) for key in ("both", "only_old", "only_new", "moved")}


def _children(differences: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Those whom only one of the two rules flags, or both at different times."""
    for one in differences:
        for child in (child for key in TELLING for child in one[key]):
            yield {"rule": one["rule"], **child, "old": child["old"] or "–", "new": child["new"] or "–"}


def _change(change: Mapping[str, float | None], key: str) -> str:
    share = key in {"precision", "recall"}
    old, new = (_shown({"value": one} if share else one) for one in (change["old"], change["new"]))
    return f"{old} → {new}"
