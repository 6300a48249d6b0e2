"""Commands in locales other than UTF-8: no traceback, and what programs read is UTF-8."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.daemon.cli.conftest import Terminal

ROOT = Path(__file__).resolve().parents[3]
RARE = "𠮷"
"""A letter that GBK and Latin-1 lack; GB18030 has it."""

BARE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
LOCALES = {
    "C as a minimal init gives it": BARE,
    "zh_CN.GBK": {"LC_ALL": "zh_CN.GBK"},
    "zh_CN.GB18030": {"LC_ALL": "zh_CN.GB18030"},
}
COMMANDS = (
    ("--help",),
    ("import",),
    ("contacts",),
    ("contacts", "--json"),
    ("say", "--template", "report", "--channel", "sms", "--dry-run"),
    ("simulate", "--from", "2026-03-16", "--to", "2026-03-18"),
    ("mark", "s-001", "2026-03-16", "am", "absent", "--by", f"王{RARE}"),
)


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Chinese locales that a machine need not have."""
    folder = tmp_path_factory.mktemp("locales")
    if localedef := shutil.which("localedef"):
        for charmap in ("GBK", "GB18030"):
            made = [localedef, "--no-archive", "-i", "zh_CN", "-f", charmap, str(folder / f"zh_CN.{charmap}")]
            subprocess.run(made, capture_output=True, timeout=100, check=False)  # noqa: S603 - the system's own
    return folder


@pytest.fixture(params=LOCALES)
def environ(request: pytest.FixtureRequest, locales: Path) -> dict[str, str]:
    name = str(request.param)
    if name.startswith("zh_CN") and not any(path.name.casefold() == name.casefold() for path in locales.iterdir()):
        pytest.skip(f"the locale {name} cannot be made here")
    return LOCALES[name] | {"LOCPATH": str(locales)}


def asked(words: tuple[str | bytes, ...], environ: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    there = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    return subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "daemon", *words],
        env={**there, **environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def rare(terminal: Terminal) -> Terminal:
    """A county with a child absent for two days, and with people whose names have a letter that GBK lacks."""
    for file, was in (("contacts.csv", "Tao"), ("students.csv", "Child")):
        path = terminal.folder / file
        path.write_text(path.read_text(encoding="utf-8").replace(was, f"{RARE}é"), encoding="utf-8")
    rows = [f"s-001,2026-03-{day},{half},absent" for day in (16, 17) for half in ("am", "pm")]
    text = "\n".join(["student_id,date,session,mark", *rows, ""])
    (terminal.folder / "marks-1.csv").write_text(text, encoding="utf-8")
    return terminal


@pytest.mark.usefixtures("rare")
def test_no_command_ends_in_a_traceback_and_what_programs_read_is_utf8(environ: dict[str, str]) -> None:
    said = {}
    for words in COMMANDS:
        done = said[words] = asked(words, environ)
        assert b"Traceback" not in done.stderr, (words, done.stderr.decode("latin-1"))
        assert done.returncode == 0, (words, done.stderr.decode("latin-1"))
    known = json.loads(said["contacts", "--json"].stdout.decode("utf-8"))
    assert any(RARE in json.dumps(one, ensure_ascii=False) for one in known)
    lines = said[COMMANDS[5]].stdout.decode("utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines]


@pytest.mark.usefixtures("rare")
def test_a_path_that_the_locale_cannot_write_is_said_with_what_to_set() -> None:
    done = asked(("cases", "--config", f"{RARE}/config.toml"), BARE)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"LC_ALL=C.UTF-8" in done.stderr


@pytest.mark.usefixtures("rare")
def test_words_that_are_no_text_are_refused() -> None:
    done = asked(("mark", "s-001", "2026-03-16", "am", "absent", "--by", b"\xcd\xf5"), {"LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"word 7 of the command is no text" in done.stderr
