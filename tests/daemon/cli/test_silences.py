"""Silences from the command line: made with a reason and an end, listed, ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

ADD = ("silence", "add", "--reason", "snow on the pass", "--by", "Li")


def test_a_silence_is_listed_with_who_made_it_and_why_until_somebody_ends_it(terminal: Terminal) -> None:
    made = terminal.records(*ADD, "--kind", "risk", "--channel", "sms", "--for", "2d")

    [listed] = terminal.records("silence", "list")
    assert listed == {**made, "waiting": 0}
    assert (listed["kinds"], listed["channels"], listed["units"]) == (["risk"], ["sms"], None)
    assert (listed["by"], listed["reason"], listed["statutory"]) == ("Li", "snow on the pass", False)
    assert "snow on the pass" in terminal.told("silence", "list")

    ended = terminal.records("silence", "end", made["silence"], "--by", "Wang")
    assert ended["ended_by"] == "Wang"
    assert terminal.records("silence", "list") == []
    assert [one["ended_by"] for one in terminal.records("silence", "list", "--all")] == ["Wang"]
    assert "is over already" in terminal.refused("silence", "end", made["silence"], "--by", "Wang")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--for", "2d"), "is about everything"),
        (("--kind", "risk"), "needs one end"),
        (("--kind", "risk", "--for", "2d", "--until", "2099-01-01"), "needs one end"),
        (("--kind", "risk", "--until", "2099-01-01"), "is more than 30 days away"),
        (("--kind", "risk", "--for", "soon"), "is no span of time"),
        (("--kind", "rsik", "--for", "2d"), 'did you mean "risk"?'),
        (("--student", "nobody", "--for", "2d"), "is not on the roster"),
    ],
)
def test_a_silence_without_bounds_is_refused(terminal: Terminal, words: tuple[str, ...], fault: str) -> None:
    assert fault in terminal.refused(*ADD, *words)
    assert terminal.records("silence", "list", "--all") == []


def test_nobody_silences_without_saying_who_and_why(terminal: Terminal) -> None:
    assert "--reason" in terminal.refused("silence", "add", "--kind", "risk", "--for", "2d", "--by", "Li")
    assert "--by" in terminal.refused("silence", "add", "--kind", "risk", "--for", "2d", "--reason", "why")
