"""The figures of a backtest equal their plain definitions, child by child and flag by flag."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.backtest.cohort import AWAY, BACK, UNHEARD, Cohort, gather, seen_next, weekly
from rules.backtest.compare import compare
from rules.backtest.figures import FIGURES
from rules.backtest.flags import Flag, Looks
from rules.backtest.ranks import rank, rankings
from rules.backtest.score import Score, Share, baseline, score
from rules.instants import EPOCH, NEVER, from_micros, span, to_micros
from tests.rules.small import DAY, HOUR, calendar, register_of
from tests.table import instant

DAYS = span(DAY)
SPAN = 60
RULE = "absent-48h"


@dataclass(frozen=True)
class Life:
    """One child in whole days: at risk from … to …, its outcome, its flags, and whether it came back after each."""

    enters: int
    leaves: int
    outcome: int | None
    flags: tuple[tuple[int, int], ...]

    @property
    def ends(self) -> int:
        return self.leaves if self.outcome is None else min(self.leaves, self.outcome)

    @property
    def at_risk(self) -> bool:
        return self.ends > self.enters

    @property
    def counts(self) -> bool:
        return self.at_risk and self.outcome is not None and self.outcome <= SPAN

    def follows(self, day: int, horizon: int) -> bool:
        return self.outcome is not None and day < self.outcome <= day + horizon

    def before(self) -> list[int]:
        return [day for day, _ in self.flags if self.outcome is None or day < self.outcome]


days = st.integers(0, SPAN)
lives = st.builds(
    Life,
    days,
    days,
    st.none() | st.integers(0, SPAN + 20),
    st.lists(st.tuples(days, st.sampled_from([BACK, AWAY, UNHEARD])), max_size=4).map(lambda f: tuple(sorted(f))),
)
worlds = st.lists(lives, min_size=1, max_size=12)
horizons = st.integers(1, 30)
untils = st.integers(SPAN, SPAN + 20)


def day(number: int) -> dt.datetime:
    return EPOCH + number * DAY


def cohort_of(children: list[Life], until: int) -> Cohort:
    def column(numbers: list[int | None]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array([NEVER if one is None else one * DAYS for one in numbers], np.int64)

    enters = column([child.enters if child.at_risk else 0 for child in children])
    leaves = column([child.ends if child.at_risk else 0 for child in children])
    return Cohort(0, SPAN * DAYS, until * DAYS, enters, leaves, column([child.outcome for child in children]))


def flag(row: int, at: dt.datetime, rule: str = RULE) -> Flag:
    return Flag(rule, "1", row, f"s-{row}", 1, at, at, "report", unconfirmed=row % 2 == 0)


def scored(children: list[Life], horizon: int, until: int) -> Score:
    flags = [(row, on, back) for row, child in enumerate(children) for on, back in child.flags]
    cohort, length = cohort_of(children, until), horizon * DAY
    answers = np.array([back for *_, back in flags], np.int8)
    raised = [flag(row, day(on)) for row, on, _ in flags]
    return score(RULE, raised, cohort, baseline(cohort, length), length, lambda *_: answers)


@given(worlds, horizons, untils)
def test_what_followed_a_flag_is_counted_one_flag_at_a_time(children: list[Life], horizon: int, until: int) -> None:
    found = scored(children, horizon, until)
    flags = [(child, on) for child in children for on, _ in child.flags]
    late = [one for one in flags if one[0].outcome is not None and one[1] >= one[0].outcome]
    on_time = [one for one in flags if one not in late]
    judged = [one for one in on_time if one[1] + horizon <= until]
    assert found.precision == Share(sum(child.follows(on, horizon) for child, on in judged), len(judged))
    assert (found.late, found.cut_off) == (len(late), len(on_time) - len(judged))
    assert (found.children, found.episodes) == (sum(bool(child.flags) for child in children), len(flags))
    assert found.unconfirmed == sum(len(child.flags) for child in children[::2])
    backs = [back for child in children for _, back in child.flags]
    assert found.back == Share(backs.count(BACK), len(backs) - backs.count(UNHEARD))
    assert found.unheard == backs.count(UNHEARD)
    assert found.weekly.tolist() == [
        sum(min(on // 7, (SPAN - 1) // 7) == week for _, on in flags) for week in range(-(-SPAN // 7))
    ]


@given(worlds, horizons, untils)
def test_the_base_rate_looks_at_every_child_at_risk_once_a_week(children: list[Life], horizon: int, until: int) -> None:
    found = scored(children, horizon, until).baseline
    looks = [(child, on) for child, on in product(children, range(7, SPAN + 1, 7)) if child.enters <= on < child.ends]
    judged = [one for one in looks if one[1] + horizon <= until]
    assert found.looks == Share(sum(child.follows(on, horizon) for child, on in judged), len(judged))
    assert found.cut_off == len(looks) - len(judged)
    assert found.children == sum(child.at_risk for child in children)
    assert found.child_weeks == pytest.approx(sum(child.ends - child.enters for child in children if child.at_risk) / 7)
    assert found.outcomes == sum(child.counts for child in children)


@given(worlds, horizons, untils)
def test_recall_and_lead_time_are_of_the_children_whose_outcome_came(
    children: list[Life], horizon: int, until: int
) -> None:
    found = scored(children, horizon, until)
    gone = [child for child in children if child.counts]
    caught = [child for child in gone if child.before()]
    within = [child for child in caught if any(child.follows(on, horizon) for on, _ in child.flags)]
    assert found.recall == Share(len(caught), len(gone))
    assert found.recall_within == Share(len(within), len(gone))
    leads = sorted(child.outcome - child.before()[0] for child in caught if child.outcome is not None)
    assert list(found.lead.days) == leads
    assert found.lead.median == (pytest.approx(np.median(leads)) if leads else None)


@given(worlds, horizons, untils)
def test_rates_are_what_they_are_made_of_and_none_where_there_is_nothing(
    children: list[Life], horizon: int, until: int
) -> None:
    found = scored(children, horizon, until)
    weeks, base = found.baseline.child_weeks, found.baseline.looks.value
    assert found.alerts == (pytest.approx(1_000 * found.episodes / weeks) if weeks else None)
    if found.precision.value is None or not base:
        assert found.lift is None
    else:
        assert found.lift == pytest.approx(found.precision.value / base)


def test_nothing_to_divide_by_is_no_figure_and_says_why() -> None:
    found = scored([Life(0, 0, None, ())], 10, SPAN)
    lacking = [figure for figure in FIGURES if figure.number(found) is None]
    assert [figure.key for figure in lacking if not figure.key.startswith("lead")] == [
        "alerts",
        "precision",
        "base_rate",
        "lift",
        "recall",
        "recall_within",
        "back",
    ]
    assert all(figure.lacking and figure.lacking_zh for figure in lacking)


def test_quartiles_need_four_children() -> None:
    three = [Life(0, SPAN, 40, ((on, BACK),)) for on in (10, 20, 30)]
    assert scored(three, 10, SPAN).lead.quartiles is None
    assert scored([*three, Life(0, SPAN, 40, ((0, BACK),))], 10, SPAN).lead.quartiles == (17.5, 32.5)


# ---- intervals and ranks --------------------------------------------------------------------------------------------


def test_wilsons_interval_is_that_of_the_books() -> None:
    assert Share(1, 10).interval == pytest.approx((0.0178762, 0.4041500), abs=1e-6)
    assert Share(0, 0).interval is None


@given(st.integers(1, 200).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_wilsons_interval_holds_the_share_and_stays_within_nought_and_one(counted: tuple[int, int]) -> None:
    share = Share(*counted)
    assert share.interval is not None
    assert share.value is not None
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40))
def test_the_area_is_the_share_of_pairs_put_in_the_right_order(looks: list[tuple[int, bool]]) -> None:
    values, followed = np.array([v for v, _ in looks], np.float64), np.array([f for _, f in looks], np.bool_)
    found = rank("x", values, followed)
    pairs = [(a, b) for a, b in product(values[followed], values[~followed])]
    right = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs)
    assert found.area == (pytest.approx(right / len(pairs)) if pairs else None)
    assert (found.followed, found.others) == (followed.sum(), (~followed).sum())
    if pairs:
        under = np.trapezoid(found.curve[:, 1], found.curve[:, 0])
        assert under == pytest.approx(found.area)
        assert found.curve[-1].tolist() == [1, 1]


@given(worlds, horizons, untils, st.data())
def test_a_fact_is_ranked_over_looks_at_children_at_risk_whose_horizon_has_passed(
    children: list[Life], horizon: int, until: int, drawn: st.DataObject
) -> None:
    looks = [(row, on) for row in range(len(children)) for on in range(7, SPAN + 1, 7)]
    values = drawn.draw(st.lists(st.integers(0, 3), min_size=len(looks), max_size=len(looks)))
    kept = [
        (value, children[row].follows(on, horizon))
        for (row, on), value in zip(looks, values, strict=True)
        if children[row].enters <= on < children[row].ends and on + horizon <= until
    ]
    seen = Looks(
        np.array([on * DAYS for _, on in looks], np.int64),
        np.array([row for row, _ in looks], np.int32),
        {"x": np.array(values, np.float64)},
    )
    (found,) = rankings(seen, cohort_of(children, until), horizon * DAYS)
    plain = rank("x", np.array([v for v, _ in kept], np.float64), np.array([f for _, f in kept], np.bool_))
    assert (found.area, found.followed, found.others) == (plain.area, plain.followed, plain.others)


def test_looks_are_a_week_apart_and_begin_a_week_after_the_start() -> None:
    assert (weekly(0, 21 * DAYS) // DAYS).tolist() == [7, 14, 21]
    assert weekly(0, 6 * DAYS).tolist() == []


# ---- who is at risk, who came back ----------------------------------------------------------------------------------


def test_a_child_is_at_risk_from_the_first_session_heard_of_to_the_last_or_its_outcome() -> None:
    register = register_of("--PPA?----", "P---------", "----------", "PPPPPPPPPP", known=calendar())
    start, end = instant("Mon 00:00"), instant("Fri 00:00", week=1)
    found = gather(register, {3: to_micros(instant("Wed 09:00"))}, start, end, end)

    def at(micros: int) -> str:
        return from_micros(micros).astimezone(calendar().zone).strftime("%a %H:%M")

    spans = [(at(a), at(b)) for a, b in zip(found.enters, found.leaves, strict=True) if b > a]
    # The class's roll was called all week, so that something is heard even of those it does not name.
    assert spans == [("Mon 08:00", "Fri 17:00")] * 3 + [("Mon 08:00", "Wed 09:00")]


def test_the_span_cuts_the_time_at_risk_and_an_outcome_before_it_leaves_none() -> None:
    register = register_of("PPPPPPPPPP", "PPPPPPPPPP")
    start, end = instant("Tue 00:00"), instant("Thu 00:00")
    found = gather(register, {1: to_micros(instant("Mon 12:00"))}, start, end, end)
    assert found.child_weeks == pytest.approx(2 / 7)
    assert found.at_risk.tolist() == [True, False]


def test_whoever_is_seen_in_the_next_session_is_back() -> None:
    register = register_of("AP", "AA", "A-", "A?", "AL", "AT")
    at = np.full(6, to_micros(instant("Mon 11:50")), np.int64)
    later = to_micros(instant("Fri 20:00"))
    found = seen_next(register, np.arange(6), at, later)
    assert found.tolist() == [BACK, AWAY, UNHEARD, UNHEARD, AWAY, BACK]
    assert seen_next(register, np.arange(0), at[:0], later).tolist() == []


def test_the_next_session_begins_at_the_flag_or_after_it() -> None:
    register = register_of("PA")
    at = np.array([to_micros(instant(text)) for text in ("Mon 08:00", "Mon 08:01", "Mon 14:00")], np.int64)
    assert seen_next(register, np.zeros(3, np.intp), at, to_micros(instant("Fri 20:00"))).tolist() == [BACK, AWAY, AWAY]


# ---- two rule files -------------------------------------------------------------------------------------------------


def test_two_rule_files_differ_child_by_child_with_the_first_instants() -> None:
    early, late = instant("Mon 10:00"), instant("Mon 10:00") + 5 * HOUR
    old = [flag(0, late), flag(0, early), flag(1, early), flag(3, early, "other")]
    new = [flag(0, late), flag(2, late)]
    (found,) = compare([RULE], old, new)
    assert [(one.student, one.old, one.new) for one in found.both] == [("s-0", early, late)]
    assert [(one.student, one.old, one.new) for one in found.only_old] == [("s-1", early, None)]
    assert [(one.student, one.old, one.new) for one in found.only_new] == [("s-2", None, late)]
