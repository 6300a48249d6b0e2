"""The tree of commands, each loaded when it is asked for; and how a fault leaves the program."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from gettext import gettext
from typing import Any

import click

from daemon.build import version
from daemon.cli.encoding import (
    is_of_the_locale,
    open_closed_streams,
    print_in_any_locale,
    refused_by_the_locale,
    typed_words,
)
from daemon.cli.faults import faults_of, print_faults
from daemon.cli.helping import give_words, in_readers_words, translated
from daemon.cli.shared import configured
from daemon.problems import Problem

DONE, FAILED, WRONG = 0, 1, 2
_COLLECTED_AFTER = 500_000
"""New objects after which cycles are looked for: modules being loaded make many objects and hardly a cycle."""


class LazyGroup(click.Group):
    """A group whose commands live in modules imported only when they are needed.

    Knows each as `module:attribute` and a line of help.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **rest: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **rest)
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names of all commands, as they were declared."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name; None when there is none."""
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return in_readers_words(found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands in the help, without loading one."""
        with formatter.section(gettext("Commands")):
            formatter.write_dl([(name, translated(words) or words) for name, (_, words) in self._lazy.items()])

    def main(  # type: ignore[override]  # click declares two ways to call it; this is both
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **rest: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run a command; every fault of a user's becomes lines on standard error, never a traceback."""
        standalone = rest.pop("standalone_mode", True)
        open_closed_streams()
        print_in_any_locale()
        code = self._run(args, prog_name or "baoxue", rest)
        if standalone:
            sys.exit(code)
        return code

    def _run(self, args: Sequence[str] | None, prog_name: str, rest: Mapping[str, Any]) -> int:
        give_words()
        try:
            words = typed_words(sys.argv[1:] if args is None else args)
            code = click.Group.main(in_readers_words(self), words, prog_name, standalone_mode=False, **rest)
        except click.Abort:
            click.echo("", err=True)
            return FAILED
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.message, err=True)  # the help of a group named without a command, as it is laid out
            return WRONG
        except BrokenPipeError:
            _print_no_more()  # whoever read our output has enough
            return FAILED
        except UnicodeEncodeError as error:
            if not is_of_the_locale(error):
                raise
            print_faults([Problem(prog_name, None, "", *refused_by_the_locale(error))])
            return WRONG
        except Exception as error:
            known = faults_of(error)
            if known is None:
                raise
            print_faults(known.problems)
            if isinstance(error, OSError) and error.filename is None:
                _print_no_more()
            return known.code
        return code if isinstance(code, int) else DONE


def _print_no_more() -> None:
    """Drop what Python would still write to standard output at the end: it must not complain again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_COMMANDS = {
    "demo": ("daemon.cli.daily:demo", "Show a simulated county; nothing to configure."),
    "init": ("daemon.cli.starting:init", "Make a folder with a configuration to edit and the manual."),
    "run": ("daemon.cli.daily:run", "Run the daemon."),
    "check": ("daemon.cli.daily:check", "Check configuration, rules, templates, feeds and ladders."),
    "import": ("daemon.cli.importing:import_", "Poll every feed, or one, once now."),
    "simulate": ("daemon.cli.simulating:simulate", "Run the whole daemon on a virtual clock; sends nothing."),
    "rules": ("daemon.cli.ruling:rules", "See, check, test and explain the rules."),
    "cases": ("daemon.cli.casework:list_cases", "List the ledger."),
    "case": ("daemon.cli.casework:case", "See, find, acknowledge, confirm or close a case."),
    "mark": ("daemon.cli.byhand:mark", "Say what a child's mark in one session is."),
    "leave": ("daemon.cli.byhand:leave", "Enter a leave."),
    "student": ("daemon.cli.students:student", "Say that a child has two numbers, or has not."),
    "incident": ("daemon.cli.byhand:incident", "See mass absences, silent feeds and other problems."),
    "ladder": ("daemon.cli.laddering:ladder", "See who is told one after the other; give it to open cases."),
    "silence": ("daemon.cli.silencing:silence", "Hold messages for a while."),
    "say": ("daemon.cli.saying:say", "Send a test message, or preview any."),
    "feeds": ("daemon.cli.state:feeds", "Show the state of each feed."),
    "feed": ("daemon.cli.state:feed", "Take in what is held of a feed."),
    "contacts": ("daemon.cli.contacts:contacts", "List who can be told, and which addresses fail."),
    "deliveries": ("daemon.cli.posting:deliveries", "Show what became of each message."),
    "clock": ("daemon.cli.clock:clock", "Ask whether the machine's clock can be right; say that it is."),
    "audit": ("daemon.cli.auditing:audit", "Find work that should have been done by now."),
    "db": ("daemon.cli.database:db", "Back up, restore, verify and upgrade the store."),
}
"""Each command's place and the line about it, so that help imports none of them."""


def _existing() -> dict[str, tuple[str, str]]:
    """Without the demonstration where it was not installed."""
    missing = set() if importlib.util.find_spec("daemon.demo") else {"demo"}
    return {name: known for name, known in _COMMANDS.items() if name not in missing}


def _print_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:  # noqa: FBT001 - click's own way
    if asked and not ctx.resilient_parsing:
        click.echo(f"baoxue {version()}")
        ctx.exit()


@click.group(cls=LazyGroup, lazy=_existing(), context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
@configured
def baoxue() -> None:
    """Baoxue 保学 finds children absent 48 hours without leave and tells the people who must act.

    Exit status: 0 done, 1 failed, 2 the input or the configuration is wrong.
    """


def main() -> None:
    """The console script."""
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        baoxue.main()
    finally:
        gc.freeze()  # or Python would look for cycles in everything loaded, several times, while it ends
