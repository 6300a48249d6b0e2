"""`rules backtest`: over what the store remembers and over files, as a table, a document, a page and notices."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.config import load_config
from daemon.simulate import simulate
from tests import dropouts
from tests.county import write_feeds
from tests.daemon.cli.conftest import Reported, Terminal
from tests.daemon.test_backtest import WATCHED

FORTNIGHT = ("rules", "backtest", "--files", "--horizon", "14d")


@pytest.fixture
def six(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The small class of which two drop out, as files."""
    folder = tmp_path / "six"
    folder.mkdir()
    write_feeds(dropouts.world(), folder)
    (folder / "watch.toml").write_text(WATCHED, encoding="utf-8")
    monkeypatch.chdir(folder)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield Terminal(folder)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def rule(document: Any, name: str = "absent-48h") -> Any:  # noqa: ANN401 - JSON is what it is
    return next(one for one in document["rules"] if one["rule"] == name)


# ---- over files -----------------------------------------------------------------------------------------------------


def test_files_are_replayed_without_store_or_key(six: Terminal) -> None:
    found = rule(six.records(*FORTNIGHT))
    assert [one["student"] for one in found["flagged"]] == ["ill", "gone", "away", "late"]
    assert found["figures"]["precision"] == {"value": 0.333333, "hits": 1, "of": 3, "low": 0.061492, "high": 0.79234}
    assert {path.name for path in six.folder.iterdir() if path.suffix == ".db"} == set()


def test_the_table_says_figures_and_why_some_are_lacking(six: Terminal) -> None:
    said = six.told(*FORTNIGHT)
    assert "precision" in said
    assert "33.3% (6%–79%, n=3)" in said
    assert "base rate 11.1%" in said
    assert "raised of nobody: dropped-out-30d" in said
    never = six.told(*FORTNIGHT[:3], "--horizon", "90d")
    assert "– precision: no episode's horizon has passed within what is known" in never


def test_a_span_counts_only_the_flags_raised_in_it_but_remembers_what_came_before(six: Terminal) -> None:
    found = rule(six.records(*FORTNIGHT, "--from", "2026-04-01", "--to", "2026-04-17"))
    # The one who was ill in March was flagged before, and is not flagged anew for beginning to count in April.
    assert [one["student"] for one in found["flagged"]] == ["gone", "away"]


def test_the_same_question_has_the_same_answer(six: Terminal) -> None:
    assert six.told(*FORTNIGHT, "--json") == six.told(*FORTNIGHT, "--json")


def test_two_rule_files_are_compared_child_by_child(six: Terminal) -> None:
    later = WATCHED.replace(">= 2", ">= 5")
    (six.folder / "later.toml").write_text(later, encoding="utf-8")
    said = six.told(*FORTNIGHT, "--rules", "later.toml", "--against", "watch.toml")
    lines = [line.split() for line in said.splitlines() if line.strip().startswith("two-of-20")]
    assert [line[1:] for line in lines[-4:]] == [
        ["ill", "2026-03-24", "08:10:00", "–"],
        ["away", "2026-04-07", "08:10:00", "2026-04-10", "08:10:00"],
        ["gone", "2026-03-31", "08:10:00", "2026-04-03", "08:10:00"],
        ["late", "2026-04-21", "08:10:00", "2026-04-24", "08:10:00"],
    ]
    assert "no child differs by: absent-48h" in said


def test_page_and_notices_appear_whole(six: Terminal) -> None:
    six.told(*FORTNIGHT, "--html", "page.html", "--notices", "notices.jsonl")
    page = (six.folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.endswith("</html>")
    lines = [json.loads(line) for line in (six.folder / "notices.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["student"] for line in lines} == {"ill", "gone", "away", "late"}
    assert not list(six.folder.glob("*.partial"))


def test_notices_say_word_for_word_what_the_daemon_would_have_said(six: Terminal) -> None:
    config = six.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("[rules]", '[rules]\nfiles = ["watch.toml"]'))
    world = dropouts.world()
    told = [
        line for line in simulate(load_config(config, {}), world.start, world.end) if line["kind"] in {"report", "risk"}
    ]
    six.told(*FORTNIGHT, "--notices", "notices.jsonl")
    found = [json.loads(line) for line in (six.folder / "notices.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(map(plain, found)) == sorted(map(plain, told))


def plain(line: dict[str, Any]) -> str:
    """A line without the number of its case and the address of its link, which no two runs share."""
    words = " ".join(word for word in line["text"].replace(line["case"], "N").split() if "/a/" not in word)
    return json.dumps(line | {"case": None, "text": words}, sort_keys=True, ensure_ascii=False)


# ---- over the store -------------------------------------------------------------------------------------------------


def test_the_store_is_replayed_as_it_came_to_know(reported: Reported) -> None:
    found = rule(reported.terminal.records("rules", "backtest"))
    assert len(found["flagged"]) == 1


def test_a_past_imported_afterwards_was_not_known_then(terminal: Terminal) -> None:
    marks = "student_id,date,session,mark\ns-001,2026-03-16,am,absent\ns-001,2026-03-17,am,absent\n"
    (terminal.folder / "marks.csv").write_text(marks, encoding="utf-8")
    terminal.told("import")
    said = terminal.refused("rules", "backtest", code=1)
    assert "baoxue --to  nothing was known by 2026-07-10 23:59: the first roll came in at" in said
    assert "--files" in said


def test_a_store_that_knows_nobody_says_what_to_do(terminal: Terminal) -> None:
    said = terminal.refused("rules", "backtest", code=1)
    assert said.startswith("baoxue service.database  knows no child – run: baoxue import")


# ---- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--horizon", "soon"), "baoxue --horizon  is no duration – such as 60d or 12h"),
        (("--from", "2026-05-01", "--to", "2026-04-01"), "baoxue --to  lies before --from"),
        (("--rules", "none.toml"), "none.toml  cannot be read as UTF-8 text – name a rule file"),
        (("--outcomes", "none.csv"), "baoxue feed outcomes  none.csv: no such file or folder"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(six: Terminal, asked: tuple[str, ...], said: str) -> None:
    result = six.ask("rules", "backtest", "--files", *asked)
    assert result.exit_code in {1, 2}
    assert said in result.stderr
    assert "Traceback" not in result.stderr
