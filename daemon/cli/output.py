"""Records on standard output: one JSON document, or a table with headings in the reader's language."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click

from daemon.cli.encoding import print_utf8
from daemon.cli.language import Said, in_words, word_for
from daemon.cli.layout import Cells, Columns, pair_lines, table_lines
from daemon.cli.shared import as_json
from notifiers.phrases import one_line

__all__ = ["Columns", "page_width", "print_json", "print_record", "print_records", "print_table", "say", "shown"]

Record = Mapping[str, Any]
Words = Mapping[str, Mapping[str, Said]]
"""By column its codes, each in both languages."""
NONE: Words = MappingProxyType({})

_NARROWEST = 20


def print_records(records: Sequence[Record], columns: Columns, words: Words = NONE) -> None:
    """Print a list of records: all of their values as JSON, or the named ones as a table.

    `words`: by column what codes are called; a code that is not among them stands as it is.
    """
    if as_json():
        print_json(records)
    elif records:
        print_table(records, columns, words=words)
    else:
        say("没有记录", "nothing to show")


def print_table(
    records: Sequence[Record], columns: Columns, title: Said | None = None, *, words: Words = NONE, err: bool = False
) -> None:
    """Print records as a table; without a terminal each is one line, however long. `err`: on standard error."""
    if title is not None:
        click.echo(err=err)
        click.secho(in_words(title), bold=True, err=err)
    for line in table_lines([_cells(one, words) for one in records], columns, page_width(err=err)):
        click.echo(line, err=err)


def print_record(record: Record, columns: Columns, words: Words = NONE) -> None:
    """Print one record: as JSON, or its named values one a line."""
    if as_json():
        print_json(record)
        return
    for line in pair_lines(_cells(record, words), columns, page_width()):
        click.echo(line)


def print_json(value: object) -> None:
    """Print one JSON document, in UTF-8 whatever the locale, Chinese as it is."""
    print_utf8()
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def say(zh: str, en: str) -> None:
    """Print a line in the reader's language."""
    click.echo(in_words((zh, en)))


def page_width(*, err: bool = False) -> int | None:
    """Return how many columns the terminal has; None where the stream goes to none, and nothing is folded."""
    stream = sys.stderr if err else sys.stdout
    return max(shutil.get_terminal_size().columns, _NARROWEST) if stream.isatty() else None


def _cells(record: Record, words: Words) -> Cells:
    return {key: cell(word_for(value, words[key]) if key in words else value) for key, value in record.items()}


def cell(value: object) -> str:
    """Return one value as words on one line, without anything a feed might have put in to steer the terminal."""
    if value is None or value is False:
        return ""
    if value is True:
        return "✓"
    if isinstance(value, Mapping):
        return ", ".join(f"{one_line(str(key))}={_within(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(cell, value))
    return one_line(shown(value))


def _within(value: object) -> str:
    """Return a value of a mapping, where a blank would say nothing."""
    if isinstance(value, Mapping):
        return ", ".join(f"{one_line(str(key))} {_within(one)}" for key, one in value.items())
    return cell(value) or one_line(shown(value))


def shown(value: object) -> str:
    """Return a value as a reader wants it: instants to the second, without the offset that all of them share."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    instant = _INSTANT.fullmatch(value)
    return f"{instant[1]} {instant[2]}" if instant else value


_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?[+-]\d\d:\d\d")
