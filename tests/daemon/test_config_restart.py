"""What of a configuration takes effect while the daemon runs, and which keys wait for a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from daemon.config import Config, in_force, load_config
from tests.daemon.config_sample import ENVIRON, Page, furnish, tree

Change = Callable[[dict[str, Any]], object]
Write = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    furnish(tmp_path)

    def writing(*changes: Change, environ: Mapping[str, str] = ENVIRON) -> Config:
        sample = tree("env")
        for change in changes:
            change(sample)
        path = tmp_path / "config.toml"
        path.write_text(Page(sample).text, encoding="utf-8")
        return load_config(path, environ)

    return writing


def test_what_says_the_same_waits_for_nothing(write: Write) -> None:
    running = write()
    assert in_force(running, write()) == (running, ())


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        (lambda at: at["service"].update(timezone="Asia/Urumqi"), "service.timezone"),
        (lambda at: at["service"].update(country="US"), "service.country"),
        (lambda at: at["service"].update(district="610998"), "service.district"),
        (lambda at: at["console"].update(listen="127.0.0.1:9"), "console.listen"),
        (lambda at: at["calendar"].update(weekdays=[1, 2, 3]), "calendar.weekdays"),
        (lambda at: at["calendar"]["unit"][0].update(unit="sch-9"), "calendar.unit[0].unit"),
        (lambda at: at["feed"][1].update(poll="9m"), "feed[1].poll"),
        (lambda at: at["feed"].pop(), "feed"),
    ],
)
def test_what_cannot_change_is_named_and_stays_as_it_was(write: Write, change: Change, waits: str) -> None:
    running = write()
    effective, waiting = in_force(running, write(change, lambda at: at["service"].update(language="en")))
    assert waiting == (waits,)
    assert effective.service.language == "en"
    assert (effective.calendar, effective.feed) == (running.calendar, running.feed)
    assert (effective.service.timezone, effective.console) == (running.service.timezone, running.console)


def test_a_secret_that_changed_names_the_table_it_belongs_to(write: Write) -> None:
    running = write()
    _, waiting = in_force(running, write(environ={**ENVIRON, "FEED_TOKEN": "another"}))
    assert waiting == ("feed[1]",)


def test_secrets_of_channels_do_not_wait(write: Write) -> None:
    running, written = write(), write(environ={**ENVIRON, "SMS_TOKEN": "another"})
    effective, waiting = in_force(running, written)
    assert waiting == ()
    assert effective.channels == written.channels != running.channels
