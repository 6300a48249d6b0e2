"""Health, readiness and metrics."""

from __future__ import annotations

import datetime as dt

import pytest
from starlette.testclient import TestClient

from daemon.console.ready import STALE, Vitals
from tests.daemon.desk.county_office import Office


@pytest.fixture
def well(office: Office, vitals: Vitals) -> Vitals:
    """A daemon that has heard every feed and swept just now."""
    vitals.polled.update(feed.id for feed in office.house.config.feed)
    vitals.swept_at = office.now
    return vitals


def reasons(browser: TestClient) -> list[str]:
    answer = browser.get("/readyz")
    assert answer.status_code == (503 if answer.json()["reasons"] else 200)
    return list(answer.json()["reasons"])


def test_the_process_is_well_as_long_as_it_answers(browser: TestClient) -> None:
    assert browser.get("/healthz").text == "ok\n"


def test_it_is_ready_when_all_goes_on(browser: TestClient, well: Vitals) -> None:
    del well
    assert reasons(browser) == []


def test_it_is_not_ready_before_every_feed_was_asked(browser: TestClient, well: Vitals) -> None:
    well.polled.discard("marks")
    assert reasons(browser) == ["feeds not polled yet: marks"]


def test_it_is_not_ready_before_the_first_sweep(browser: TestClient, well: Vitals) -> None:
    well.swept_at = None
    assert reasons(browser) == ["no sweep yet"]


def test_it_is_not_ready_when_sweeps_stopped(browser: TestClient, well: Vitals, office: Office) -> None:
    office.now += STALE + dt.timedelta(seconds=1)
    assert reasons(browser) == ["the last sweep is 121 s old"]
    assert well.swept_at is not None


def test_it_is_not_ready_without_its_store(
    browser: TestClient, well: Vitals, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    del well
    monkeypatch.setattr(type(office.store), "revision", lambda _: 1 / 0)
    assert reasons(browser) == ["the store cannot be reached"]


def test_it_is_not_ready_on_another_schema(
    browser: TestClient, well: Vitals, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    del well
    monkeypatch.setattr(type(office.store), "revision", lambda _: "0000")
    assert reasons(browser) == ["the store is not at the newest schema"]


def test_metrics_carry_ids_and_no_name(browser: TestClient, office: Office) -> None:
    office.report()
    text = browser.get("/metrics").text
    assert 'baoxue_messages_total{channel="sms",outcome="sent"}' in text
    assert "Child" not in text
