"""What became of messages, and of what should have been done, from the command line."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import stat
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from daemon.jobs.record import summary
from daemon.store import receipts, timers
from daemon.store.receipts import Word
from daemon.store.record import Taken
from tests.daemon.desk.county_office import local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.cli.conftest import Reported, Terminal

WEDNESDAY = local(2, "09:00")


@pytest.fixture(autouse=True)
def wednesday(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line believes it is Wednesday, 09:00."""
    for module in ("posting", "proving", "auditing"):
        monkeypatch.setattr(f"daemon.cli.{module}.wall_clock", lambda: WEDNESDAY)


@pytest.fixture
def heard(reported: Reported) -> Reported:
    """Of the two reports one arrived after nine seconds, the other did not."""
    store = reported.terminal.store()
    sent = {
        one["contact"]: one["message"] for one in reported.terminal.records("deliveries", "--case", reported.number)
    }
    at = local(2, "08:10") + dt.timedelta(seconds=9)
    words = [
        Word("delivered", at, sent["town"], detail="DELIVRD"),
        Word("failed", at, sent["office"], detail="REJECTD"),
    ]
    store.commit(lambda tx: receipts.record(tx, "sms", "pushed", words, at))
    store.close()
    return reported


def test_deliveries_show_receipts_and_how_long_they_took(heard: Reported) -> None:
    [one] = heard.terminal.records("deliveries", "--contact", "town")
    assert (one["state"], one["receipt"], one["on_its_way_for"]) == ("sent", "delivered DELIVRD", 9.0)
    assert [(each["status"], each["way"], each["code"]) for each in one["receipts"]] == [
        ("delivered", "pushed", "DELIVRD")
    ]
    assert [each["outcome"] for each in one["tries"]] == ["sent"]
    page = heard.terminal.told("deliveries")
    assert "arrived" in page
    assert "receipt" in page


def test_deliveries_are_found_by_what_became_of_them(heard: Reported) -> None:
    def contacts(*words: str) -> list[str]:
        return sorted({one["contact"] for one in heard.terminal.records("deliveries", *words)})

    assert contacts("--state", "undelivered") == ["office"]
    assert contacts("--case", heard.number) == ["office", "teacher", "town"]
    assert contacts("--contact", "Eve One") == ["office"]
    assert contacts("--since", "1h") == contacts("--since", "2026-03-18") == ["office", "town"]
    assert contacts("--since", "10m") == []
    assert contacts("--since", "2026-03-18T08:00:00+08:00", "--channel", "sms") == ["office", "town"]


@pytest.mark.parametrize("words", [("--case", "2026-999999"), ("--case", "nobody"), ("--contact", "nobody")])
def test_what_nobody_knows_is_an_error_and_no_empty_list(heard: Reported, words: tuple[str, ...]) -> None:
    assert words[1] in heard.terminal.refused("deliveries", *words)


def test_an_instant_that_is_none_is_refused(terminal: Terminal) -> None:
    assert "--since" in terminal.refused("deliveries", "--since", "yesterday")


def test_the_summary_says_what_each_channel_comes_to(heard: Reported) -> None:
    [sms] = heard.terminal.records("deliveries", "--summary")
    assert (sms["channel"], sms["sent"], sms["undelivered"], sms["arrived"]) == ("sms", sms["messages"] - 1, 1, 1)
    assert (sms["to_arrival_median"], sms["to_sent_median"]) == (9.0, 0.0)
    assert "channel" in heard.terminal.told("deliveries", "--summary")
    assert heard.terminal.records("deliveries", "--summary", "--since", "1m") == []


def test_times_are_summed_up_by_median_and_95th_percentile() -> None:
    rows = [
        Taken("sms", "sent", 1, WEDNESDAY, WEDNESDAY + dt.timedelta(seconds=n), None if n % 2 else WEDNESDAY)
        for n in range(101)
    ]
    [one] = summary(rows)
    assert (one["to_sent_median"], one["to_sent_p95"]) == (50.0, 95.0)
    assert (one["arrived"], one["to_arrival_median"]) == (51, 0.0)
    [bare] = summary([Taken("email", "queued", 0, WEDNESDAY, None, None)])
    assert (bare["queued"], bare["to_sent_median"], bare["in_all_p95"]) == (1, None, None)


# ---- the paper ------------------------------------------------------------------------------------------------------


def test_a_proof_is_written_for_its_owner_and_journaled(heard: Reported) -> None:
    out = heard.terminal.folder / "证明.html"
    told = heard.terminal.told("case", "proof", heard.number, "--by", "王主任", "--out", str(out))
    assert str(out) in told
    assert "控辍保学通知送达证明" in out.read_text(encoding="utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    record = heard.terminal.records("case", "show", heard.number)
    assert (record["journal"][-1]["kind"], record["journal"][-1]["body"]["by"]) == ("proof of delivery made", "王主任")
    assert record["journal"][-1]["hash"] in out.read_text(encoding="utf-8")
    assert "are whole" in heard.terminal.told("db", "verify")


def test_a_proof_goes_to_standard_output_for_who_may_write_no_file(heard: Reported) -> None:
    before = set(heard.terminal.folder.iterdir())
    told = heard.terminal.told("case", "proof", heard.number, "--by", "W", "--out", "-")
    assert told.lower().startswith("<!doctype html>")
    assert told.rstrip().endswith("</html>")
    assert set(heard.terminal.folder.iterdir()) == before


def test_a_proof_lies_in_the_folder_when_nobody_says_where(heard: Reported) -> None:
    heard.terminal.told("case", "proof", heard.number, "--by", "W")
    assert (heard.terminal.folder / f"proof-{heard.number}.html").is_file()


def test_a_proof_is_written_into_a_link_and_leaves_it_one(heard: Reported) -> None:
    link, paper = heard.terminal.folder / "newest.html", heard.terminal.folder / "kept.html"
    link.symlink_to(paper)
    heard.terminal.told("case", "proof", heard.number, "--by", "W", "--out", str(link))
    assert link.is_symlink()
    assert "送达证明" in paper.read_text(encoding="utf-8")


def test_a_proof_leaves_a_pipe_what_it_is(heard: Reported) -> None:
    pipe, papers = heard.terminal.folder / "printer", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: papers.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    heard.terminal.told("case", "proof", heard.number, "--by", "W", "--out", str(pipe))
    reader.join(timeout=30)
    assert pipe.is_fifo()
    assert "送达证明" in papers[0]


def test_a_proof_can_be_had_as_a_document(heard: Reported) -> None:
    proof = heard.terminal.records("case", "proof", heard.number, "--by", "W")
    assert proof["case"] == heard.number
    assert {one["outcome"] for one in proof["notices"] if one["kind"] == "report"} == {"arrived", "undelivered"}


def test_a_proof_needs_a_name_and_a_case(heard: Reported) -> None:
    assert "--by" in heard.terminal.refused("case", "proof", heard.number)
    assert "2026-999999" in heard.terminal.refused("case", "proof", "2026-999999", "--by", "W")


# ---- the self-audit -------------------------------------------------------------------------------------------------


def test_where_nothing_is_overdue_the_audit_says_so(terminal: Terminal) -> None:
    assert "nothing is overdue" in terminal.told("audit")
    assert terminal.records("audit") == []


@contextlib.contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """Every connection may read and not write, as where a disk that gave errors was mounted anew."""

    def only_read(connection: object, _: object) -> None:
        connection.execute("PRAGMA query_only = 1")  # type: ignore[attr-defined]  # sqlite3's own

    sa.event.listen(sa.Engine, "connect", only_read)
    yield
    sa.event.remove(sa.Engine, "connect", only_read)


def test_an_audit_is_not_well_where_the_store_takes_nothing(terminal: Terminal) -> None:
    with nothing_can_be_written():
        result = terminal.ask("audit")
    assert (result.exit_code, result.stderr) == (1, "")
    assert "the store takes nothing" in result.stdout
    assert "nothing is overdue" not in result.stdout
    assert "nothing is overdue" in terminal.told("audit")


def test_the_audit_shows_what_is_overdue_and_mends_it_when_told(reported: Reported) -> None:
    store = reported.terminal.store()
    with store.write() as tx:
        timers.disarm(tx, [(one.kind, one.subject) for one in timers.armed(tx)])
    store.close()

    for _ in range(2):
        result = reported.terminal.ask("audit")
        assert result.exit_code == 1
        assert "case_unwoken" in result.stdout
        assert result.stderr == ""
    assert reported.terminal.ask("audit", "--mend").exit_code == 1
    assert "case_unwoken" not in reported.terminal.ask("audit").stdout
