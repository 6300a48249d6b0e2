"""Mails on the smallest phone, in a real browser: nothing to scroll sideways, and buttons for a thumb."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from notifiers.examples import examples
from notifiers.words import KINDS, Words

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
NARROW = 320
"""The width of the smallest phones, in CSS pixels."""
THUMB = 44
"""The height below which a thumb misses a button, in CSS pixels."""
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch"

MEASURE = """
onload = () => {
  const found = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, boxes = [...page.querySelectorAll("a")].map(a => a.getBoundingClientRect());
    found[frame.title] = {
      wide: page.documentElement.scrollWidth,
      buttons: boxes.map(box => [Math.round(box.width), Math.round(box.height)]),
      gaps: boxes.slice(1).map((box, n) => Math.round(box.top - boxes[n].bottom)),
    };
  }
  document.body.textContent = JSON.stringify(found);
}
"""


def stretched(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of which the names are words that do not end."""
    alerts = [{**one, "school": LONG, "student": LONG, "title": LONG, "town": LONG} for one in facts["alerts"]]
    faults = [{**one, "file": f"templates/{LONG}.j2", "key": LONG, "fault": LONG} for one in facts["faults"]]
    return {
        **facts,
        "alerts": alerts,
        "faults": faults,
        "unit": LONG,
        "classes": [LONG],
        "district": LONG,
        "feed": LONG,
    }


def mails() -> dict[str, str]:
    """Every mail there is, by kind, language and example."""
    words, found = Words(), {}
    for language in ("zh", "en"):
        given = examples(language)
        given["stretched"] = stretched(given["several"])
        for kind in KINDS:
            for variant, facts in given.items():
                found[f"{kind} {language} {variant}"] = words.compose(kind, "email", language, facts).html or ""
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser made of them: all on one page, since a browser takes seconds to start."""
    if not BROWSER:
        pytest.skip("no chromium here")
    shown = "".join(
        f'<iframe title="{name}" width="{NARROW}" height="740" style="border:0" srcdoc="{html.escape(mail)}"></iframe>'
        for name, mail in mails().items()
    )
    page = tmp_path_factory.mktemp("mails") / "all.html"
    page.write_text(f"<!doctype html><meta charset=utf-8><body>{shown}<script>{MEASURE}</script>", encoding="utf-8")
    return json.loads(in_browser(page))  # type: ignore[no-any-return]


def in_browser(page: Path) -> str:
    """What a page says once it has run."""
    asked = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
        f"--user-data-dir={page.parent}/profile",
    ]
    told = subprocess.run([*asked, page.as_uri()], capture_output=True, timeout=240, check=True, text=True).stdout  # noqa: S603 - a browser found on this machine
    found = re.search(r"<body>(.*)</body>", told, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def test_no_mail_is_wider_than_the_smallest_phone(measured: dict[str, Any]) -> None:
    assert {name: one["wide"] for name, one in measured.items() if one["wide"] > NARROW} == {}
    assert len(measured) == len(mails())


def test_every_button_is_wide_and_high_enough_for_a_thumb(measured: dict[str, Any]) -> None:
    buttons = [(name, *size) for name, one in measured.items() for size in one["buttons"]]
    assert [one for one in buttons if one[1] < NARROW / 2 or one[2] < THUMB] == []
    assert {name.split()[0] for name, *_ in buttons} >= {"report", "escalation", "reopened", "confirm_request"}


def test_no_thumb_touches_two_buttons(measured: dict[str, Any]) -> None:
    assert [name for name, one in measured.items() if any(gap < THUMB // 4 for gap in one["gaps"])] == []
