"""`--from` and `--to` of commands that look back over terms."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from daemon.cli.faults import refuse
from daemon.config import Config
from daemon.desk.spans import span_end, span_start

_INSTANT = dt.timedelta(microseconds=1)


def the_span(config: Config, first: str | None, last: str | None) -> tuple[dt.datetime, dt.datetime]:
    """The first and the last instant of a span, both included; by default that of all terms."""
    zone, terms = ZoneInfo(config.service.timezone), config.calendar.terms
    start = span_start(first or min(term.from_ for term in terms).isoformat(), zone, "--from")
    end = span_end(last or max(term.to for term in terms).isoformat(), zone, "--to")
    if last is None or len(last.strip()) == len("2026-03-18"):
        end -= _INSTANT
    if end < start:
        raise refuse("--to", "lies before --from", "the span goes from the earlier to the later")
    return start, end
