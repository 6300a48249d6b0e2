"""Telephone cells as offices export them: read as the number meant, or refused with what is wrong; never another's."""

from __future__ import annotations

import pytest

from daemon.feeds.fields import phone
from daemon.feeds.payload import Fault


@pytest.mark.parametrize(
    "cell",
    [
        "13800000001",
        "138 0000 0001",
        "138-0000-0001",
        "138.0000.0001",
        "138·0000·0001",
        "13800000001.0",
        "13800000001.00",
        "１３８００００００01",
        "１３８－００００－０００１",
        "'13800000001",
        '="13800000001"',
        "tel:13800000001",
        "tel:+86-138-0000-0001",
        "电话：13800000001",
        "手机 13800000001",
        "+86 138-0000-0001",
        "0086 13800000001",
        "8613800000001",
        "013800000001",
        "\u202a13800000001\u202c",
        "13800000001,",
    ],
)
def test_one_mobile_however_it_is_written_is_one_number(cell: str) -> None:
    assert phone(cell, "CN") == "+8613800000001"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0911-1234567", "+869111234567"),
        ("（0911）1234567", "+869111234567"),
        ("86-0911-1234567", "+869111234567"),
        ("010-62345678", "+861062345678"),
        ("400-800-1234", "+864008001234"),
    ],
)
def test_a_landline_is_read_for_people_to_call(cell: str, number: str) -> None:
    assert phone(cell, "CN") == number


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("1380000000", "a mobile number of 10 digits"),
        ("138000000011", "a mobile number of 12 digits"),
        ("+86 1380000000", "a mobile number of 10 digits"),
        ("13800000004/13900000004", "more than one number"),
        ("13800000004、13900000004", "more than one number"),
        ("13800000004；13900000004", "more than one number"),
        ("13800000004 13900000004", "more than one number"),
        ("138-0000-0004, 0911-1234567", "more than one number"),
        ("0911-1234567转801", "extension"),
        ("0911-1234567 转 8001", "extension"),
        ("0911-1234567（分机801）", "extension"),
        ("0911-1234567 ext 801", "extension"),
        ("0911-1234567x801", "extension"),
        ("138OOOO0001", "a letter among its digits"),
        ("1380000000l1", "a letter among its digits"),
        ("138○○○○0001", "not a telephone number"),
        ("1.38E+10", "lost digits"),
        ("110", "not a possible telephone number"),
        ("12345", "not a possible telephone number"),
        ("无", "not a telephone number"),
    ],
)
def test_what_is_no_one_number_is_refused_with_what_is_wrong(cell: str, fault: str) -> None:
    with pytest.raises(Fault, match=fault) as caught:
        phone(cell, "CN")
    assert caught.value.hint


def test_numbers_without_a_country_are_those_of_the_configured_one() -> None:
    assert phone("(202) 555-0123", "US") == "+12025550123"
    assert phone("07700 900123", "GB") == "+447700900123"
