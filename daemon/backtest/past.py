"""The roster of the file feeds in a house of its own: whom the past would have been told to."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daemon.app import build_house
from daemon.config import Config
from daemon.feeds.fetch import fetch_all
from daemon.feeds.payload import Refused
from daemon.feeds.read import read
from daemon.jobs.delivery import Delivery
from daemon.jobs.house import House
from daemon.jobs.intake import take_in
from daemon.jobs.poll import in_order
from daemon.store import deliveries
from daemon.store.engine import open_store
from daemon.store.keys import Keyring

ROSTER = frozenset({"units", "students", "contacts"})
LINK_KEY = b"a backtest's links lead nowhere"


@contextmanager
def house_of_files(config: Config, now: dt.datetime, refused: list[Refused] | None = None) -> Iterator[House]:
    """A house with the roster of the configured feeds, on a store of its own that is gone afterwards.

    What is refused of the roster is added to `refused`.
    """
    with tempfile.TemporaryDirectory(prefix="baoxue-") as folder:
        store = open_store(
            f"sqlite:///{Path(folder) / 'roster.db'}",
            config.service.district,
            Keyring.parse(Keyring.generate()),
            state_dir=Path(folder),
        )
        try:
            store.upgrade()
            house = build_house(config, store, link_keys=[LINK_KEY], notifiers={}, clock=lambda: now, simulated=True)
            _fill(house, now, [] if refused is None else refused)
            yield house
        finally:
            store.close()


def _fill(house: House, now: dt.datetime, refused: list[Refused]) -> None:
    for feed in in_order(house.config.feed):
        if feed.records in ROSTER:
            for payload in fetch_all(feed, house.config.base, now):
                reading = read(feed, payload, house.calendar.zone)
                refused += reading.problems
                with house.store.write() as tx:
                    payload_id = deliveries.record_payload(
                        tx, feed_id=feed.id, sha256=payload.sha256, name=payload.name, fetched_at=now
                    )
                    if payload_id is not None:
                        take_in(tx, house, Delivery(feed, payload.name, payload_id, now, reading.records))
