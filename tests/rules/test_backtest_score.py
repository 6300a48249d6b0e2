"""The figures of a backtest equal their plain definitions, child by child and flag by flag."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.backtest.cohort import Cohort, gather
from rules.backtest.compare import compare
from rules.backtest.figures import FIGURES
from rules.backtest.flags import Flag, joined
from rules.backtest.ranks import rank, rankings
from rules.backtest.replay import Looks, Replayed
from rules.backtest.score import Score, Share, baseline, score
from rules.instants import EPOCH, NEVER, span
from tests.rules.small import DAY, HOUR
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
    flags: tuple[tuple[int, bool | None], ...]

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
    st.lists(st.tuples(days, st.sampled_from([True, False, None])), max_size=4).map(
        lambda flags: tuple(sorted(flags, key=lambda one: one[0]))
    ),
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


def flag(row: int, at: dt.datetime, rule: str = RULE, back: bool | None = None) -> Flag:  # noqa: FBT001 - as in Flag
    return Flag(rule, "1", row, f"s-{row}", 1, at, at, "report", row % 2 == 0, back)


def weekly(children: list[Life], **values: list[int]) -> Looks:
    """All children looked at once a week."""
    looks = [(row, on) for on in range(7, SPAN + 1, 7) for row in range(len(children))]
    return Looks(
        np.array([on * DAYS for _, on in looks], np.int64),
        np.array([row for row, _ in looks], np.int32),
        {name: np.array(found, np.float32) for name, found in values.items()},
    )


def scored(children: list[Life], horizon: int, until: int) -> Score:
    cohort, length = cohort_of(children, until), horizon * DAY
    raised = [flag(row, day(on), back=back) for row, child in enumerate(children) for on, back in child.flags]
    return score(RULE, raised, cohort, baseline(cohort, weekly(children), length), length)


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
    assert found.back == Share(backs.count(True), len(backs) - backs.count(None))
    assert found.unheard == backs.count(None)
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
    three = [Life(0, SPAN, 40, ((on, True),)) for on in (10, 20, 30)]
    assert scored(three, 10, SPAN).lead.quartiles is None
    assert scored([*three, Life(0, SPAN, 40, ((0, True),))], 10, SPAN).lead.quartiles == (17.5, 32.5)


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
    looks = [(row, on) for on in range(7, SPAN + 1, 7) for row in range(len(children))]
    values = drawn.draw(st.lists(st.integers(0, 3), min_size=len(looks), max_size=len(looks)))
    kept = [
        (value, children[row].follows(on, horizon))
        for (row, on), value in zip(looks, values, strict=True)
        if children[row].enters <= on < children[row].ends and on + horizon <= until
    ]
    (found,) = rankings(weekly(children, x=values), cohort_of(children, until), horizon * DAYS)
    plain = rank("x", np.array([v for v, _ in kept], np.float64), np.array([f for _, f in kept], np.bool_))
    assert (found.area, found.followed, found.others) == (plain.area, plain.followed, plain.others)


# ---- who is at risk -------------------------------------------------------------------------------------------------


def test_a_child_is_at_risk_while_it_is_heard_of_within_the_span_until_its_outcome() -> None:
    heard = np.array([[10, 30], [0, 0], [2, 90], [10, 30], [10, 30], [10, 30]], np.int64) * DAYS
    replayed = Replayed([], joined((), []), weekly([]), heard[:, 0], heard[:, 1])
    found = gather(replayed, {3: 20 * DAYS, 4: 5 * DAYS, 5: 40 * DAYS}, day(5), day(60), day(90))
    spans = [(int(a / DAYS), int(b / DAYS)) for a, b in zip(found.enters, found.leaves, strict=True)]
    assert spans == [(10, 30), (0, 0), (5, 60), (10, 20), (0, 0), (10, 30)]
    assert found.outcomes.tolist() == [False, False, False, True, False, True]
    assert found.child_weeks == pytest.approx((20 + 55 + 10 + 20) / 7)


# ---- two rule files -------------------------------------------------------------------------------------------------


def test_two_rule_files_differ_child_by_child_with_the_first_instants() -> None:
    early, late = instant("Mon 10:00"), instant("Mon 10:00") + 5 * HOUR
    old = [flag(0, late), flag(0, early), flag(1, early), flag(3, early, "other")]
    new = [flag(0, late), flag(2, late)]
    (found,) = compare([RULE], old, new)
    assert [(one.student, one.old, one.new) for one in found.both] == [("s-0", early, late)]
    assert [(one.student, one.old, one.new) for one in found.only_old] == [("s-1", early, None)]
    assert [(one.student, one.old, one.new) for one in found.only_new] == [("s-2", None, late)]
