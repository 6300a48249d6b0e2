"""Help in the reader's language: the words of commands, options and click, from one catalogue; 中文 well folded."""

from __future__ import annotations

import copy
import gettext
import inspect
import re
from collections.abc import Iterable
from importlib import resources
from typing import TypeVar

import click

from daemon.cli.language import readers_language

Anything = TypeVar("Anything", bound=click.Command)

DOMAIN = "baoxue"
_UNTRANSLATED = "messages"
"""The domain gettext has of itself, in which nothing is found."""
_BETWEEN_LINES = re.compile(r"(?<=[^\x00-\x7f])\n(?=[^\x00-\x7f])|\n")


def give_words() -> None:
    """Let click find its words in the reader's language; where that is English it has them itself."""
    gettext.bindtextdomain(DOMAIN, str(resources.files("daemon.cli").joinpath("locale")))
    gettext.textdomain(DOMAIN if readers_language() == "zh" else _UNTRANSLATED)


def translated(english: str | None) -> str | None:
    """Return a text of the help in the reader's language; as it is where the catalogue does not have it."""
    plain = inspect.cleandoc(english or "")
    return gettext.gettext(plain) if plain and readers_language() == "zh" else english


def in_readers_words(command: Anything) -> Anything:
    """Return a command, with all below it, that explains itself in the reader's language."""
    if readers_language() != "zh":
        return command
    told = copy.copy(command)
    told.context_class = ChineseContext
    told.help = translated(command.help)
    told.short_help = translated(command.short_help) or _first_sentence(told.help)
    told.params = [_parameter(one) for one in command.params]
    told._help_option = None  # noqa: SLF001 - click keeps it in the language in which it was first asked for
    told.options_metavar = "[选项]"
    if isinstance(told, click.Group):
        told.subcommand_metavar = "命令 [参数]..."
        told.commands = {name: in_readers_words(one) for name, one in told.commands.items()}
    return told


def _parameter(param: click.Parameter) -> click.Parameter:
    if not isinstance(param, click.Option) or not param.help:
        return param
    told = copy.copy(param)
    told.help = translated(param.help)
    return told


def _first_sentence(text: str | None) -> str | None:
    return text.partition("。")[0].partition("：")[0] + "。" if text else text


class ChineseFormatter(click.HelpFormatter):
    """Lays out help in which a character may take two columns; click counts characters."""

    def write_text(self, text: str) -> None:
        """Write paragraphs, folded to the page."""
        margin = " " * self.current_indent
        paragraphs = [self._folded(one, self.width - self.current_indent) for one in text.split("\n\n")]
        self.write("\n\n".join("\n".join(margin + line for line in lines) for lines in paragraphs) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms with their explanations beside them, folded to the page."""
        known = list(rows)
        first = min(max((len(term) for term, _ in known), default=0), col_max) + col_spacing
        margin = " " * self.current_indent
        for term, words in known:
            lines = self._folded(words, max(self.width - first - len(margin), 10))
            beside = len(term) <= first - col_spacing
            self.write(
                margin + (term.ljust(first) + lines[0] if beside else f"{term}\n{margin}{' ' * first}{lines[0]}")
            )
            self.write("".join(f"\n{margin}{' ' * first}{line}" for line in lines[1:]).rstrip() + "\n")

    @staticmethod
    def _folded(words: str, room: int) -> list[str]:
        from daemon.cli.layout import folded  # noqa: PLC0415 - for whoever reads Chinese help

        return folded(_BETWEEN_LINES.sub("", words.strip()), room)


class ChineseContext(click.Context):
    """A context whose help is laid out for 中文."""

    formatter_class = ChineseFormatter
