"""Which telephone numbers text messages reach: mobiles everywhere, and no landline of any country."""

from __future__ import annotations

import pytest

from notifiers.numbers import NumberKind, kind_of, takes_texts


@pytest.mark.parametrize(
    "number",
    [
        "+8613800000001",
        "+8616500000001",
        "+8617000000001",
        "+8617100000001",
        "+8619200000001",
        "+8619900000001",
        "+8614800000001",
        "+85261234567",
        "+886912345678",
        "+447911123456",
        "+12025550123",
        "+525512345678",
        "+4915112345678",
    ],
)
def test_mobiles_are_reached_those_of_virtual_operators_and_of_shared_ranges_too(number: str) -> None:
    assert takes_texts(number)


def test_a_number_that_no_table_knows_yet_is_tried_where_it_is_as_long_as_a_mobiles() -> None:
    assert kind_of("+447700900123") is NumberKind.PERHAPS_MOBILE


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+869111234567", NumberKind.LANDLINE),
        ("+861062345678", NumberKind.LANDLINE),
        ("+867558123456", NumberKind.NO_MOBILE),
        ("+864008001234", NumberKind.SERVICE),
        ("+868008001234", NumberKind.SERVICE),
        ("+8612800000001", NumberKind.NO_MOBILE),
        ("+8685291234567", NumberKind.NO_MOBILE),
        ("+861380000001", NumberKind.NO_MOBILE),
        ("+86138000000012", NumberKind.NO_MOBILE),
        ("+442079460000", NumberKind.LANDLINE),
        ("+18005550199", NumberKind.SERVICE),
        ("+551199999999", NumberKind.PERHAPS_MOBILE),
        ("no number", NumberKind.NO_MOBILE),
        ("", NumberKind.NO_MOBILE),
    ],
)
def test_what_is_no_mobile_is_known_by_its_kind(number: str, kind: NumberKind) -> None:
    assert kind_of(number) is kind
    assert takes_texts(number) is (kind is NumberKind.PERHAPS_MOBILE)
