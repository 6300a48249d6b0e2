"""What a configuration says once it is believed: defaults, spans, paths."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from daemon.config import Config, ConfigError, ConsoleConfig, FeedConfig, RulesConfig, Term, load_config
from daemon.config.columns import COLUMNS
from daemon.config.country import country_of
from daemon.feeds.columns import LAYOUTS
from daemon.problems import Problem, nearest
from tests.daemon.config_sample import ENVIRON, Page, changed, furnish, tree

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


@pytest.fixture(params=["env", "file"])
def sample(request: pytest.FixtureRequest, write: Callable[[str], Path]) -> Config:
    """The whole sample, its secrets from the environment or from files."""
    return load_config(write(Page(tree(request.param)).text), ENVIRON)


def faults(path: Path, environ: dict[str, str] | None = None) -> dict[str, str]:
    with pytest.raises(ConfigError) as refusal:
        load_config(path, environ or {})
    return {problem.key: problem.fault for problem in refusal.value.problems}


def test_two_sections_are_enough(write: Callable[[str], Path]) -> None:
    config = load_config(write(MINIMAL))
    assert config.service.timezone == "Asia/Shanghai"
    assert config.calendar.weekdays == (1, 2, 3, 4, 5)
    assert config.feed == ()
    assert config.ladder == ()
    assert config.channels.sms is None
    assert config.privacy.keys == ()
    assert config.rules == RulesConfig()
    assert config.rules.mass_absence_hold == dt.timedelta(hours=24)


def test_values_come_as_what_they_are(sample: Config) -> None:
    assert sample.calendar.terms[0].from_ == dt.date(2026, 3, 2)
    assert sample.calendar.sessions[0].start == dt.time(8)
    assert sample.feed[0].poll == dt.timedelta(minutes=5)
    assert sample.feed[0].mapping.columns == {"学号": "student_id"}
    assert sample.ladder[0].rung[0].unless == "acknowledged"


def test_nothing_in_it_can_be_changed(sample: Config) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        sample.service.mode = "shadow"


def test_a_relative_sqlite_file_lies_beside_the_configuration(write: Callable[[str], Path], tmp_path: Path) -> None:
    config = load_config(write(MINIMAL))
    assert config.base == tmp_path
    assert config.database_url == f"sqlite:///{tmp_path}/baoxue.db"
    absolute = MINIMAL.replace("[calendar]", 'database = "sqlite:////var/lib/baoxue.db"\n[calendar]')
    assert load_config(write(absolute)).database_url == "sqlite:////var/lib/baoxue.db"


@pytest.mark.parametrize(
    ("listen", "address"),
    [("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:8080", ("::1", 8080)), ("localhost:0", ("localhost", 0))],  # noqa: S104
)
def test_an_address_to_listen_on_has_a_host_and_a_port(listen: str, address: tuple[str, int]) -> None:
    assert ConsoleConfig(listen=listen).address == address


@pytest.mark.parametrize("listen", ["::1:80", "8080", "a b:80", "[::1]", "127.0.0.1:", "h:99999", "h:８０"])
def test_other_addresses_are_refused(listen: str) -> None:
    with pytest.raises(ValidationError, match="not an address and a port"):
        ConsoleConfig(listen=listen)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("10d", 864000),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("0h", 0),
        ("0", 0),
    ],
)
def test_durations_are_written_with_their_units(text: str, seconds: int) -> None:
    rules = RulesConfig.model_validate({"wait_for_roll": text})
    assert rules.wait_for_roll == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "5 m", "m5", "1m1h", "-5m", "5M", "1.5h", "PT5M", "99999999d", "５m"])
def test_other_spans_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="is not a duration"):
        RulesConfig.model_validate({"wait_for_roll": text})


def test_a_roll_may_be_waited_for_no_time_at_all() -> None:
    assert RulesConfig.model_validate({"wait_for_roll": 0}).wait_for_roll == dt.timedelta(0)


def test_models_can_be_made_by_hand_under_python_names() -> None:
    assert Term(from_=dt.date(2026, 3, 2), to=dt.date(2026, 7, 10)).from_ == dt.date(2026, 3, 2)
    assert FeedConfig(id="marks", kind="http", records="marks", token_env="TOKEN").token is None


def test_a_feed_may_lie_outside_the_folder(write: Callable[[str], Path]) -> None:
    feed = '[[feed]]\nid = "a"\nkind = "file"\nrecords = "marks"\npath = "../inbox/*.csv"\n'
    assert load_config(write(MINIMAL + feed)).feed[0].path == "../inbox/*.csv"


def test_an_edfi_feed_may_come_over_http(write: Callable[[str], Path]) -> None:
    feed = '[[feed]]\nid = "a"\nkind = "edfi"\nrecords = "marks"\nurl = "https://ods.example.org/x.xml"\n'
    assert load_config(write(MINIMAL + feed)).feed[0].url == "https://ods.example.org/x.xml"


def test_a_district_day_off_may_be_open_for_one_unit(write: Callable[[str], Path]) -> None:
    unit = 'closed = [2026-03-19]\n[[calendar.unit]]\nunit = "sch-2"\nopen = [2026-03-19]\n'
    assert load_config(write(MINIMAL + unit)).calendar.unit[0].open == (dt.date(2026, 3, 19),)


def test_a_session_of_one_unit_may_be_mapped_to(write: Callable[[str], Path]) -> None:
    values = changed(tree("env"), ("calendar", "unit", 0, "sessions", 0, "name"), "early")
    values = changed(values, ("feed", 0, "mapping", "sessions"), {"早读": "early"})
    assert load_config(write(Page(values).text), ENVIRON).feed[0].mapping.sessions == {"早读": "early"}


def test_codes_of_other_records_mean_their_own_words(write: Callable[[str], Path]) -> None:
    feed = (
        '[[feed]]\nid = "a"\nkind = "file"\npath = "a.csv"\nrecords = "{}"\nmapping = {{ codes = {{ "x" = "{}" }} }}\n'
    )
    for records, word in (
        ("units", "school"),
        ("contacts", "mentor"),
        ("movements", "suspend"),
        ("leaves", "anything"),
    ):
        assert load_config(write(MINIMAL + feed.format(records, word))).feed[0].mapping.codes == {"x": word}
    assert faults(write(MINIMAL + feed.format("units", "absent"))) == {
        "feed[0].mapping.codes.x": '"absent" is no kind of unit'
    }


def test_a_problem_without_line_or_key_leaves_them_out() -> None:
    assert str(Problem("c.toml", None, "", "does not exist")) == "c.toml  does not exist"
    assert str(Problem("c.toml", 3, "a.b", "is wrong", "do right")) == "c.toml:3 a.b  is wrong – do right"


def test_the_nearest_name_is_found_whatever_its_case() -> None:
    assert nearest("ABESNT", ["absent", "present"]) == "absent"
    assert nearest("x", ["absent"]) is None


def test_the_columns_a_mapping_may_name_are_those_the_feeds_read() -> None:
    assert {kind: set(columns) for kind, columns in COLUMNS.items()} == {
        kind: set(layout.known) for kind, layout in LAYOUTS.items()
    }


FEED = """
[[feed]]
id = "contacts"
kind = "file"
records = "contacts"
path = "contacts.csv"
units = ["一（3）班", "sch–1"]
"""


@pytest.mark.parametrize(
    ("keys", "country"),
    [
        ("", "CN"),
        ('timezone = "America/New_York"', "US"),
        ('timezone = "Europe/London"\ncountry = "IE"', "IE"),
        ('timezone = "UTC"', ""),
    ],
)
def test_telephone_numbers_are_of_the_country_that_is_written_or_of_the_zone(
    write: Callable[[str], Path], keys: str, country: str
) -> None:
    (feed,) = load_config(write(MINIMAL.replace('"610999"', f'"610999"\n{keys}') + FEED)).feed
    assert feed.country == country


def test_ids_stand_in_the_form_in_which_feeds_give_them(write: Callable[[str], Path]) -> None:
    (feed,) = load_config(write(MINIMAL + FEED)).feed
    assert feed.units == ("一(3)班", "sch-1")


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Asia/Urumqi", "CN"),
        ("Asia/Hong_Kong", "HK"),
        ("PRC", "CN"),
        ("US/Eastern", "US"),
        ("Asia/Calcutta", "IN"),
        ("Africa/Timbuktu", None),
        ("Etc/GMT-8", None),
        ("UTC", None),
    ],
)
def test_the_country_of_a_zone_is_known_only_where_it_is_one(zone: str, country: str | None) -> None:
    assert country_of(zone) == country


def test_the_figures_of_a_mass_absence_are_read_under_their_earlier_names_too(write: Callable[[str], Path]) -> None:
    config = load_config(write(f'{MINIMAL}[rules]\nstorm_share = 0.75\nstorm_hold = "3h"\n'))

    assert (config.rules.mass_absence_share, config.rules.mass_absence_hold) == (0.75, dt.timedelta(hours=3))
