"""Rule files: what is accepted, and every fault at once with its line."""

from __future__ import annotations

import datetime as dt
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.rulebook import RulebookError, RuleFault, parse_duration, read_rules

LINES = {
    "id": '"absent-48h"',
    "title": '{ zh = "缺勤", en = "absent" }',
    "when": '"absent_days >= 2"',
    "after": '"48h"',
    "since": '"absence"',
    "clock": '"elapsed"',
    "stage": '"reported"',
    "ladder": '"statutory"',
    "source": '"county plan"',
}


def rule(**changed: str | None) -> str:
    """A sound rule, with some keys other than usual, or (None) left out."""
    return "[[rule]]\n" + "".join(f"{key} = {text}\n" for key, text in {**LINES, **changed}.items() if text is not None)


def faults(*texts: str) -> list[RuleFault]:
    with pytest.raises(RulebookError) as refused:
        read_rules([(f"{n}.toml", text) for n, text in enumerate(texts)], ["statutory"])
    return list(refused.value.faults)


def test_the_rule_that_ships_is_accepted() -> None:
    pack = resources.files("rules").joinpath("packs/statutory.toml").read_text(encoding="utf-8")

    [found] = read_rules([("statutory.toml", pack)], ["statutory"]).values()

    assert (found.rule_id, found.after, found.school_time) == ("absent-48h", dt.timedelta(hours=48), False)
    assert found.title["zh"] == "48小时未到校且未请假"


def test_only_five_keys_are_needed() -> None:
    rules = read_rules([("a", rule(title=None, since=None, clock=None, source=None))], ["statutory"])

    assert rules["absent-48h"].law is None


def test_a_later_file_replaces_the_rule_of_the_same_id() -> None:
    rules = read_rules([("a", rule()), ("b", rule(after='"72h"', clock='"school"'))], ["statutory"])

    assert (rules["absent-48h"].after, rules["absent-48h"].school_time) == (dt.timedelta(hours=72), True)


def test_a_rules_version_changes_with_what_it_says_and_not_with_how_it_is_written() -> None:
    def version(text: str) -> str:
        return read_rules([("a", text)], ["statutory"])["absent-48h"].version

    assert version(rule()) == version(rule().replace(" = ", "=") + "\n# a comment\n")
    assert version(rule()) != version(rule(after='"49h"'))


@pytest.mark.parametrize(
    ("changed", "line", "key", "fault", "hint"),
    [
        ({"id": None}, 1, "id", "missing", "every rule needs id"),
        ({"when": None}, 1, "when", "missing", "every rule needs when"),
        ({"after": None}, 1, "after", "missing", "every rule needs after"),
        ({"stage": None}, 1, "stage", "missing", "every rule needs stage"),
        ({"ladder": None}, 1, "ladder", "missing", "every rule needs ladder"),
        ({"id": "3"}, 2, "id", "is not text", 'write id = "…"'),
        ({"when": "3"}, 4, "when", "is not text", 'write when = "…"'),
        ({"after": "48"}, 5, "after", "is not text", 'write after = "…"'),
        ({"after": '"soon"'}, 5, "after", "'soon' is not a duration", "such as 48h, 90m or 2d"),
        ({"after": '"0h"'}, 5, "after", "'0h' is not a duration", "such as 48h, 90m or 2d"),
        ({"after": '"9999999999d"'}, 5, "after", "'9999999999d' is not a duration", "such as 48h, 90m or 2d"),
        ({"since": '"christmas"'}, 6, "since", "'christmas' is not known", "one of: absence"),
        ({"clock": '"cuckoo"'}, 7, "clock", "'cuckoo' is not known", "one of: elapsed, school"),
        ({"stage": '"watch"'}, 8, "stage", "'watch' is not known", "one of: reported"),
        ({"ladder": '"rope"'}, 9, "ladder", "no ladder 'rope'", "configured: statutory"),
        ({"source": "7"}, 10, "source", "is not text", 'write source = "…"'),
        ({"title": '"absent"'}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"title": '{ fr = "absent" }'}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"title": "{ zh = 3 }"}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"clok": '"school"'}, 11, "clok", "unknown key", "did you mean 'clock'?"),
        ({"wish": "1"}, 11, "wish", "unknown key", f"keys: {', '.join(LINES)}"),
        (
            {"when": '"absent_dayz > 1"'},
            4,
            "when",
            "unknown fact 'absent_dayz' at column 1",
            "did you mean 'absent_days'?",
        ),
    ],
)
def test_each_fault_is_said_with_its_line_and_what_to_write_instead(
    changed: dict[str, str | None], line: int, key: str, fault: str, hint: str
) -> None:
    assert faults(rule(**changed)) == [RuleFault("0.toml", line, f"rule[0].{key}", fault, hint)]


def test_all_faults_of_all_files_are_said_at_once() -> None:
    found = faults(rule(after='"x"', clok="1"), "[[rule]]\n", "surprise = 1\n" + rule())

    assert [(one.source, one.key) for one in found] == [
        ("0.toml", "rule[0].clok"),
        ("0.toml", "rule[0].after"),
        *(("1.toml", f"rule[0].{key}") for key in ("id", "when", "after", "stage", "ladder")),
        ("2.toml", "surprise"),
    ]


def test_the_second_rule_of_a_file_is_found_at_its_own_lines() -> None:
    [found] = faults(rule() + "\n" + rule(id='"b"', after='"x"'))

    assert (found.line, found.key) == (16, "rule[1].after")


def test_two_rules_of_one_id_in_one_file_are_a_mistake() -> None:
    assert [one.fault for one in faults(rule() + rule())] == ["'absent-48h' is there twice"]


def test_two_rules_that_report_are_one_too_many() -> None:
    [found] = faults(rule(), rule(id='"mine"'))

    assert found.fault == "a second rule of stage 'reported': 'mine'"
    assert found.hint == "override the shipped rule by giving yours its id, absent-48h"


def test_without_a_ladder_the_hint_says_to_add_one() -> None:
    with pytest.raises(RulebookError) as refused:
        read_rules([("a", rule())], [])

    assert refused.value.faults[0].hint == "add a [[ladder]] to the configuration"


@pytest.mark.parametrize("text", ["rule = 3", "rule = [3]", 'rule = "x"', "[rule]\nid = 1"])
def test_rules_that_are_no_list_of_tables_are_a_fault(text: str) -> None:
    assert [one.fault for one in faults(text)] == ["is not a list of tables"]


def test_what_is_no_toml_is_said_with_its_line() -> None:
    [found] = faults("[[rule]]\nid = \n")

    assert (found.line, found.fault) == (2, "is not valid TOML")


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 50_000, "x = " + "{a=" * 50_000, "[" * 100_000, "a" + ".a" * 900 + " = 1"]
)
def test_a_file_nested_as_deep_as_one_likes_is_a_fault_and_no_end(text: str) -> None:
    assert faults(text)


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.text(max_size=80),
        st.dictionaries(
            st.sampled_from([*LINES, "x"]),
            st.sampled_from(["1", '"x"', "[]", "{ zh = 1 }", "true", "2026-03-16", "[[1]]", '"48h"', "{}"]),
        ).map(lambda changed: rule(**changed)),
    )
)
def test_any_file_is_a_rulebook_or_a_list_of_faults(text: str) -> None:
    try:
        read_rules([("a", text), ("b", rule())], ["statutory"])
    except RulebookError as refused:
        assert refused.faults  # noqa: PT017 - either may happen


@pytest.mark.parametrize(
    ("text", "hours"), [("2d", 48), ("48h", 48), ("1h30m", 1.5), ("90s", 0.025), ("1d1h1m", 25 + 1 / 60)]
)
def test_durations_are_read(text: str, hours: float) -> None:
    assert parse_duration(text) == dt.timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "h", "1.5h", "-1h", "1h 30m", "30m1h", "1w", "0s"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert parse_duration(text) is None
