"""A backtest of a small class: the figures one counts by hand, the page and the notices made of them."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from daemon.backtest.notices import notices
from daemon.backtest.past import house_of_files
from daemon.backtest.run import Answer, Question, backtest
from daemon.config import Config, ConfigError, load_config
from daemon.console.backtest import MOST_BINS, lead_histogram, number, percent, render_backtest, week_histogram
from daemon.settings import build_calendar
from rules.history import History, MovementKnown
from rules.instants import to_micros
from rules.register import Movement, Spell
from rules.rolls import Rolls
from rules.traits import unknown
from tests import dropouts
from tests.county import DAY, World, write_feeds
from tests.table import instant

if TYPE_CHECKING:
    from pathlib import Path

WATCHED = """
[[rule]]
id = "two-of-20"
title = { zh = "二十日内旷课两天", en = "Two days missed of twenty" }
when = "unexcused_days_20 >= 2"
after = "0h"
since = "condition"
stage = "watch"
ladder = "statutory"
"""


def history_of(world: World, config: Config) -> History:
    """The marks and movements of a world as they became known; its one class is 0."""
    calendar = build_calendar(config)
    rows = {child.child_id: row for row, child in enumerate(world.children)}
    places = {(row.date, row.session, row.recorded_at): None for row in world.marks}
    number_of = {place: n for n, place in enumerate(places)}
    known = [to_micros(at) for _, _, at in places if at is not None]
    columns = [calendar.column(0, day, session) for day, session, _ in places]
    count = len(places)
    rolls = Rolls(
        np.zeros(count, np.int32),
        np.array(columns, np.int32),
        np.array(known, np.int64),
        np.ones(count, np.int32),
        np.full(count, 2, np.int32),
        np.zeros(count, np.bool_),
        np.array([number_of[row.date, row.session, row.recorded_at] for row in world.marks], np.int32),
        np.array([rows[row.child] for row in world.marks], np.int32),
        np.array([int(row.mark) for row in world.marks], np.uint8),
    )
    movements = [
        MovementKnown(rows[row.child], Movement(row.kind, row.at, evidence=False), row.recorded_at or row.at)
        for row in world.movements
    ]
    return History(
        calendar=calendar,
        students=list(rows),
        spells=[[Spell(0, None)] for _ in rows],
        class_ids=["k-1"],
        school_ids=["sch-1"],
        variants=[0],
        rolls=rolls,
        known_at=np.array(known, np.int64),
        traits=unknown(len(rows)),
        movements=movements,
    )


class Class:
    """The small class in a folder, and what is asked of its past."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = dropouts.world()
        (folder / "watch.toml").write_text(WATCHED, encoding="utf-8")
        self.config = load_config(write_feeds(self.world, folder), {})
        self.history = history_of(self.world, self.config)

    def ask(self, **asked: Any) -> Answer:  # noqa: ANN401 - the fields of a question
        question = replace(Question(self.world.start, self.world.end, 7 * DAY), **asked)
        return backtest(self.config, self.history, question, self.world.end)

    def rule(self, name: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
        rules = self.ask(**asked).document["rules"]
        return next(dict(rule) for rule in rules if rule["rule"] == name)


@pytest.fixture
def six(tmp_path: Path) -> Class:
    return Class(tmp_path)


def counted(share: dict[str, Any]) -> tuple[int, int]:
    return share["hits"], share["of"]


# ---- figures --------------------------------------------------------------------------------------------------------


def test_children_flagged_are_named_with_first_instant_and_lead(six: Class) -> None:
    found = {one["student"]: one for one in six.rule("absent-48h")["flagged"]}
    assert list(found) == ["ill", "gone", "away", "late"]
    assert found["gone"]["first"] == "2026-04-01T08:10:00+08:00"
    assert found["gone"]["outcome"] == "2026-04-13T12:00:00+08:00"
    assert found["gone"]["lead_days"] == pytest.approx(12 + (3 + 5 / 6) / 24, abs=0.001)
    assert found["ill"]["outcome"] is None


def test_precision_leaves_out_what_the_data_are_too_short_for(six: Class) -> None:
    week, fortnight = six.rule("absent-48h"), six.rule("absent-48h", horizon=14 * DAY)
    assert counted(week["figures"]["precision"]) == (0, 3)
    assert counted(fortnight["figures"]["precision"]) == (1, 3)
    assert (week["figures"]["cut_off"], fortnight["figures"]["cut_off"]) == (1, 1)


def test_recall_counts_those_nobody_could_have_seen_coming(six: Class) -> None:
    figures = six.rule("absent-48h")["figures"]
    assert counted(figures["recall"]) == (1, 2)
    assert counted(figures["recall_within"]) == (0, 2)
    assert figures["lead_lower"] is None


def test_who_is_seen_at_the_next_session_is_back(six: Class) -> None:
    assert counted(six.rule("absent-48h")["figures"]["back"]) == (0, 4)


def test_a_figure_that_is_lacking_says_why_in_both_languages(six: Class) -> None:
    why = six.rule("absent-48h", outcomes=str(outcomes(six, "nobody,2026-04-01\n")))["why"]
    assert why["recall"] == {"zh": "时段内没有学生出现结局", "en": "no child has an outcome in the span"}


# ---- other rules, other outcomes ------------------------------------------------------------------------------------


def outcomes(six: Class, rows: str, header: str = "student_id,at\n") -> Path:
    path = six.folder / "outcomes.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_outcomes_of_a_file_take_the_place_of_recorded_drop_outs(six: Class) -> None:
    document = six.ask(outcomes=str(outcomes(six, "away,2026-04-20\nnobody,2026-04-01\n"))).document
    assert (document["outcomes"]["in_span"], document["outcomes"]["of_unknown_children"]) == (1, 1)
    (rule,) = (one for one in document["rules"] if one["rule"] == "absent-48h")
    assert counted(rule["figures"]["recall"]) == (1, 1)


def test_a_table_of_movements_counts_its_drop_outs_only(six: Class) -> None:
    path = outcomes(six, "away,transfer_out,2026-04-20\nlate,drop_out,2026-04-24\n", "student_id,kind,at\n")
    assert six.ask(outcomes=str(path)).document["outcomes"]["in_span"] == 1


@pytest.mark.parametrize(
    ("rows", "header", "fault"),
    [
        ("away,soon\n,2026-04-20\n", "student_id,at\n", ':2 at  "soon" is not an instant – write 2026-03-16 08:10'),
        ("away,2026-04-20\n", "child,at\n", "– its columns are student_id and at"),
    ],
)
def test_an_outcome_nobody_can_read_is_refused_with_its_place(six: Class, rows: str, header: str, fault: str) -> None:
    with pytest.raises(ConfigError) as refused:
        six.ask(outcomes=str(outcomes(six, rows, header)))
    assert fault in str(refused.value)


def test_against_other_rules_each_child_that_differs_is_named(six: Class) -> None:
    file = str(six.folder / "watch.toml")
    later = six.folder / "later.toml"
    later.write_text(WATCHED.replace(">= 2", ">= 5"), encoding="utf-8")
    document = six.ask(rules=str(later), against=file).document
    differences = {one["rule"]: one for one in document["against"]["differences"]}
    assert differences["absent-48h"]["moved"] == []
    ours = differences["two-of-20"]
    assert [one["student"] for one in ours["only_old"]] == ["ill"]
    assert [one["student"] for one in ours["moved"]] == ["away", "gone", "late"]
    assert ours["figures"]["children"] == {"old": 4, "new": 3, "difference": -1}


def test_every_fault_of_both_rule_files_is_told_at_once(six: Class) -> None:
    bad = six.folder / "bad.toml"
    bad.write_text(WATCHED.replace("unexcused_days_20", "unexcused_dais_20"), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        six.ask(rules=str(bad), against=str(six.folder / "none.toml"))
    assert len(refused.value.problems) == 2


def test_a_fact_is_ranked_over_the_weeks(six: Class) -> None:
    document = six.ask(rules=str(six.folder / "watch.toml")).document
    found = {one["fact"]: one for one in document["facts"]}
    # Of the two weekly looks before an outcome one shows a child who had missed two weeks, the other one who had not.
    assert found["unexcused_days_20"]["followed"] == 2
    assert 0.5 < found["unexcused_days_20"]["auc"] < 1


# ---- notices --------------------------------------------------------------------------------------------------------


def test_notices_are_those_of_the_first_rung_with_masked_names(six: Class) -> None:
    answer = six.ask(rules=str(six.folder / "watch.toml"))
    with house_of_files(six.config, six.world.end) as house, house.store.read() as tx:
        lines = list(notices(tx, house, answer.laws, six.history, answer.tried.trial.flags))
    reports = [line for line in lines if line["kind"] == "report"]
    assert {line["student"] for line in reports} == {"ill", "gone", "away", "late"}
    assert [(line["role"], line["channel"]) for line in reports if line["student"] == "gone"] == [
        ("town_government", "sms"),
        ("education_office", "sms"),
        ("mentor", "sms"),
    ]
    text = next(line["text"] for line in reports if line["student"] == "gone")
    assert "3月30日起缺勤无请假" in text
    assert "child" not in text
    assert {line["kind"] for line in lines} == {"report", "risk"}


# ---- the page -------------------------------------------------------------------------------------------------------


class Loads(HTMLParser):
    """Everything a page would fetch, and whether every element is closed."""

    VOID = frozenset({"meta", "br", "rect", "path", "polyline"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.images = 0
        self.titles = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [value or "" for name, value in attrs if name in {"src", "srcset", "data", "action"}]
        self.fetched += (
            [given.get("href") or ""] if tag == "link" or not (given.get("href") or "#").startswith("#") else []
        )
        self.images += tag == "svg" and given.get("role") == "img"
        self.titles += tag == "title"
        assert tag != "script"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(six: Class) -> None:
    file = str(six.folder / "watch.toml")
    page = render_backtest(six.ask(against=file).document)
    found = Loads(page)
    assert found.open == []
    assert found.fetched == []
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert found.images > 0
    assert found.titles == found.images + 1


def test_the_page_escapes_what_a_rule_file_says(six: Class) -> None:
    odd = six.folder / "odd.toml"
    odd.write_text(WATCHED.replace("二十日内旷课两天", "<script>alert(1)</script>"), encoding="utf-8")
    page = render_backtest(six.ask(rules=str(odd)).document)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def test_the_page_of_a_past_in_which_nothing_happened_says_so(six: Class) -> None:
    page = render_backtest(six.ask(start=instant("Mon 00:00"), end=instant("Mon 12:00")).document)
    assert "未标记任何学生的规则" in page
    assert Loads(page).images == 0


@pytest.mark.parametrize("longest", [0.0, 0.5, 13.9, 14.0, 100.0, 1_000.0, 99_999.0])
def test_lead_times_of_any_length_fit_into_a_few_columns(longest: float) -> None:
    drawn = lead_histogram([0.0, longest], longest / 2)
    assert len(drawn.columns) <= MOST_BINS
    assert sum(column.height for column in drawn.columns) == 2
    assert drawn.mark is not None
    assert 0 <= drawn.mark <= 1


def test_weeks_bear_the_names_of_their_months() -> None:
    drawn = week_histogram([1, 0, 37, 2, 0], "2026-03-16T00:00:00+08:00")
    assert [column.label for column in drawn.columns] == ["3月", None, None, "4月", None]
    assert drawn.top == 40
    years = week_histogram([0] * 60, "2025-11-03T00:00:00+08:00")
    assert [column.label for column in years.columns if column.label][:3] == ["11月", "2026年", "3月"]


def test_figures_are_written_as_people_read_them() -> None:
    assert [percent(one) for one in (None, 0.0, 0.004, 0.31)] == ["–", "0%", "0.4%", "31%"]
    assert [number(one) for one in (None, 12_345, 2.0, 2.25, 1234.5)] == ["–", "12,345", "2", "2.2", "1,234"]
