"""`rules test`: files of rule tests are played, and what is otherwise than declared is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.language import in_words, worded
from daemon.cli.output import print_json
from daemon.cli.shared import as_json, config_if_any, printing, working
from daemon.problems import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.ruletest.compare import Failure
    from daemon.ruletest.play import Office, Played, Verdict

_NOTHING = ("（无）", "(nothing)")


@click.command("test")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@printing
def test_(files: tuple[Path, ...]) -> int:
    """Play files of rule tests; what nobody declared is a failure.

    Exit status: 0 all passed, 1 some failed, 2 a file is wrong.
    """
    with working(worded("正在测试规则", "playing rule tests")):
        played = _play(files)
    if as_json():
        print_json([_plain(one) for one in played])
    else:
        for one in played:
            _print(one)
    return int(any(one.failed for one in played))


def _play(files: Sequence[Path]) -> list[Played]:
    """Every file played; ConfigError with the faults of all of them."""
    from daemon.ruletest.play import play_file  # noqa: PLC0415 - pydantic and numpy, for whoever plays

    office = _office()
    played: list[Played] = []
    problems: list[Problem] = []
    for path in files:
        try:
            played.append(play_file(path, office))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return played


def _office() -> Office:
    """What is in force here, if anything is configured."""
    from daemon.config.load import load_document  # noqa: PLC0415 - likewise
    from daemon.ruletest.play import NOWHERE, Office  # noqa: PLC0415

    path = config_if_any()
    return NOWHERE if path is None else Office.of(load_document(path), path)


def _print(played: Played) -> None:
    path, count = played.draft.path, len(played.verdicts)
    for verdict in played.verdicts:
        if verdict.failures:
            click.echo(f"{path}:{verdict.trial.line}  {worded('失败', 'FAILED')}  {verdict.trial.table.name}")
            for failure in verdict.failures:
                click.echo(_words(played, verdict, failure))
    passed, failed = count - played.failed, played.failed
    click.echo(f"{path}  {worded(f'通过 {passed}  失败 {failed}', f'passed {passed}  failed {failed}')}")


def _words(played: Played, verdict: Verdict, failure: Failure) -> str:
    """A failure as two lines: what was declared, and what came."""
    path, line, got = played.draft.path, _line(played, verdict, failure), worded("得到", "got")
    if failure.expected is None:
        return f"    {path}:{line}  {worded('未声明', 'undeclared')}\n        {got}  {failure.came}"
    return (
        f"    {path}:{line}  {worded('未如所期', 'not as declared')}\n"
        f"        {worded('期望', 'exp')}  {failure.expected}\n        {got}  {failure.came or in_words(_NOTHING)}"
    )


def _line(played: Played, verdict: Verdict, failure: Failure) -> int:
    return played.draft.line("test", verdict.trial.number, *failure.key)


def _plain(played: Played) -> dict[str, Any]:
    """One file's results as plain values."""
    from daemon.ruletest.compare import plain  # noqa: PLC0415 - likewise

    zone = played.draft.calendar.zone
    return {
        "file": str(played.draft.path),
        "passed": len(played.verdicts) - played.failed,
        "failed": played.failed,
        "tests": [
            {
                "name": verdict.trial.table.name,
                "line": verdict.trial.line,
                "passed": not verdict.failures,
                "failures": [
                    {
                        "line": _line(played, verdict, failure),
                        "at": failure.at.astimezone(zone).isoformat(),
                        "expected": failure.expected,
                        "got": failure.came,
                    }
                    for failure in verdict.failures
                ],
                "told": [plain(one, zone) for one in verdict.spoken],
            }
            for verdict in played.verdicts
        ],
    }
