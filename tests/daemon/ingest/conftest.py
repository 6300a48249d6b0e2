"""An office whose marks come from a source on loopback, or from files that a test writes as a school would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import pytest

from daemon.store.engine import Store
from tests.daemon.desk.county_office import Office, write_county
from tests.daemon.feeds.servers import Answer, Source, serving

MARKS = 'id = "marks"\nkind = "file"\nrecords = "marks"\npath = "marks*.csv"'

Opens = Callable[..., Office]


@pytest.fixture
def opens(tmp_path: Path, sqlite_store: Store) -> Opens:
    """Opens the office; `marks` are further keys of its marks feed, `replaced` pairs of texts in its configuration."""

    def opened(marks: str = "", *replaced: tuple[str, str], students: int = 3) -> Office:
        config = write_county(tmp_path, students=students)
        text = config.read_text(encoding="utf-8").replace('units = ["sch-1"]', f'units = ["sch-1"]\n{marks}')
        text = text.replace("hold_when_missing = 0.0\n", "")
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        config.write_text(text, encoding="utf-8")
        return Office(tmp_path, sqlite_store)

    return opened


@pytest.fixture
def source() -> Iterator[Source]:
    """A source whose answer a test sets."""
    with ExitStack() as held:
        yield held.enter_context(serving(Answer()))


@pytest.fixture
def exceptions(opens: Opens, source: Source) -> Office:
    """The office with an exception feed behind an address: nobody is absent at first."""
    says(source, [])
    asked = MARKS.replace("file", "http").replace('path = "marks*.csv"', f'url = "{source.url}/exceptions.csv"')
    return opens('presence = "implied"', (MARKS, asked))


def says(source: Source, rows: list[str], headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """The source now answers with a table of these rows: child, day of March, session, mark."""
    lines = ["student_id,date,session,mark", *(f"{row}" for row in rows)]
    answers(source, ("\n".join(lines) + "\n").encode(), headers=headers)


def answers(source: Source, body: bytes, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """The source now answers so, for ever."""
    source.answers.clear()
    source.answers.append(Answer(status, body, headers))


def absent(child: str, *sessions: str, mark: str = "absent") -> list[str]:
    """Rows of a child, each session such as "16 am"."""
    return [f"{child},2026-03-{one.split()[0]},{one.split()[1]},{mark}" for one in sessions]
