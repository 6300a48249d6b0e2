"""Records on standard output: one JSON document, or a table with headers in both languages."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from daemon.cli.encoding import print_utf8
from daemon.cli.shared import as_json
from notifiers.phrases import one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

# rich is slow to load, and needed only by commands that draw tables: it is imported where they are drawn.

UNBOUNDED = 1_000
"""Columns of a page that is no terminal: nothing is cut off there."""

Columns = Mapping[str, str]
"""Key of a record to the header of its column, 中文 first."""


def print_records(records: Sequence[Mapping[str, Any]], columns: Columns) -> None:
    """A list of records: all of their values as JSON, or the named ones as a table."""
    if as_json():
        print_json(records)
        return
    if not records:
        click.echo("没有记录 nothing to show")
        return
    page().print(table(records, columns))


def print_record(record: Mapping[str, Any], columns: Columns) -> None:
    """One record: as JSON, or its named values one a line."""
    if as_json():
        print_json(record)
        return
    from rich.table import Table  # noqa: PLC0415 - see above
    from rich.text import Text  # noqa: PLC0415

    grid = Table.grid(padding=(0, 2))
    for key, header in columns.items():
        if record.get(key) is not None and record[key] is not False:
            grid.add_row(Text(header, style="bold"), cell(record[key]))
    page().print(grid)


def print_json(value: object) -> None:
    """Print one JSON document, in UTF-8 whatever the locale, Chinese as it is."""
    print_utf8()
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(records: Sequence[Mapping[str, Any]], columns: Columns, title: str | None = None) -> Table:
    """Records as a table; rich counts a Han character as the two columns it takes."""
    from rich import box  # noqa: PLC0415 - see above
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for header in columns.values():
        drawn.add_column(Text(header))
    for record in records:
        drawn.add_row(*(cell(record.get(key)) for key in columns))
    return drawn


def page() -> Console:
    """Standard output, as wide as its terminal."""
    from rich.console import Console  # noqa: PLC0415 - see above

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else UNBOUNDED)


def cell(value: object) -> Text:
    """One value, without anything a feed might have put in to steer the terminal."""
    from rich.text import Text  # noqa: PLC0415 - see above

    if value is None or value is False:
        return Text("")
    if value is True:
        return Text("✓")
    if isinstance(value, Mapping):
        return Text(one_line("  ".join(f"{key}={shown(one)}" for key, one in value.items())))
    if isinstance(value, list | tuple):
        return Text(one_line(", ".join(map(shown, value))))
    return Text(one_line(shown(value)))


def shown(value: object) -> str:
    """A value as a reader wants it: instants to the second, without the offset that all of them share."""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    instant = _INSTANT.fullmatch(value)
    return f"{instant[1]} {instant[2]}" if instant else value


_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?[+-]\d\d:\d\d")
