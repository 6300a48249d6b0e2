"""The example is the manual: it loads, holds every key, shows the defaults; and other people's files load too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import toml_rs

from daemon.config import ConsoleConfig, PacingConfig, RulesConfig, load_config
from daemon.config.models import Document
from daemon.config.outline import EACH, all_keys, nested
from tests.daemon.config_sample import SECRETS, furnish

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"
GRAND_BEND = ROOT.parent / "shared" / "data" / "edfi-grand-bend" / "config.toml"
INTERFACE = ROOT.parent / "shared" / "design" / "interface.md"

MINIMAL = """
[service]
district = "610999"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    furnish(tmp_path)

    def writing(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return writing


def switched_on(text: str) -> dict[str, Any]:
    """The example with every switched-off line switched on, as plain values."""
    values: dict[str, Any] = toml_rs.loads(re.sub(r"(?m)^#(?=[\w\[])", "", text))
    return values


def written(values: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:  # noqa: ANN401
    """Every key that stands in a tree, as `all_keys` places them, with its value."""
    known = dict(all_keys())
    for key, value in values.items():
        here = (*place, key) if (*place, key) in known else (*place, EACH)
        if here in known:
            yield here, value
        rows = value if isinstance(value, list) else [value]
        inside = (*here, EACH) if isinstance(value, list) else here
        for row in rows:
            if isinstance(row, dict) and (here not in known or nested(known[here].annotation)):
                yield from written(row, inside)


def test_the_example_loads_as_it_is() -> None:
    config = load_config(EXAMPLE)
    assert [feed.records for feed in config.feed] == ["units", "students", "contacts", "marks"]


def test_the_example_holds_every_key_and_no_other() -> None:
    values = switched_on(EXAMPLE.read_text(encoding="utf-8"))
    assert {place for place, _ in written(values)} == {place for place, _ in all_keys()}
    Document.model_validate(values, by_alias=True, by_name=False)


def test_the_example_shows_the_defaults() -> None:
    values = switched_on(EXAMPLE.read_text(encoding="utf-8"))
    shown = Document.model_validate(values, by_alias=True, by_name=False)
    assert shown.calendar.model_copy(update={"unit": (), "terms": (), "sessions": ()}) == type(
        shown.calendar
    ).model_construct(terms=(), sessions=())
    assert shown.rules == RulesConfig()
    assert shown.pacing.model_copy(update={"throttle": shown.pacing.throttle[1:]}) == PacingConfig(
        throttle=PacingConfig().throttle[1:]
    )
    assert shown.console == ConsoleConfig()
    for place, value in written(values):
        default = dict(all_keys())[place].default
        if isinstance(default, str | int | float):
            assert value == default or place[:2] in {("feed", EACH), ("pacing", "throttle")}


def test_every_line_of_the_example_has_its_sentence() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    keys = [at for at, line in enumerate(lines) if re.match(r"#?\w+ = ", line)]
    seen: set[str] = set()
    for at in keys:
        key = lines[at].lstrip("#").split(" ")[0]
        above = next(line for line in reversed(lines[:at]) if not re.match(r"#\w+ = ", line))
        assert above.startswith("# ") or key in seen, lines[at]
        seen.add(key)


@pytest.mark.skipif(not GRAND_BEND.exists(), reason="the shared data are not here")
def test_the_configuration_of_grand_bend_loads_unchanged() -> None:
    config = load_config(GRAND_BEND)
    assert config.feed[-1].presence == "implied"
    assert config.rules.mass_absence_share == 0.99


@pytest.mark.skipif(not INTERFACE.exists(), reason="the shared design is not here")
def test_the_example_of_the_interface_loads_unchanged(write: Callable[[str], Path]) -> None:
    page = INTERFACE.read_text(encoding="utf-8").split("## Configuration")[1]
    config = load_config(write(page.split("```toml\n")[1].split("```")[0]))
    assert config.ladder[0].rung[1].unless == "acknowledged"
    assert config.channels.webhook is not None
    secret = config.channels.webhook.endpoints["edu"].secret
    assert secret is not None
    assert secret.get_secret_value() == SECRETS["hook.secret"].strip()
