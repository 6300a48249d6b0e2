"""What Prometheus reads of cases, reports, the outbox, feeds and the build."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from daemon.console.app import build_console
from daemon.console.figures import KEPT
from daemon.console.ready import Beat, Vitals
from daemon.jobs.office import Actor, acknowledge
from daemon.store import incidents
from daemon.store.engine import Store
from daemon.store.incidents import IncidentRow
from notifiers.contract import DeliveryError
from tests.daemon.desk.county_office import Office, write_county

Figures = Callable[[], dict[str, float]]


@pytest.fixture
def office(tmp_path: Path, store: Store) -> Office:
    """On each engine: the figures are asked of the store in its own words."""
    write_county(tmp_path)
    return Office(tmp_path, store)


@pytest.fixture
def figures(office: Office, vitals: Vitals) -> Iterator[Figures]:
    """What /metrics says now, by name and labels as they are written there; `KEPT` later each time."""
    with TestClient(build_console(office.house, vitals), raise_server_exceptions=False) as client:

        def asked() -> dict[str, float]:
            office.now += KEPT
            lines = client.get("/metrics").text.splitlines()
            found = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
            return {name: float(value) for name, value in found}

        yield asked


def test_open_cases_are_counted_by_stage(office: Office, figures: Figures) -> None:
    assert figures()['baoxue_cases{stage="reported"}'] == 0
    office.report()
    assert figures()['baoxue_cases{stage="reported"}'] == 1
    assert 'baoxue_cases{stage="closed"}' not in figures()


def test_a_report_counts_until_somebody_acknowledges_it(office: Office, figures: Figures) -> None:
    oldest = "baoxue_oldest_unacknowledged_report_timestamp_seconds"
    assert figures()["baoxue_unacknowledged_reports"] == 0
    assert oldest not in figures()
    number = office.report()
    raised = office.case(number).raised_at
    assert raised is not None
    assert figures()["baoxue_unacknowledged_reports"] == 1
    assert figures()[oldest] == raised.timestamp()
    acknowledge(office.house, number, Actor("李"), office.now)
    assert figures()["baoxue_unacknowledged_reports"] == 0
    assert oldest not in figures()


def test_the_outbox_says_what_is_due_and_since_when(office: Office, figures: Figures) -> None:
    office.two_days()
    office.phone.send = _unreachable  # type: ignore[method-assign, assignment]
    office.roll(2, "am", "APP", "08:10")
    tried = office.now
    found = figures()
    assert found['baoxue_outbox_messages{channel="sms",state="later"}'] == 2
    assert 'baoxue_outbox_oldest_due_timestamp_seconds{channel="sms"}' not in found
    office.now += dt.timedelta(hours=3)
    assert figures()['baoxue_outbox_messages{channel="sms",state="due"}'] == 2
    oldest = figures()['baoxue_outbox_oldest_due_timestamp_seconds{channel="sms"}']
    assert tried.timestamp() < oldest < office.now.timestamp()


def test_what_is_wrong_with_a_feed_or_the_service_is_named(office: Office, figures: Figures) -> None:
    kinds = {"feed_silent": "marks", "delivery_held": "students", "channel_failing": "channel sms"}
    assert not [name for name in figures() if "problem" in name or "incidents" in name]
    with office.store.write() as tx:
        rows = [IncidentRow(kind, kind, subject, [], office.now) for kind, subject in kinds.items()]
        incidents.insert_incidents(tx, [*rows, IncidentRow("i-4", "mass_absence", "sch-1", [], office.now)])
    found = {name: value for name, value in figures().items() if "problem" in name or "incidents" in name}
    assert found == {
        'baoxue_feed_problem{feed="marks",problem="feed_silent"}': 1,
        'baoxue_feed_problem{feed="students",problem="delivery_held"}': 1,
        'baoxue_service_problem{part="channel sms",problem="channel_failing"}': 1,
        **{f'baoxue_incidents{{kind="{kind}"}}': 1 for kind in (*kinds, "mass_absence")},
    }


def test_build_clock_mode_and_heartbeat_are_told(office: Office, vitals: Vitals, figures: Figures) -> None:
    beaten = office.now
    vitals.beat = Beat(beaten)
    found = figures()
    assert [
        value for name, value in found.items() if re.match(r'baoxue_build_info\{revision="\w*",version="', name)
    ] == [1]
    assert found["baoxue_clock_timestamp_seconds"] == office.now.timestamp()
    assert found["baoxue_live"] == 1
    assert found["baoxue_last_heartbeat_timestamp_seconds"] == beaten.timestamp()


def test_readiness_is_a_figure(office: Office, vitals: Vitals, figures: Figures) -> None:
    assert figures()["baoxue_ready"] == 0
    vitals.polled.update(feed.id for feed in office.house.config.feed)
    vitals.swept_at = office.now
    assert figures()["baoxue_ready"] == 1


def test_where_the_store_does_not_answer_that_is_said_and_the_rest_stays(
    office: Office, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert figures()["baoxue_store_up"] == 1

    def lost() -> None:
        raise OSError("disk gone")

    monkeypatch.setattr(office.house.store, "read", lost)
    found = figures()
    assert found["baoxue_store_up"] == 0
    assert found["baoxue_ready"] == 0
    assert "baoxue_clock_timestamp_seconds" in found
    assert not [name for name in found if name.startswith("baoxue_cases")]


def test_the_store_is_asked_once_for_all_who_ask_within_seconds(
    office: Office, vitals: Vitals, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(build_console(office.house, vitals)) as client:
        first = client.get("/metrics").text
        monkeypatch.setattr(office.house.store, "read", None)
        office.now += KEPT / 2
        assert client.get("/metrics").text == first
        office.now -= KEPT  # the clock was set back: an answer from the future is none
        assert "baoxue_store_up 0.0" in client.get("/metrics").text


def test_every_figure_is_named_as_prometheus_wants_it_and_names_nobody(
    office: Office, vitals: Vitals, figures: Figures
) -> None:
    office.report()
    figures()
    with TestClient(build_console(office.house, vitals)) as client:
        text = client.get("/metrics").text
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert all(name.startswith("baoxue_") for name in names)
    assert all(family.documentation for family in families)
    labels = {label for family in families for sample in family.samples for label in sample.labels}
    assert labels <= {
        *("channel", "feed", "job", "kind", "le", "outcome", "part", "problem", "revision", "stage", "standing"),
        *("state", "status", "version", "what"),
    }
    assert "s-001" not in text
    assert "Child" not in text


def _unreachable(_: object) -> None:
    raise DeliveryError("no answer")
