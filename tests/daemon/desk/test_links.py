"""Links short enough for a text message: the beginning of an alert's id, and a word only this house can speak."""

from __future__ import annotations

import pytest

from daemon.desk.links import Act, Link, Links

KEYS = (b"k" * 32,)
OURS = Links(KEYS, "https://a.example/")
AT_ONCE = [f"0195a0b1c2d3{n:020x}" for n in range(300)]
"""The ids of alerts that were drafted in one millisecond."""


def token(links: Links, act: Act, alert_id: str) -> str:
    return links.url(act, alert_id).rpartition("/")[2]


def known(beginning: str) -> list[str]:
    return [one for one in AT_ONCE if one.startswith(beginning)]


@pytest.mark.parametrize("act", Act)
def test_a_link_finds_its_alert_among_those_of_the_same_instant(act: Act) -> None:
    for alert_id in AT_ONCE[::37]:
        assert OURS.read(token(OURS, act, alert_id), known) == Link(act, alert_id)


def test_a_link_is_short() -> None:
    assert OURS.url(Act.ACKNOWLEDGE, AT_ONCE[0]) == "https://a.example/a/" + token(OURS, Act.ACKNOWLEDGE, AT_ONCE[0])
    assert {len(token(OURS, act, one)) for act in Act for one in AT_ONCE} == {24}


def test_nobody_guesses_a_link_who_knows_when_its_alert_was_drafted() -> None:
    letters = zip(*(token(OURS, act, one) for act in Act for one in AT_ONCE), strict=True)
    assert sum(len(set(place)) > 1 for place in letters) * 6 >= 100


@pytest.mark.parametrize(
    ("act", "earlier"),
    [
        (Act.ACKNOWLEDGE, "YQGVoLHC0wAAAAAAAAAAAAeAuam_vXJBCUnN"),
        (Act.SEEN, "cwGVoLHC0wAAAAAAAAAAAAdGEOzbmMu8pf9i"),
        (Act.ABSENT, "bQGVoLHC0wAAAAAAAAAAAAdK9np5rycbkCfF"),
    ],
)
def test_a_link_from_before_links_were_short_is_one_still(act: Act, earlier: str) -> None:
    assert OURS.read(earlier, pytest.fail) == Link(act, AT_ONCE[7])
    assert Links((b"new", *KEYS), "").read(earlier, pytest.fail) == Link(act, AT_ONCE[7])
    assert Links((b"new",), "").read(earlier, pytest.fail) is None
    assert all(OURS.read(earlier[:n] + "-" + earlier[n + 1 :], pytest.fail) is None for n in range(len(earlier)))


def test_a_link_lives_as_long_as_its_key() -> None:
    old = token(OURS, Act.SEEN, AT_ONCE[1])
    assert Links((b"new", *KEYS), "").read(old, known) == Link(Act.SEEN, AT_ONCE[1])
    assert Links((b"new",), "").read(old, known) is None


def test_one_act_is_not_another_and_a_changed_link_is_none() -> None:
    links = {token(OURS, act, one) for act in Act for one in AT_ONCE}
    assert len(links) == len(Act) * len(AT_ONCE)
    mine = token(OURS, Act.SEEN, AT_ONCE[1])
    for n in range(len(mine)):
        assert OURS.read(mine[:n] + ("A" if mine[n] != "A" else "B") + mine[n + 1 :], known) is None


def test_of_alerts_that_are_not_there_any_more_there_is_no_link() -> None:
    assert OURS.read(token(OURS, Act.SEEN, AT_ONCE[1]), lambda _: []) is None


@pytest.mark.parametrize(
    "wrong", ["", "x", "签", "A" * 16, "A" * 23, "A" * 25, "A" * 36, "A" * 5000, "AAAA AAAA AAAA AAA"]
)
def test_what_is_no_token_asks_for_no_alert(wrong: str) -> None:
    assert OURS.read(wrong, pytest.fail) is None
