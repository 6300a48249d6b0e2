"""Six school days played in this process: what the demonstration claims is what its receivers got."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from rich.cells import cell_len
from rich.console import Console

from daemon import demo
from daemon.demo.board import Board, Happening
from daemon.demo.live import Picture
from daemon.demo.stage import Stage
from daemon.demo.tally import summary
from daemon.demo.told import CORRECTIONS, STANDING, Told
from daemon.jobs.casefile import from_row
from daemon.store import cases, incidents

DAYS = 6
# One play for all of them: it takes some seconds.
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]


@dataclass
class Diarist:
    """Writes down whatever a spectator is shown."""

    watches_cases: bool = False
    days: list[int] = field(default_factory=list)
    said: list[Happening] = field(default_factory=list)
    letters: list[Told] = field(default_factory=list)

    def begins(self, board: Board) -> None:
        self.days.append(board.day)

    def happened(self, one: Happening) -> None:
        self.said.append(one)

    def told(self, several: Sequence[Told]) -> None:
        self.letters += several

    def frame(self, board: Board, at: dt.datetime) -> None: ...


@dataclass(frozen=True)
class Played:
    """The stage after the last curtain, and who watched."""

    stage: Stage
    diarist: Diarist

    @property
    def lines(self) -> dict[str, str]:
        """The closing lines by their English words."""
        return {what.partition(" ")[2]: value for what, value in summary(self.stage.tally, self.stage.board)}

    def reports(self, *kinds: str) -> set[tuple[str | None, int | None]]:
        """The reports (case and episode) that letters of these kinds were about."""
        return {(a.case_id, a.episode) for one in self.diarist.letters if one.kind in kinds for a in one.alerts}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    diarist = Diarist()
    with ExitStack() as held:
        folder = tmp_path_factory.mktemp("county")
        stage = demo._set(folder, held, (1, DAYS, 0.0), diarist, lambda: False)
        stage.play()
        yield Played(stage, diarist)


def test_every_day_is_played_and_every_mark_taken_in(played: Played) -> None:
    assert played.diarist.days == list(range(1, DAYS + 1))
    assert played.stage.board.marks == played.stage.board.wanted > 2_000 * 2 * DAYS
    assert played.lines["children"] == "2 000"


def test_nothing_is_amiss_between_the_store_and_the_receivers(played: Played) -> None:
    with played.stage.house.store.read() as tx:
        assert played.stage.tally.faults(tx, played.stage.board, played.stage.letterbox) == []


def test_a_receiver_that_lost_a_message_would_be_found(played: Played) -> None:
    tally, lost = played.stage.tally, Counter({"sms": 1})
    tally.arrived.subtract(lost)
    with played.stage.house.store.read() as tx:
        faults = tally.faults(tx, played.stage.board, played.stage.letterbox)
    tally.arrived.update(lost)
    assert len(faults) == 1


def test_what_arrived_is_counted_by_channel(played: Played) -> None:
    counts = Counter(one.arrival.channel for one in played.diarist.letters)
    assert min(counts[channel] for channel in ("sms", "email", "webhook")) > 0
    words = f"短信 SMS {counts['sms']}，邮件 mail {counts['email']}，推送 webhook {counts['webhook']}"
    assert played.lines["arrived"] == f"{counts.total()}：{words}"


def test_reports_returns_and_retractions_are_those_that_arrived(played: Played) -> None:
    assert played.lines["reports"].startswith(f"{len(played.reports('report'))}（")
    for words, kind in (("returned", "return"), ("retracted", "retraction"), ("closed", "closed")):
        assert played.lines[words] == str(len(played.reports(kind)))
    assert min(len(played.reports(kind)) for kind in ("report", "return", "retraction", "escalation")) > 0


def test_no_report_arrives_before_its_deadline_nor_more_than_an_hour_after(played: Played) -> None:
    waits = [
        one.at - alert.due_at
        for one in played.diarist.letters
        if one.kind == "report"
        for alert in one.alerts
        if alert.due_at
    ]
    assert waits
    assert min(waits) >= dt.timedelta(0)
    assert max(waits) <= dt.timedelta(hours=1)


def test_a_correction_reaches_only_who_had_the_report(played: Played) -> None:
    believed: dict[tuple[str | None, int | None], set[tuple[str, str]]] = {}
    for one in played.diarist.letters:
        reader = (one.arrival.address, one.arrival.channel)
        for alert in one.alerts:
            report = (alert.case_id, alert.episode)
            if alert.kind in STANDING:
                believed.setdefault(report, set()).add(reader)
            elif alert.kind in CORRECTIONS:
                assert reader in believed[report]


def test_acknowledgements_were_made_through_the_console(played: Played) -> None:
    with played.stage.house.store.read() as tx:
        found = [from_row(row) for row in cases.list_cases(tx)]
    held = [case for case in found if case.acknowledged_at is not None]
    assert 0 < len(held) <= played.stage.board.counts["acknowledged"]
    assert {case.acknowledged_by for case in held} == {"town_government"}


def test_a_dead_line_is_noticed_asked_about_and_over(played: Played) -> None:
    with played.stage.house.store.read() as tx:
        (silent,) = incidents.list_incidents(tx, "feed_silent")
        (storm,) = incidents.list_incidents(tx, "mass_absence")
    assert (silent.subject, silent.verdict) == ("marks-sch-3", "resumed")
    assert (storm.subject, storm.verdict) == ("sch-4", "real")
    kinds = {one.kind for one in played.diarist.letters}
    assert {"feed_stale", "feed_recovered", "mass_absence", "confirm_request"} <= kinds
    assert played.stage.tally.unconfirmed
    assert played.stage.board.counts["confirmed"] == 1


def test_no_message_holds_a_childs_full_name(played: Played) -> None:
    names = {child.name for child in played.stage.county.children if len(child.name) > 2}
    words = "\n".join(one.arrival.text for one in played.diarist.letters)
    assert not [name for name in names if name in words]


@pytest.mark.parametrize(("width", "height"), [(90, 27), (100, 32), (160, 45)])
def test_the_picture_fits_the_screen_to_the_cell(played: Played, width: int, height: int) -> None:
    screen = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    picture = Picture(screen)
    picture.told(played.diarist.letters)
    for one in played.diarist.said:
        picture.happened(one)
    played.stage._look_at_cases()
    with screen.capture() as drawn:
        screen.print(picture.draw(played.stage.board, played.stage.board.now), end="")
    rows = drawn.get().split("\n")[:height]
    assert len(rows) == height
    assert {cell_len(row) for row in rows[:-1]} == {width}
    assert "待到时限" in drawn.get()
    assert "最近送达" in drawn.get()
