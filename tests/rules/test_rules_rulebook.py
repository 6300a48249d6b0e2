"""Rule files: what is accepted, and every fault at once with its line."""

from __future__ import annotations

import datetime as dt
from importlib import resources

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.durations import parse_duration
from rules.packs import SHIPPED
from rules.rulebook import Rule, Rulebook, RulebookError, RuleFault, Scope, read_rules
from rules.rulefile import LONGEST_FILE, MOST_RULES
from rules.traits import Traits

REPORT = {
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
SIGN = {
    "id": '"drift"',
    "title": '{ zh = "苗头", en = "drift" }',
    "when": '"unexcused_days_20 >= 5"',
    "until": '"unexcused_days_20 <= 2"',
    "after": '"2d"',
    "since": '"condition"',
    "clock": '"school"',
    "stage": '"watch"',
    "ladder": '"watch"',
    "rearm": '"28d"',
    "scope": '{ units = ["sch-1"], grades = [8, "九年级"], tags = ["留守"] }',
    "priority": '{ tags = ["orphan"], after = "6h" }',
    "source": '"our choice"',
    "from": "2026-09-01",
    "to": "2027-07-10",
}
KEYS = "id, title, when, until, after, since, clock, stage, ladder, rearm, scope, priority, source, from, to"


def table(lines: dict[str, str], changed: dict[str, str | None]) -> str:
    """A sound rule, with some keys other than usual, or (None) left out."""
    kept = {key: text for key, text in {**lines, **changed}.items() if text is not None}
    return "[[rule]]\n" + "".join(f"{key} = {text}\n" for key, text in kept.items())


def rule(**changed: str | None) -> str:
    return table(REPORT, changed)


def sign(**changed: str | None) -> str:
    return table(SIGN, changed)


def read(*texts: str) -> Rulebook:
    return read_rules([(f"{n}.toml", text) for n, text in enumerate(texts)], ["statutory", "watch"])


def one(*texts: str) -> Rule:
    """The last rule of a rulebook."""
    return list(read(*texts).rules.values())[-1]


def faults(*texts: str) -> list[RuleFault]:
    with pytest.raises(RulebookError) as refused:
        read(*texts)
    return list(refused.value.faults)


# ---- what is accepted -----------------------------------------------------------------------------------------------


def pack(name: str) -> str:
    return resources.files("rules").joinpath(f"packs/{name}.toml").read_text(encoding="utf-8")


def test_the_statutory_pack_needs_one_ladder_and_reports_after_48_hours() -> None:
    book = read_rules([("packs/statutory.toml", pack("statutory"))], ["statutory"])

    [report] = book.reports
    assert (report.rule_id, report.after, report.school_time) == ("absent-48h", dt.timedelta(hours=48), False)
    assert report.title["zh"] == "48小时未到校且未请假"
    assert [(one.stage, one.after.days) for one in book.stages] == [("dropped_out", 30), ("suspected", 7)]
    assert len(book.signs) == 5


def test_every_pack_that_ships_is_accepted_beside_the_others_and_says_whence_it_comes() -> None:
    folder = resources.files("rules").joinpath("packs")
    assert {f"{name}.toml" for name in SHIPPED} == {
        file.name for file in folder.iterdir() if file.name.endswith(".toml")
    }

    book = read_rules([(name, pack(name)) for name in SHIPPED], ["statutory", "watch"])

    assert all(set(rule.title) == {"zh", "en"} and rule.law for rule in book.rules.values())
    assert {rule.ladder for rule in book.signs if rule.stage == "watch"} == {"watch"}


def test_only_five_keys_are_needed_for_a_report_and_three_for_a_sign() -> None:
    report = one(rule(title=None, since=None, clock=None, source=None))
    assert (report.law, report.since, report.rearm, report.ladder) == (None, "absence", dt.timedelta(0), "statutory")

    least = one(rule(), '[[rule]]\nid = "x"\nstage = "watch"\nwhen = "absent_days > 1"')
    assert (least.after, least.since, least.rearm, least.ladder) == (
        dt.timedelta(0),
        "condition",
        dt.timedelta(days=14),
        None,
    )
    assert (least.until, least.scope, least.priority, least.first) == (None, Scope(), None, None)


def test_a_sign_has_everything_a_rule_can_have() -> None:
    found = one(rule(), sign())

    assert found.until is not None
    assert (found.after, found.rearm) == (dt.timedelta(days=2), dt.timedelta(days=28))
    assert found.scope == Scope(("sch-1",), ("8", "九年级"), ("left_behind",))
    assert found.priority is not None
    assert (found.priority.tags, found.priority.after) == (("orphan",), dt.timedelta(hours=6))
    assert (found.first, found.last) == (dt.date(2026, 9, 1), dt.date(2027, 7, 10))
    assert (found.source, found.line, found.school_time) == ("1.toml", 1, True)
    assert found.needs == {"unexcused_days_20"}


def test_a_sign_may_wait_for_nothing() -> None:
    assert one(rule(), sign(after='"0h"', since=None, priority=None)).after == dt.timedelta(0)
    assert one(rule(), sign(stage='"first_absence"', since=None)).since == "absence"
    assert one(rule(), sign(stage='"first_absence"', since=None, rearm=None)).rearm == dt.timedelta(0)


def test_a_later_file_replaces_the_rule_of_the_same_id_whole() -> None:
    book = read(rule(), sign(), rule(after='"72h"', clock='"school"', source=None))

    assert list(book.rules) == ["absent-48h", "drift"]
    [report] = book.reports
    assert (report.after, report.school_time, report.law, report.source) == (
        dt.timedelta(hours=72),
        True,
        None,
        "2.toml",
    )


def test_a_rules_version_changes_with_what_it_says_and_not_with_how_it_is_written() -> None:
    first = one(rule(), sign()).version

    backwards = "[[rule]]\n" + "\n".join(reversed(sign().splitlines()[1:]))
    assert one(rule(), backwards.replace(" = ", "=") + "\n# a comment\n").version == first
    assert one(rule(), sign(after='"49h"')).version != first
    assert one(rule(), sign(to=None)).version != first


def test_a_rulebook_knows_every_fact_its_rules_speak_of() -> None:
    assert read(rule(), sign(until='"boarding"')).needs == {"absent_days", "unexcused_days_20", "boarding"}


# ---- what is not ----------------------------------------------------------------------------------------------------

NO_DURATION = "such as 48h, 90m or 2d"


@pytest.mark.parametrize(
    ("changed", "line", "key", "fault", "hint"),
    [
        ({"id": None}, 1, "id", "missing", "every rule needs id"),
        ({"when": None}, 1, "when", "missing", "every rule needs when"),
        ({"stage": None}, 1, "stage", "missing", "every rule needs stage"),
        ({"after": None}, 1, "after", "missing", "a rule of stage reported needs after"),
        ({"ladder": None}, 1, "ladder", "missing", "a rule of stage reported needs ladder"),
        ({"id": "3"}, 2, "id", "is not text", 'write id = "…"'),
        ({"id": '"a b"'}, 2, "id", "is not a plain word", "letters, digits, - and _, such as absent-48h"),
        ({"when": "3"}, 4, "when", "is not text", 'write when = "…"'),
        ({"after": "48"}, 5, "after", "is not text", 'write after = "…"'),
        ({"after": '"soon"'}, 5, "after", "'soon' is not a duration", NO_DURATION),
        ({"after": '"0h"'}, 5, "after", "'0h' is not a duration", NO_DURATION),
        ({"after": '"9999999999d"'}, 5, "after", "'9999999999d' is not a duration", NO_DURATION),
        (
            {"since": '"christmas"'},
            6,
            "since",
            "'christmas' is not known",
            "one of: absence, leave_end, movement, term_start, condition",
        ),
        (
            {"since": '"term_start"'},
            6,
            "since",
            "a rule of stage reported counts from the absence",
            'write since = "absence"',
        ),
        ({"clock": '"cuckoo"'}, 7, "clock", "'cuckoo' is not known", "one of: elapsed, school"),
        ({"stage": '"repotred"'}, 8, "stage", "'repotred' is not known", "did you mean 'reported'?"),
        ({"ladder": '"rope"'}, 9, "ladder", "no ladder 'rope'", "configured: statutory, watch"),
        ({"ladder": '"statutary"'}, 9, "ladder", "no ladder 'statutary'", "did you mean 'statutory'?"),
        ({"source": "7"}, 10, "source", "is not text", 'write source = "…"'),
        ({"title": '"absent"'}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"title": '{ fr = "absent" }'}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"title": "{ zh = 3 }"}, 3, "title", "is not a pair of languages", 'title = { zh = "…", en = "…" }'),
        ({"clok": '"school"'}, 11, "clok", "unknown key", "did you mean 'clock'?"),
        ({"wish": "1"}, 11, "wish", "unknown key", f"keys: {KEYS}"),
        (
            {"until": '"absent_days = 0"'},
            11,
            "until",
            "means nothing in a rule of stage reported",
            "leave it out: a report is over when the child is seen",
        ),
        (
            {"rearm": '"2d"'},
            11,
            "rearm",
            "means nothing in a rule of stage reported",
            "leave it out: a report is raised again when the child was seen and is absent again",
        ),
        (
            {"priority": '{ tags = ["orphan"], after = "24h" }'},
            11,
            "priority",
            "means nothing in a rule of stage reported",
            "write a second rule with a shorter after and scope = { tags = […] }",
        ),
        (
            {"when": '"absent_dayz > 1"'},
            4,
            "when",
            "unknown fact 'absent_dayz' at column 1",
            "did you mean 'absent_days'?",
        ),
        (
            {"when": '"absent_days >= 2 AND unexcused_days_20 > 3"'},
            4,
            "when",
            "a report cannot rest on unexcused_days_20",
            'absent_days, absent_sessions, grade, boarding and tags may; stage = "watch" takes any fact',
        ),
    ],
)
def test_each_fault_of_a_report_is_said_with_its_line_and_what_to_write_instead(
    changed: dict[str, str | None], line: int, key: str, fault: str, hint: str
) -> None:
    assert faults(rule(**changed)) == [RuleFault("0.toml", line, f"rule[0].{key}", fault, hint)]


A_SCOPE = 'write scope = { units = ["sch-1"], grades = ["九年级"], tags = ["left_behind"] }'
A_PRIORITY = 'priority = { tags = ["left_behind"], after = "24h" }'
ANCHORS = "one of: absence, leave_end, movement, term_start, condition"


@pytest.mark.parametrize(
    ("changed", "line", "key", "fault", "hint"),
    [
        ({"since": None}, 1, "since", "missing: after must count from something", ANCHORS),
        ({"since": '"leave"'}, 7, "since", "'leave' is not known", "did you mean 'leave_end'?"),
        (
            {"when": '"absent_days > 3 AND absent_days < 2"', "until": None},
            4,
            "when",
            "is never true",
            "it would ask for what no child can fulfil; look at its AND, OR and NOT",
        ),
        (
            {"when": '"unexcused_days_20 > 20"', "until": None},
            4,
            "when",
            "'unexcused_days_20 > 20' is never true at column 1",
            "unexcused_days_20 is between 0 and 20",
        ),
        (
            {"until": '"boarding OR unexcused_days_20 >= 0"'},
            5,
            "until",
            "'unexcused_days_20 >= 0' is always true at column 13",
            "unexcused_days_20 is between 0 and 20",
        ),
        (
            {"until": '"unexcused_days_20 >= 5"'},
            5,
            "until",
            "is never true once `when` is not, so the sign would stand for ever",
            'such as when = "unexcused_days_20 >= 5" with until = "unexcused_days_20 <= 2"',
        ),
        ({"until": "3"}, 5, "until", "is not text", 'write until = "…"'),
        ({"rearm": '"1 week"'}, 11, "rearm", "'1 week' is not a duration", NO_DURATION),
        ({"scope": "{}"}, 12, "scope", "is empty, so it covers nobody", "leave it out to cover every child"),
        ({"scope": '"sch-1"'}, 12, "scope", "is not a table", A_SCOPE),
        (
            {"scope": "{ units = [] }"},
            12,
            "scope.units",
            "is empty, so it covers nobody",
            "leave it out to leave nobody out",
        ),
        ({"scope": '{ units = "sch-1" }'}, 12, "scope.units", "is not a list of words", 'write units = ["…", "…"]'),
        ({"scope": "{ units = [1] }"}, 12, "scope.units", "is not a list of words", 'write units = ["…", "…"]'),
        ({"scope": '{ unit = ["sch-1"] }'}, 12, "scope.unit", "unknown key", "did you mean 'units'?"),
        ({"priority": "3"}, 13, "priority", "is not a table", f"write {A_PRIORITY}"),
        ({"priority": '{ tags = ["orphan"] }'}, 13, "priority.after", "missing", A_PRIORITY),
        ({"priority": '{ after = "6h" }'}, 13, "priority.tags", "missing", A_PRIORITY),
        (
            {"priority": '{ tags = ["orphan"], after = "48h" }'},
            13,
            "priority.after",
            "is no shorter than after",
            "priority groups wait less than the others",
        ),
        (
            {"priority": '{ tags = ["orphan"], after = 6 }'},
            13,
            "priority.after",
            "'6' is not a duration",
            NO_DURATION,
        ),
        (
            {"priority": '{ tags = ["orphan"], after = "6h", x = 1 }'},
            13,
            "priority.x",
            "unknown key",
            "keys: tags, after",
        ),
        ({"from": '"2026-09-01"'}, 15, "from", "is not a date", "write from = 2026-09-01, without quotes"),
        ({"to": "2027-07-10T00:00:00"}, 16, "to", "is not a date", "write to = 2026-09-01, without quotes"),
        (
            {"to": "2026-08-31"},
            16,
            "to",
            "2026-08-31 is before from, 2026-09-01",
            "the last day on which the rule is in force",
        ),
    ],
)
def test_each_fault_of_a_sign_is_said_with_its_line_and_what_to_write_instead(
    changed: dict[str, str | None], line: int, key: str, fault: str, hint: str
) -> None:
    assert faults(sign(**changed)) == [RuleFault("0.toml", line, f"rule[0].{key}", fault, hint)]


@pytest.mark.parametrize("stage", ["suspected", "dropped_out"])
def test_a_stage_is_reached_by_waiting_and_has_no_state(stage: str) -> None:
    found = faults(
        rule(), rule(id='"s"', stage=f'"{stage}"', after=None, ladder=None, until='"boarding"', rearm='"1d"')
    )

    assert [(one.key, one.fault) for one in found] == [
        ("rule[0].after", "missing"),
        ("rule[0].until", f"means nothing in a rule of stage {stage}"),
        ("rule[0].rearm", f"means nothing in a rule of stage {stage}"),
    ]


def test_all_faults_of_all_files_are_said_at_once() -> None:
    found = faults(rule(after='"x"', clok="1"), "[[rule]]\n", "surprise = 1\n" + rule())

    assert [(one.source, one.key) for one in found] == [
        ("0.toml", "rule[0].clok"),
        ("0.toml", "rule[0].after"),
        *(("1.toml", f"rule[0].{key}") for key in ("id", "when", "stage")),
        ("2.toml", "surprise"),
    ]


def test_the_second_rule_of_a_file_is_found_at_its_own_lines() -> None:
    [found] = faults(rule() + "\n" + rule(id='"b"', after='"x"'))

    assert (found.line, found.key) == (16, "rule[1].after")


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ('"""absent_days >= 2\n AND absent_dayz >= 2"""', 5, 6),
        ('"""\nabsent_days >= 2\n\n  AND absent_dayz >= 2\n"""', 7, 7),
        ("'''\nabsent_days >= 2 AND\nabsent_dayz >= 2'''", 6, 1),
        ("'''\r\nabsent_days >= 2 AND\r\nabsent_dayz >= 2'''", 6, 1),
        ('"""\nabsent_dayz >= 2\n[[rule]]\n"""', 6, 1),
    ],
)
def test_a_condition_over_several_lines_is_found_at_its_line_of_the_file(written: str, line: int, column: int) -> None:
    text = rule(when=written) + "\n" + sign(after='"x"')
    found = faults(text)

    assert (found[0].line, found[0].key) == (line, "rule[0].when")
    assert found[0].fault.endswith(f"at column {column}")
    assert text.replace("\r\n", "\n").split("\n")[(found[-1].line or 0) - 1] == 'after = "x"'


def test_tables_of_a_rule_may_be_written_below_it() -> None:
    below = rule() + sign(scope=None, priority=None) + '[rule.scope]\nunits = ["sch-1"]\n[rule.priority]\nafter = "x"\n'
    assert [(one.line, one.key) for one in faults(below)] == [
        (27, "rule[1].priority.tags"),
        (27, "rule[1].priority.after"),
    ]


def test_two_rules_of_one_id_in_one_file_are_a_mistake() -> None:
    [found] = faults(rule() + rule())

    assert (found.line, found.fault) == (12, "'absent-48h' is there twice, first in line 1")


def test_two_rules_that_report_the_same_children_are_one_too_many() -> None:
    [found] = faults(rule(), rule(id='"mine"'))

    assert (found.source, found.key) == ("1.toml", "id")
    assert found.fault == "a second rule of stage 'reported' for the same children: 'mine' beside 'absent-48h'"
    assert found.hint == "give it the id absent-48h to replace the other, or a scope, or from and to of its own"


def test_a_rulebook_reports_every_child() -> None:
    [nobody] = faults(sign())
    [some] = faults(rule(scope='{ tags = ["orphan"] }'))

    assert nobody.fault == some.fault == "no rule of stage 'reported' for every child"
    assert nobody.hint == 'packs = ["statutory"] has one; a rule with a scope is only for some'


@pytest.mark.parametrize(
    ("first", "second", "fault"),
    [
        ({"to": "2026-08-31"}, {"from": "2026-09-01"}, None),
        ({"to": "2026-08-31"}, {"from": "2026-09-03"}, "between 2026-08-31 and 2026-09-03"),
        ({"to": "2026-08-31"}, {"from": "2026-08-31"}, "for the same children"),
        ({"to": "2026-08-31"}, {"from": "2026-09-01", "to": "2027-01-31"}, "after 2027-01-31"),
        ({"from": "2025-09-01", "to": "2026-08-31"}, {"from": "2026-09-01"}, "before 2025-09-01"),
    ],
)
def test_reports_follow_one_another_without_a_gap(
    first: dict[str, str | None], second: dict[str, str | None], fault: str | None
) -> None:
    text = rule(**first) + rule(id='"later"', **second)
    if fault is None:
        assert len(read(text).reports) == 2
    else:
        [found] = faults(text)
        assert fault in found.fault


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


def test_a_file_that_is_too_long_or_holds_too_many_rules_is_a_fault() -> None:
    assert faults("#" * (LONGEST_FILE + 1))[0].fault == f"is longer than {LONGEST_FILE} characters"
    assert faults("[[rule]]\n" * (MOST_RULES + 1))[0].fault == f"more than {MOST_RULES} rules"


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
            st.sampled_from([*SIGN, "x"]),
            st.sampled_from(
                [
                    "1",
                    '"x"',
                    "[]",
                    "{ zh = 1 }",
                    "true",
                    "2026-03-16",
                    "[[1]]",
                    '"48h"',
                    "{}",
                    "'''\n'''",
                    "{ tags = 1 }",
                ]
            ),
        ).map(lambda changed: sign(**changed)),
    )
)
def test_any_file_is_a_rulebook_or_a_list_of_faults(text: str) -> None:
    try:
        read_rules([("a", text), ("b", rule())], ["statutory", "watch"])
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


# ---- whom a rule covers ---------------------------------------------------------------------------------------------

CHILDREN = Traits(
    np.array([7, 8, 8, 0, 9], np.int16),
    ["七年级", "Grade 8", "八年级", "特教班", None],
    np.zeros(5, np.bool_),
    {"left_behind": np.array([1, 0, 0, 1, 0], np.bool_), "orphan": np.array([0, 1, 0, 0, 0], np.bool_)},
    [("c-1", "sch-1", "t-1"), ("c-2", "sch-1", "t-1"), ("c-3", "sch-2", "t-1"), ("c-4", "sch-2", "t-1"), ("c-5",)],
)


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ("{ units = ['sch-1'] }", [1, 1, 0, 0, 0]),
        ("{ units = ['t-1', 'c-5'] }", [1, 1, 1, 1, 1]),
        ("{ grades = [8] }", [0, 1, 1, 0, 0]),
        ("{ grades = ['初二', '特教班'] }", [0, 1, 1, 1, 0]),
        ("{ tags = ['留守', 'orphan'] }", [1, 1, 0, 1, 0]),
        ("{ units = ['sch-2'], grades = [7, 8] }", [0, 0, 1, 0, 0]),
    ],
)
def test_a_scope_covers_any_of_each_list_and_all_lists_together(scope: str, covered: list[int]) -> None:
    assert one(rule(), sign(scope=scope)).scope.covers(CHILDREN).tolist() == [bool(it) for it in covered]


def test_a_child_is_reported_by_the_narrowest_rule() -> None:
    book = read(
        rule(),
        rule(id='"town"', scope='{ units = ["t-1"] }'),
        rule(id='"school"', scope='{ units = ["sch-1"] }'),
        rule(id='"orphans"', scope='{ units = ["sch-1"], tags = ["orphan"] }'),
    )

    ids = [book.reports[index].rule_id for index in book.reported_for(CHILDREN)]
    assert ids == ["school", "orphans", "town", "town", "absent-48h"]


def test_of_equally_narrow_rules_the_child_has_the_one_that_waits_less() -> None:
    book = read(
        rule(),
        rule(id='"slow"', after='"36h"', scope='{ tags = ["left_behind", "orphan"] }'),
        rule(id='"quick"', after='"24h"', scope="{ grades = [7] }"),
    )

    ids = [book.reports[index].rule_id for index in book.reported_for(CHILDREN)]
    assert ids == ["quick", "slow", "absent-48h", "slow", "absent-48h"]


def test_a_child_is_reported_by_the_rule_in_force_when_it_was_last_heard_of() -> None:
    book = read(rule(to="2026-08-31") + rule(id='"later"', **{"from": "2026-09-01"}))
    heard = np.array(["2026-08-31", "2026-09-01", "NaT", "2020-01-01", "2030-01-01"], "datetime64[D]")

    ids = [book.reports[index].rule_id for index in book.reported_for(CHILDREN, heard)]
    assert ids == ["absent-48h", "later", "later", "absent-48h", "later"]


def test_a_priority_group_is_of_its_tags() -> None:
    hurried = one(rule(), sign()).priority
    assert hurried is not None
    assert hurried.covers(CHILDREN).tolist() == [False, True, False, False, False]
