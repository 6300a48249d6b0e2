"""The invented county: the same of the same seed, and every story fits into the term it is told in."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from daemon.demo.county import SCHOOLS, TOWNS, VILLAGES, County, invent, unit_rows
from daemon.demo.diary import CUT_SCHOOL, HALVES, SNOW_SCHOOL, write_diary
from daemon.demo.papers import Office

MONDAY = dt.date(2026, 3, 2)
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def county() -> County:
    return invent(1)


def office(county: County, days: int, seed: int = 1) -> Office:
    dates = [MONDAY + dt.timedelta(weeks=n // 5, days=n % 5) for n in range(days)]
    return Office(county, write_diary(county, days, seed), dates, ZONE, seed)


def test_it_has_two_towns_six_villages_four_schools_and_two_thousand_children(county: County) -> None:
    assert (len(TOWNS), len(VILLAGES), len(SCHOOLS), len(county.children)) == (2, 6, 4, 2_000)
    assert {len(room.children) for room in county.rooms} == {40}


def test_every_unit_stands_under_one_that_is_there(county: County) -> None:
    rows = list(unit_rows(county))
    known = {row[0] for row in rows}
    assert len(known) == len(rows)
    assert {row[2] for row in rows} <= known | {""}


def test_every_contact_has_addresses_of_its_own(county: County) -> None:
    addresses = [at for one in county.contacts for at in (one.phone, one.email, one.endpoint) if at]
    assert len(addresses) == len(set(addresses)) == len(county.by_address)


def test_a_seed_tells_one_story_and_another_seed_another(county: County) -> None:
    assert invent(1) == county
    assert office(county, 15).papers() == office(county, 15).papers()
    assert write_diary(county, 15, 2).marks != write_diary(county, 15, 1).marks


@pytest.mark.parametrize("days", [1, 2, 3, 4, 5, 6, 10, 15, 40])
def test_everything_happens_within_the_term(county: County, days: int) -> None:
    diary = write_diary(county, days, 7)
    assert all(0 <= half < days * HALVES for _, half in diary.marks)
    assert all(0 <= slip.first <= slip.last < days and slip.entered.day < days for slip in diary.slips)
    assert all(move.entered.day < days for move in diary.moves)
    assert all(one.entered.day < days and 0 <= one.half < days * HALVES for one in diary.corrections)
    assert diary.cut is None or 0 < diary.cut[0] < diary.cut[1] < days
    assert diary.snow is None or 0 < diary.snow < days


def test_three_weeks_hold_every_kind_of_story(county: County) -> None:
    diary = write_diary(county, 15, 1)
    assert diary.cut is not None
    assert diary.cut[1] - diary.cut[0] == 2
    assert diary.snow is not None
    assert diary.corrections
    assert {bool(move.evidence) for move in diary.moves} == {True, False}
    assert any(slip.entered.day > slip.first for slip in diary.slips)
    assert {"absent", "leave", "late"} == set(diary.marks.values())


def test_on_the_snow_day_most_of_one_school_is_away(county: County) -> None:
    diary = write_diary(county, 15, 1)
    assert diary.snow is not None
    children = [child for room in county.rooms_of(SNOW_SCHOOL) for child in room.children]
    away = sum(diary.mark(child, diary.snow * HALVES) == "absent" for child in children)
    assert 0.75 < away / len(children) < 0.95


def test_behind_a_dead_line_rolls_wait_and_say_when_they_were_called(county: County) -> None:
    here = office(county, 15)
    assert here.diary.cut is not None
    first, back = here.diary.cut
    mended = dt.datetime.combine(here.dates[back], dt.time(7, 40), ZONE)
    late = [paper for paper in here.papers() if paper.feed == f"marks-{CUT_SCHOOL.unit_id}" and paper.at == mended]
    assert len(late) == (back - first) * HALVES
    for paper in late:
        recorded = {dt.datetime.fromisoformat(row[-1]) for row in paper.rows}
        assert len(recorded) == 1
        assert recorded.pop() < mended
    silent = [paper for paper in here.papers() if paper.feed == f"marks-{CUT_SCHOOL.unit_id}" and paper.at < mended]
    assert max(paper.at for paper in silent).astimezone(ZONE).date() < here.dates[first]


def test_papers_come_in_order_and_no_two_have_one_name(county: County) -> None:
    papers = office(county, 15).papers()
    assert [paper.at for paper in papers] == sorted(paper.at for paper in papers)
    assert len({paper.path for paper in papers}) == len(papers)
