"""Approved texts: what fills them, what is shortened and what never, and what is told before anything is sent."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from notifiers.contract import DeliveryError
from notifiers.examples import examples
from notifiers.phrases import KINDS
from notifiers.provider import Limits
from notifiers.sms.facts import CASE, CUT, FACTS, FIXED, NOTHING, shortened, sms_facts
from notifiers.sms.templates import REPORTED, Parameter, Template, Templates, template_faults, uncovered
from tests.notifiers.letters import PHONE, message

ALIYUN = Limits(variable=35)


def told(which: str = "one", kind: str = "report", language: str = "zh", **changed: Any) -> dict[str, str]:  # noqa: ANN401
    return sms_facts(kind, language, {**examples(language)[which], **changed})


def filled(*parameters: Parameter, limits: Limits = ALIYUN, facts: dict[str, str] | None = None) -> list[str]:
    several = Templates([Template("T", (), "zh", parameters)], limits)
    return [value for _, value in several.fill(message(PHONE, template="report", parameters=facts or told())).values]


def faults(*rows: dict[str, Any], limits: Limits = ALIYUN, **rest: Any) -> list[tuple[tuple[str | int, ...], str]]:  # noqa: ANN401
    given = {"callback": "0911-1234567", "replies": True, **rest}
    return [(found.place, found.fault) for found in template_faults(rows, limits, **given)]


def parameters(*several: dict[str, Any]) -> dict[str, Any]:
    return {"id": "T", "parameters": list(several)}


# ---- facts ----------------------------------------------------------------------------------------------------------


def test_facts_are_those_of_the_alert_in_short() -> None:
    facts = told()
    assert facts["case"] == "2026-000123"
    assert facts["student"] == "张**"
    assert facts["due_at"] == "3月18日08:00"
    assert (facts["case_year"], facts["case_serial"]) == ("2026", "000123")
    assert (facts["due_date"], facts["due_time"]) == ("03-18", "08:00")
    assert (facts["kind"], facts["role"], facts["callback"]) == ("报告", "乡镇（街道）政府", "0900-5550100")


@pytest.mark.parametrize(("language", "student"), [("zh", "张**等3人"), ("en", "A** L** and 2 more")])
def test_of_several_children_the_first_is_named_and_all_are_counted(language: str, student: str) -> None:
    facts = told("several", language=language, count=None)
    assert facts["student"] == student
    assert facts["count"] == "3"
    assert facts["cases"] == "2026-000123、2026-000124、2026-000125"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("which", ["one", "several", "unconfirmed", "bare"])
def test_every_fact_has_some_text_for_every_message(kind: str, language: str, which: str) -> None:
    facts = told(which, kind, language)
    assert facts.keys() == FACTS
    assert all(facts.values())


def test_what_is_not_known_is_said_to_be_so() -> None:
    assert told("bare")["callback"] == NOTHING["zh"]
    assert told("bare", language="en")["callback"] == NOTHING["en"]


def test_a_name_cannot_bring_an_address_or_a_signature_along() -> None:
    first = dict(examples("zh")["one"]["alerts"][0])
    for school in ("城关小学 https://x.cn/a", "城关小学 www.x.com", "【别的局】城关小学"):
        text = told(alerts=[{**first, "school": school}])["school"]
        assert "城关小学" in text
        assert not any(sign in text for sign in ("://", "www.", ".com", "【", "】"))


def test_no_fact_is_a_link_or_the_childs_whole_name() -> None:
    assert not [fact for fact in FACTS if "url" in fact]
    assert set(FIXED) | set(CUT) == FACTS


# ---- room -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("school", "room", "short"),
    [
        ("城关镇中心小学", 12, "城关镇中心小学"),
        ("青禾县城关镇中心小学", 8, "城关镇中心小学"),
        ("山南省青禾市青禾县城关镇九年一贯制中心学校", 12, "城关镇九年一贯制中心学校"),
        ("第一中学附属第三小学分校", 6, "第一中学附属"),
    ],
)
def test_a_schools_name_loses_what_is_before_it_first(school: str, room: int, short: str) -> None:
    assert shortened("school", school, room) == short


@pytest.mark.parametrize(
    ("name", "room", "short"), [("欧阳**等12人", 6, "欧阳等12人"), ("A** L** and 2 more", 14, "A** and 2 more")]
)
def test_a_name_is_cut_and_never_the_number_of_those_with_it(name: str, room: int, short: str) -> None:
    cut = shortened("student", name, room)
    assert cut is not None
    assert len(cut) <= room
    assert cut.endswith(("等12人", "and 2 more"))
    assert cut[:2] == short[:2]


def test_case_numbers_are_left_out_whole() -> None:
    assert shortened("cases", "2026-000123、2026-000124、2026-000125", 35) == "2026-000123、2026-000124、2026-000125"
    assert shortened("cases", "2026-000123、2026-000124、2026-000125", 34) == "2026-000123、2026-000124"
    assert shortened("cases", "2026-000123、2026-000124", 11) == "2026-000123"


@pytest.mark.parametrize("fact", ["case", "callback", "due_at", "reply_code", "days_absent"])
def test_what_people_act_on_is_told_whole_or_not_at_all(fact: str) -> None:
    assert shortened(fact, "2026-000123", 11) == "2026-000123"
    assert shortened(fact, "2026-000123", 10) is None


def test_a_variable_is_shortened_to_the_smaller_of_its_rooms() -> None:
    facts = {**told(), "school": "校" * 50}
    assert filled(Parameter("school", "school"), facts=facts) == ["校" * 35]
    assert filled(Parameter("school", "school", 20), facts=facts) == ["校" * 20]


def test_a_case_number_without_room_is_refused_for_good_and_not_shown() -> None:
    with pytest.raises(DeliveryError, match="no room for case") as caught:
        filled(Parameter("case", "case", 6))
    assert caught.value.permanent
    assert "000123" not in str(caught.value)


# ---- which template ------------------------------------------------------------------------------------------------


def test_a_kind_has_its_own_text_in_its_language_then_the_common_one_then_the_other_language() -> None:
    several = Templates(
        [
            Template("own", ("report",), "zh", ()),
            Template("common", (), "zh", ()),
            Template("english", (), "en", ()),
        ],
        ALIYUN,
    )
    found = {(kind, tongue): several.of(kind, tongue) for kind in ("report", "risk") for tongue in ("zh", "en")}
    assert {key: one and one.id for key, one in found.items()} == {
        ("report", "zh"): "own",
        ("report", "en"): "english",
        ("risk", "zh"): "common",
        ("risk", "en"): "english",
    }
    assert Templates([Template("own", ("report",), "zh", ())], ALIYUN).of("report", "en") is not None
    assert Templates([Template("own", ("report",), "zh", ())], ALIYUN).of("risk", "zh") is None


@pytest.mark.parametrize(
    ("several", "most"),
    [
        ((Parameter("case", "case", 20),), 1),
        ((Parameter("cases", "cases", 35),), 2),
        ((Parameter("cases", "cases", 100),), 7),
        ((Parameter("case", "case"), Parameter("count", "count")), None),
    ],
)
def test_a_text_tells_of_as_many_children_as_it_has_case_numbers_for(
    several: tuple[Parameter, ...], most: int | None
) -> None:
    assert Templates([Template("T", (), "zh", several)], ALIYUN).most("report") == most


# ---- told before anything is sent ----------------------------------------------------------------------------------


def test_what_fits_is_no_fault() -> None:
    several = ({"fact": "case", "longest": 20}, {"fact": "school"}, {"fact": "callback"}, {"fact": "reply_code"})
    assert faults(parameters(*several)) == []


@pytest.mark.parametrize(
    ("one", "key", "fault"),
    [
        ({"fact": "case", "longest": 11}, "longest", f"leaves 11 characters for case, which needs {CASE}"),
        ({"fact": "due_at", "longest": 8}, "longest", "leaves 8 characters for due_at, which needs 12"),
        ({"fact": "callback", "longest": 11}, "longest", "leaves 11 characters for callback, which needs 12"),
        ({"fact": "school", "longest": 36}, "longest", "36 is more than the provider takes in a variable"),
    ],
)
def test_a_variable_without_room_is_told_with_its_place(one: dict[str, Any], key: str, fault: str) -> None:
    ((place, said),) = faults(parameters({"fact": "student"}, one))
    assert place == (0, "parameters", 1, key)
    assert said.startswith(fault)


def test_what_there_is_only_with_other_keys_is_told() -> None:
    row = parameters({"fact": "callback"}, {"fact": "reply_code"})
    assert faults(row, callback=None, replies=False) == [
        ((0, "parameters", 0, "fact"), "is filled by service.callback, which is not set"),
        ((0, "parameters", 1, "fact"), "is there only where answers are heard"),
    ]


def test_where_rooms_differ_from_account_to_account_each_is_asked_for() -> None:
    asked = Limits(total=500, asked=True)
    assert faults(parameters({"fact": "school"}), limits=asked) == [((0, "parameters", 0, "fact"), "has no room given")]


def test_a_kind_with_two_texts_in_a_language_is_told() -> None:
    rows: tuple[dict[str, Any], ...] = (
        {"kinds": ["report", "risk"]},
        {"kinds": ["report"], "language": "en"},
        {"kinds": ["risk"]},
        {},
        {},
    )
    assert faults(*rows) == [
        ((2,), 'is a second template for "risk", beside template[0]'),
        ((4,), "is a second template for all other kinds, beside template[3]"),
    ]


@pytest.mark.parametrize("row", [7, "x", {"kinds": 7}, {"parameters": 7}, {"parameters": [7, {"fact": 7}]}])
def test_what_is_misshapen_is_passed_over(row: Any) -> None:  # noqa: ANN401
    assert faults(row) == []
    uncovered([row])


def test_kinds_without_a_text_are_found() -> None:
    assert uncovered([{"kinds": ["report", "return"]}]) == [one for one in REPORTED if one not in {"report", "return"}]
    assert uncovered([{"kinds": ["report"]}, {"id": "all the rest"}]) == []


def test_an_instant_is_short_in_both_languages() -> None:
    first = dict(examples("zh")["one"]["alerts"][0])
    latest = [{**first, "due_at": dt.datetime(2026, 12, 28, 23, 59, tzinfo=dt.UTC)}]
    assert max(len(told(language=tongue, alerts=latest)["due_at"]) for tongue in ("zh", "en")) <= FIXED["due_at"]
