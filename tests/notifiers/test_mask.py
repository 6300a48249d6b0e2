"""Addresses as an operator may see them: enough to tell two apart, too little to use."""

from __future__ import annotations

import pytest

from notifiers.phrases import mask_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("+8613800001234", "**1234"),
        ("office@example.org", "o**@example.org"),
        ("@example.org", "**@example.org"),
        ("", None),
        (None, None),
    ],
)
def test_an_address_keeps_its_end_only(address: str | None, shown: str | None) -> None:
    assert mask_address(address) == shown
