"""Pacing as values: what waits for hours, for a throttle, for a silence, and until when."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hours import Hours
from rules.pacing import (
    CORRECTIONS,
    STATUTORY,
    Hold,
    Pacing,
    Said,
    Silence,
    Throttle,
    asleep,
    bundle_of,
    kind_of,
    priority_of,
    silenced,
    throttled,
)

NIGHT = dt.datetime(2026, 3, 18, 3, tzinfo=ZoneInfo("Asia/Shanghai")).astimezone(dt.UTC)
SEVEN, EIGHT = NIGHT + dt.timedelta(hours=4), NIGHT + dt.timedelta(hours=5)
MINUTE = dt.timedelta(minutes=1)
RISK = Said("risk", "class_teacher", "k-1", "sms", "ana", frozenset({"k-1", "sch-1", "t-1", "county"}))
REPORT = replace(RISK, kind="report")


def by_day(start: int, **rest: object) -> Hours:
    zone = ZoneInfo("Asia/Shanghai")
    return Hours("day", dt.time(start), dt.time(21), zone, exempt=STATUTORY, **rest)  # type: ignore[arg-type]


def silence(**scope: object) -> Silence:
    return Silence("s1", NIGHT - MINUTE, NIGHT + 60 * MINUTE, **scope)  # type: ignore[arg-type]


def test_at_night_a_sign_waits_for_the_morning_and_a_report_does_not() -> None:
    pacing = Pacing(hours=(by_day(7),))

    assert asleep(pacing, [RISK], NIGHT) == Hold(SEVEN, "hours")
    assert asleep(pacing, [REPORT], NIGHT) is None
    assert asleep(pacing, [RISK], SEVEN) is None


def test_where_nothing_is_exempt_a_report_waits_too() -> None:
    assert asleep(Pacing(hours=(replace(by_day(7), exempt=frozenset()),)), [REPORT], NIGHT) == Hold(SEVEN, "hours")


def test_hours_for_a_contact_come_before_those_for_its_role_and_these_before_those_for_all() -> None:
    everybody, role = by_day(9), by_day(8, roles=frozenset({"class_teacher"}))
    named = by_day(7, contacts=frozenset({"k-1"}))

    assert asleep(Pacing(hours=(everybody, role, named)), [RISK], NIGHT) == Hold(SEVEN, "hours")
    assert asleep(Pacing(hours=(everybody, role)), [RISK], NIGHT) == Hold(EIGHT, "hours")
    assert asleep(Pacing(hours=(everybody,)), [RISK], NIGHT) == Hold(SEVEN + 2 * 60 * MINUTE, "hours")
    assert asleep(Pacing(hours=(role,)), [replace(RISK, role="mentor")], NIGHT) is None


def test_of_two_spans_for_one_recipient_the_sooner_counts() -> None:
    assert asleep(Pacing(hours=(by_day(9), by_day(7))), [RISK], NIGHT) == Hold(SEVEN, "hours")


def test_what_leaves_together_leaves_when_any_of_it_may() -> None:
    assert asleep(Pacing(hours=(by_day(7),)), [RISK, REPORT], NIGHT) is None


def test_a_throttle_lets_so_many_out_and_the_next_when_the_first_is_long_enough_ago() -> None:
    pacing = Pacing(throttles=(Throttle("sms", 2, 15 * MINUTE),))
    told = [NIGHT - 20 * MINUTE, NIGHT - 10 * MINUTE, NIGHT - 5 * MINUTE]

    assert throttled(pacing, [RISK], told[:2], NIGHT) == (None, False)
    assert throttled(pacing, [RISK], told, NIGHT) == (Hold(NIGHT + 5 * MINUTE, "throttle"), True)
    assert throttled(pacing, [RISK], told, NIGHT + 5 * MINUTE) == (None, False)
    assert throttled(pacing, [replace(RISK, channel="email")], told, NIGHT) == (None, False)


def test_several_throttles_hold_as_long_as_the_longest() -> None:
    pacing = Pacing(throttles=(Throttle("sms", 1, MINUTE), Throttle("sms", 2, 60 * MINUTE)))

    held, _ = throttled(pacing, [RISK], [NIGHT - 2 * MINUTE, NIGHT], NIGHT)

    assert held == Hold(NIGHT + 58 * MINUTE, "throttle")


def test_a_report_is_not_kept_back_unless_the_throttle_says_so() -> None:
    gentle, strict = Throttle("sms", 1, MINUTE), Throttle("sms", 1, MINUTE, urgent=True)

    assert throttled(Pacing(throttles=(gentle,)), [REPORT], [NIGHT], NIGHT)[1] is False
    assert throttled(Pacing(throttles=(strict,)), [REPORT], [NIGHT], NIGHT)[1] is True


@pytest.mark.parametrize(
    ("scope", "holds"),
    [
        ({"units": frozenset({"sch-1"})}, True),
        ({"units": frozenset({"sch-2"})}, False),
        ({"students": frozenset({"ana"})}, True),
        ({"contacts": frozenset({"k-2"})}, False),
        ({"kinds": frozenset({"risk", "reminder"})}, True),
        ({"channels": frozenset({"email"})}, False),
        ({"units": frozenset({"sch-1"}), "channels": frozenset({"email"})}, False),
        ({"units": frozenset({"sch-1"}), "channels": frozenset({"sms"})}, True),
    ],
)
def test_a_silence_holds_what_matches_in_every_respect(scope: dict[str, object], holds: bool) -> None:  # noqa: FBT001
    found = silenced([silence(**scope)], RISK, NIGHT)

    assert found == (Hold(NIGHT + 60 * MINUTE, "silence:s1") if holds else None)


def test_of_two_silences_the_longer_is_named() -> None:
    longer = replace(silence(kinds=frozenset({"risk"})), silence_id="s2", ends_at=NIGHT + 90 * MINUTE)

    assert silenced([silence(students=frozenset({"ana"})), longer], RISK, NIGHT) == Hold(longer.ends_at, "silence:s2")


def test_a_silence_that_has_not_begun_or_is_over_holds_nothing() -> None:
    one = silence(students=frozenset({"ana"}))

    assert not one.holds(RISK, one.starts_at - MINUTE)
    assert not one.holds(RISK, one.ends_at)


def test_a_report_is_silenced_only_by_who_says_so_and_a_correction_by_nobody() -> None:
    plain, meant = silence(students=frozenset({"ana"})), silence(students=frozenset({"ana"}), statutory=True)

    assert (plain.holds(REPORT, NIGHT), meant.holds(REPORT, NIGHT)) == (False, True)
    assert not any(meant.holds(replace(RISK, kind=kind), NIGHT) for kind in CORRECTIONS)


def test_urgent_ones_go_with_their_kind_and_all_else_as_a_digest() -> None:
    assert {priority_of(kind) for kind in STATUTORY} == {0}
    assert (bundle_of("report", about_child=True), bundle_of("risk", about_child=True)) == ("report", "digest")
    assert (bundle_of("mass_absence", about_child=False), bundle_of("feed_stale", about_child=False)) == (
        None,
        "digest",
    )
    assert bundle_of("test", about_child=False) is None
    assert kind_of(["risk", "risk"], about_children=True) == "risk"
    assert kind_of(["risk", "reminder"], about_children=True) == "digest"
    assert kind_of(["feed_stale", "feed_stale"], about_children=False) == "digest"


@given(
    st.lists(st.integers(0, 3600), max_size=30).map(sorted),
    st.integers(1, 6),
    st.integers(1, 1800),
    st.integers(3600, 4000),
)
def test_whoever_waits_as_told_never_gets_more_than_allowed(
    seconds: list[int], most: int, within: int, now: int
) -> None:
    throttle = Throttle("sms", most, dt.timedelta(seconds=within))
    told = [NIGHT + dt.timedelta(seconds=n) for n in seconds]
    free = throttle.free_at(told, NIGHT + dt.timedelta(seconds=now))

    assert free >= NIGHT + dt.timedelta(seconds=now)
    assert throttle.free_at(told, free) == free
    assert len([at for at in told if free - throttle.within < at]) < most
