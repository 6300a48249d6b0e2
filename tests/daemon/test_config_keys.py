"""Every key of the configuration × {missing, wrong type, unknown name, dangling reference}.

The keys come from the models, so that none can be forgotten; the lines from the page the test wrote itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

from daemon.config import Config, ConfigError, load_config
from daemon.config.outline import EACH, all_keys, nested
from daemon.config.source import dotted
from daemon.problems import Problem
from tests.daemon.config_sample import ENVIRON, Page, Place, at, changed, furnish, renamed, tree, without

SAMPLES = (
    tree("env"),
    tree("file"),
    tree("env", box="maildir"),
    *(tree(source, sms=provider) for provider in ("aliyun", "tencent") for source in ("env", "file")),
    tree("env", sms="gammu"),
)
SAMPLE_NAMES = [
    "secrets from the environment",
    "secrets from files",
    "bounces in a Maildir",
    *(f"{provider}, its key from the {source}" for provider in ("aliyun", "tencent") for source in ("env", "file")),
    "a modem",
]
KEYS = dict(all_keys())

NEEDED_BY_OTHERS = {
    "feed.*.path": "feed[0].path",
    "feed.*.url": "feed[1].url",
    "channels.email": "ladder[0].rung[0].channels[1]",
    "channels.sms": "ladder[0].rung[0].channels[0]",
    "channels.webhook": "ladder[0].rung[0].channels[2]",
    "channels": "ladder[0].rung[0].channels[0]",
    "ladder.*.rung.*.repeat": "ladder[0].rung[0].until",
    "network.proxy": "network.proxy_username",
    "network.proxy_username": "network.proxy_password_env",
    "network.proxy_password_env": "network.proxy_username",
    "network.proxy_password_file": "network.proxy_username",
    "channels.email.username": "channels.email.password_env",
    "channels.email.password_env": "channels.email.username",
    "channels.email.password_file": "channels.email.username",
    "channels.email.bounces.path": "channels.email.bounces.path",
    "channels.email.bounces.host": "channels.email.bounces.host",
    "channels.email.bounces.username": "channels.email.bounces.username",
    "channels.email.bounces.password_env": "channels.email.bounces.password_file",
    "channels.email.bounces.password_file": "channels.email.bounces.password_file",
    "heartbeat.url_env": "heartbeat.url_file",
    "heartbeat.url_file": "heartbeat.url_file",
    "channels.webhook.endpoints.*.secret_env": "channels.webhook.endpoints.edu.secret_file",
    "channels.webhook.endpoints.*.secret_file": "channels.webhook.endpoints.edu.secret_file",
    "channels.sms.access_key_secret_env": "channels.sms.access_key_secret_file",
    "channels.sms.access_key_secret_file": "channels.sms.access_key_secret_file",
    "channels.sms.secret_key_env": "channels.sms.secret_key_file",
    "channels.sms.secret_key_file": "channels.sms.secret_key_file",
    **{
        f"channels.sms.{key}": f"channels.sms.{key}"
        for key in ("url", "sign_name", "template", "access_key_id", "secret_id", "app_id", "spool")
    },
    "channels.sms.template.*.kinds": "channels.sms.template[1]",
    "channels.chat.endpoints.*.url_env": "channels.chat.endpoints.hedong.url_file",
    "channels.chat.endpoints.*.url_file": "channels.chat.endpoints.hedong.url_file",
}
"""Keys that may be left out, but not of this sample: something else in it refers to them. The key that complains."""

REFERENCES: dict[str, object] = {
    "service.timezone": "Asia/Shanghia",
    "service.country": "UK",
    "feed.*.mapping.columns": {"学号": "studentid"},
    "feed.*.mapping.codes": {"旷课": "abesnt"},
    "feed.*.mapping.join": {"student": ["a", "b"]},
    "feed.*.mapping.constant": {"session": "pm"},
    "feed.*.mapping.sessions": {"上午": "pm"},
    "feed.*.token_env": "NO_SUCH_VARIABLE",
    "feed.*.token_file": "no-such-file",
    **{
        f"{table}.ca_file": "no-such-file"
        for table in [
            "feed.*",
            "network",
            "channels.email",
            "channels.email.bounces",
            "channels.sms",
            "channels.chat.endpoints.*",
            "channels.webhook",
            "heartbeat",
        ]
    },
    "network.proxy_password_env": "NO_SUCH_VARIABLE",
    "network.proxy_password_file": "no-such-file",
    "rules.packs": ["statutery"],
    "rules.files": ["no-such-file"],
    "ladder.*.acknowledged_by": ["town_goverment"],
    "ladder.*.rung.*.tell": ["mentr"],
    "ladder.*.rung.*.channels": ["sms"],
    "duty.*.role": "town_goverment",
    "duty.*.timezone": "Asia/Shanghia",
    "duty.*.substitute.*.contact": "nobody",
    "hours.*.timezone": "Asia/Shanghia",
    "hours.*.roles": ["mentr"],
    "hours.*.exempt": ["reprot"],
    "pacing.throttle.*.roles": ["mentr"],
    "channels.email.password_env": "NO_SUCH_VARIABLE",
    "channels.email.password_file": "no-such-file",
    "channels.email.bounces.password_env": "NO_SUCH_VARIABLE",
    "channels.email.bounces.password_file": "no-such-file",
    "heartbeat.url_env": "NO_SUCH_VARIABLE",
    "heartbeat.url_file": "no-such-file",
    "channels.sms.token_env": "NO_SUCH_VARIABLE",
    "channels.sms.token_file": "no-such-file",
    **{
        f"channels.sms.{stem}_{source}": nowhere
        for stem in ("receipts_token", "receipts_secret", "access_key_secret", "secret_key")
        for source, nowhere in (("env", "NO_SUCH_VARIABLE"), ("file", "no-such-file"))
    },
    "channels.sms.template.*.kinds": ["reprot"],
    "channels.sms.template.*.parameters.*.fact": "acknowledge_url",
    **{
        f"channels.chat.endpoints.*.{stem}_{source}": nowhere
        for stem in ("url", "secret")
        for source, nowhere in (("env", "NO_SUCH_VARIABLE"), ("file", "no-such-file"))
    },
    "channels.webhook.endpoints.*.secret_env": "NO_SUCH_VARIABLE",
    "channels.webhook.endpoints.*.secret_file": "no-such-file",
    "privacy.key_env": "NO_SUCH_VARIABLE",
    "privacy.key_file": "no-such-file",
}
"""Keys that point at something, with a value that points at nothing."""

POINT_AT_NOTHING_YET = {
    "channels.sms.spool",
    "hours.*.contacts",
    "pacing.throttle.*.contacts",
    "feed.*.units",
    "feed.*.path",
    "channels.email.bounces.path",
    "calendar.unit.*.unit",
    "feed.*.mapping.skip",
    "feed.*.mapping.origin",
    "duty.*.unit",
    "duty.*.contacts",
    "duty.*.on_holidays",
    "duty.*.substitute.*.by",
}
"""Keys that point at what only the roster or a later delivery can tell."""

IN_THEMSELVES = re.findall(
    r"\S+",
    """
    hours.*.id hours.*.from hours.*.to hours.*.weekdays hours.*.holidays hours.*.closed hours.*.open pacing.wait
    pacing.throttle.*.channel pacing.throttle.*.most pacing.throttle.*.within pacing.throttle.*.urgent
    service.district service.database service.language service.mode service.callback calendar.weekdays calendar.holidays
    calendar.closed calendar.open calendar.terms.*.from calendar.terms.*.to calendar.sessions.*.name
    calendar.sessions.*.start calendar.sessions.*.end calendar.unit.*.closed calendar.unit.*.open
    calendar.unit.*.weekdays calendar.unit.*.sessions.*.name calendar.unit.*.sessions.*.start
    calendar.unit.*.sessions.*.end calendar.unit.*.terms.*.from calendar.unit.*.terms.*.to feed.*.id
    feed.*.kind feed.*.records feed.*.url feed.*.poll feed.*.presence feed.*.stale_after feed.*.rank
    feed.*.hold_when_missing
    feed.*.mapping.dates feed.*.mapping.empty feed.*.encoding feed.*.format feed.*.timeout feed.*.max_bytes
    rules.wait_for_roll
    rules.unconfirmed_after rules.run_break rules.mass_absence_share rules.mass_absence_hold ladder.*.id
    ladder.*.rung.*.after ladder.*.rung.*.unless ladder.*.rung.*.repeat ladder.*.rung.*.until
    ladder.*.rung.*.reach ladder.*.rung.*.fall_back ladder.*.remind_after ladder.*.lapses_after
    channels.email.host channels.email.port
    channels.email.security channels.email.from channels.email.username channels.email.timeout
    channels.email.answer_timeout
    channels.sms.provider channels.sms.url channels.sms.method channels.sms.headers channels.sms.body
    channels.sms.timeout channels.sms.sign_name channels.sms.endpoint channels.sms.access_key_id channels.sms.secret_id
    channels.sms.app_id channels.sms.region channels.sms.delivery_reports channels.sms.template.*.id
    channels.sms.template.*.language channels.sms.template.*.parameters.*.name
    channels.email.bounce_to channels.email.bounce_tag channels.email.notify channels.email.bounces.kind
    channels.email.bounces.host
    channels.email.bounces.port channels.email.bounces.security channels.email.bounces.username
    channels.email.bounces.folder channels.email.bounces.timeout channels.webhook.transport heartbeat.every
    backup.folder backup.keep backup.overdue_after
    heartbeat.method channels.sms.ok_field channels.sms.ok_value channels.sms.permanent_values channels.sms.id_field
    channels.sms.repeated_values channels.sms.push_fields channels.sms.push_statuses channels.sms.push_answer
    channels.sms.replies channels.sms.template.*.parameters.*.longest channels.webhook.timeout
    channels.chat.endpoints.*.provider channels.chat.endpoints.*.keyword channels.chat.endpoints.*.timeout
    channels.webhook.endpoints.*.url console.listen
    network.proxy network.proxy_username network.no_proxy network.proxy_from_environment feed.*.proxy channels.sms.proxy
    channels.chat.endpoints.*.proxy channels.webhook.proxy heartbeat.proxy
    console.public_url service.watch_at duty.*.from duty.*.handover duty.*.every duty.*.substitute.*.from
    duty.*.substitute.*.to
    """,
)
"""Keys whose value means itself."""


def named(key: tuple[str, ...]) -> str:
    return ".".join(key)


def places(values: Any, key: tuple[str, ...], place: Place = ()) -> Iterator[Place]:  # noqa: ANN401
    """Where `key` stands in a tree."""
    if not key:
        yield place
        return
    step, *rest = key
    steps: list[str | int] = [step]
    if step == EACH:
        steps = list(range(len(values))) if isinstance(values, list) else list(values)
    for one in steps:
        if isinstance(one, int) or one in values:
            yield from places(values[one], tuple(rest), (*place, one))


def standing(key: tuple[str, ...]) -> tuple[dict[str, Any], Place]:
    """A sample that holds `key`, and where."""
    return next((sample, place) for sample in SAMPLES for place in places(sample, key))


def wrong(value: object) -> object:
    """A value of another type."""
    return 7 if isinstance(value, str | list | dict) else "seven"


@pytest.fixture
def load(tmp_path: Path) -> Callable[[Page], Config]:
    furnish(tmp_path)

    def loading(page: Page) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(page.text, encoding="utf-8")
        return load_config(path, ENVIRON)

    return loading


@pytest.fixture
def refuse(load: Callable[[Page], Config], tmp_path: Path) -> Callable[[Page], dict[str, Problem]]:
    """Load a page that must be refused; its problems by key, each with path, line, fault and hint."""

    def refusing(page: Page) -> dict[str, Problem]:
        with pytest.raises(ConfigError) as refusal:
            load(page)
        for problem in refusal.value.problems:
            assert problem.path == str(tmp_path / "config.toml")
            assert problem.line is not None
            assert problem.fault
            assert problem.hint
            assert f"config.toml:{problem.line} {problem.key}  {problem.fault} – {problem.hint}" in str(refusal.value)
        return {problem.key: problem for problem in refusal.value.problems}

    return refusing


every_key = pytest.mark.parametrize(("key", "field"), KEYS.items(), ids=[named(key) for key in KEYS])


@pytest.mark.parametrize("sample", SAMPLES, ids=SAMPLE_NAMES)
def test_the_sample_itself_is_accepted(load: Callable[[Page], Config], sample: dict[str, Any]) -> None:
    assert load(Page(sample)).service.district == "610999"


def test_the_samples_hold_every_key() -> None:
    assert [key for key in KEYS if not any(list(places(sample, key)) for sample in SAMPLES)] == []


@every_key
def test_a_missing_key_takes_its_default_or_is_asked_for_at_its_table(
    key: tuple[str, ...], field: FieldInfo, load: Callable[[Page], Config], refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(key)
    page = Page(without(sample, place))
    if field.is_required():
        problem = refuse(page)[dotted(place)]
        assert problem.fault == "is missing"
        assert problem.line == page.lines[place[:-1]]
        assert key[-1] in (problem.hint or "")
    elif complaint := NEEDED_BY_OTHERS.get(named(key)):
        assert complaint in refuse(page)
    else:
        found: Any = load(page)
        for step in place[:-1]:
            found = found[step] if isinstance(step, int) or isinstance(found, dict) else getattr(found, step)
        assert getattr(found, str(place[-1])) == field.default


@every_key
def test_a_value_of_another_type_is_refused_where_it_stands(
    key: tuple[str, ...], field: FieldInfo, refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(key)
    page = Page(changed(sample, place, wrong(at(sample, place))))
    problem = refuse(page)[dotted(place)]
    assert problem.line == page.lines[place]
    assert ", not " in problem.fault
    assert field.description


def has_members(key: tuple[str, ...]) -> bool:
    """Whether a key holds a list or table of plain values."""
    sample, place = standing(key)
    return nested(KEYS[key].annotation) is None and isinstance(at(sample, place), list | dict)


@pytest.mark.parametrize("key", [key for key in KEYS if has_members(key)], ids=named)
def test_a_member_of_another_type_is_refused_where_it_stands(
    key: tuple[str, ...], refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(key)
    value = at(sample, place)
    inside = (*place, 0 if isinstance(value, list) else next(iter(value)))
    page = Page(changed(sample, inside, wrong(at(sample, inside))))
    assert refuse(page)[dotted(inside)].line == page.lines[inside if inside in page.lines else place]


@every_key
def test_an_unknown_name_is_refused_with_the_key_it_was_meant_to_be(
    key: tuple[str, ...], field: FieldInfo, refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(key)
    misspelt = (*place[:-1], f"{place[-1]}x")
    page = Page(renamed(sample, place, f"{place[-1]}x"))
    problem = refuse(page)[dotted(misspelt)]
    assert problem.fault == "is no key known here"
    assert problem.hint == f'did you mean "{place[-1]}"?'
    assert problem.line == page.lines[misspelt]
    assert field.description


def choices(annotation: object) -> tuple[str, ...]:
    """The words a key is limited to."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((found for part in get_args(annotation) if (found := choices(part))), ())


WORDS = {key: choices(field.annotation) for key, field in KEYS.items() if not nested(field.annotation)}


@pytest.mark.parametrize("key", [key for key, words in WORDS.items() if words], ids=named)
def test_an_unknown_word_is_refused_with_those_there_are(
    key: tuple[str, ...], refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(key)
    word = WORDS[key][0]
    several = isinstance(at(sample, place), list)
    problems = refuse(Page(changed(sample, place, [f"{word}x"] if several else f"{word}x")))
    problem = problems[dotted((*place, 0) if several else place)]
    assert f'"{word}x" is not ' in problem.fault
    assert word in (problem.hint or "")


def test_every_key_either_points_at_something_or_means_itself() -> None:
    tables = {named(key) for key, field in KEYS.items() if nested(field.annotation)}
    assert {*REFERENCES, *POINT_AT_NOTHING_YET, *IN_THEMSELVES, *tables} == {named(key) for key in KEYS}


def dangling(sample: dict[str, Any], name: str, place: Place) -> dict[str, Any]:
    """The sample with `name` pointing at nothing: at a channel without its table, or at what its value says."""
    if name == "ladder.*.rung.*.channels":
        return without(sample, ("channels", "sms"))
    return changed(sample, place, REFERENCES[name])


@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_to_nothing_is_refused_where_it_stands(
    name: str, refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    sample, place = standing(tuple(name.split(".")))
    page = Page(dangling(sample, name, place))
    problems = refuse(page)
    (problem,) = problems.values()
    assert problem.key.startswith(dotted(place))
    inside = [line for written, line in page.lines.items() if written[: len(place)] == place]
    assert problem.line in inside


@pytest.mark.parametrize("sample", SAMPLES, ids=SAMPLE_NAMES)
def test_all_dangling_references_that_can_stand_together_are_told_at_once(
    sample: dict[str, Any], refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    broken, expected = sample, []
    for name in REFERENCES.keys() - {"ladder.*.rung.*.channels"}:
        for place in list(places(sample, tuple(name.split("."))))[:1]:
            broken = dangling(broken, name, place)
            expected.append(dotted(place))
    told = refuse(Page(broken))
    assert [key for key in expected if not any(one.startswith(key) for one in told)] == []


@pytest.mark.parametrize("sample", SAMPLES, ids=SAMPLE_NAMES)
def test_all_wrong_types_are_told_at_once_beside_unknown_names(
    sample: dict[str, Any], refuse: Callable[[Page], dict[str, Problem]]
) -> None:
    broken, expected = sample, []
    for key, field in KEYS.items():
        for place in places(sample, key):
            if nested(field.annotation) is None:
                broken = changed(broken, place, wrong(at(sample, place)))
                expected.append(dotted(place))
    broken = changed(broken, ("servce",), {"district": "1"})
    told = refuse(Page(broken))
    assert {*expected, "servce"} - told.keys() == set()
