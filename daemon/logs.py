"""Structured logs: one JSON object a line, ours and the libraries' alike; never anything personal."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer

_FORBIDDEN = frozenset({"name", "phone", "email", "address", "text", "subject", "body", "id_number", "token", "secret"})


def withhold(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank out what must never be logged, should a caller forget; runs before anything is rendered."""
    for key in _FORBIDDEN.intersection(event):
        event[key] = "(withheld)"
    return event


def set_up_logs(
    *, as_json: bool, level: int = logging.INFO, stream: TextIO | None = None, handler: logging.Handler | None = None
) -> None:
    """Send our events and every library's through one formatter to `handler`, or else to `stream` (standard error)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold,
    ]
    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    # Tracebacks without local variables: those hold the names and numbers of children.
    if as_json:
        tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last += [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        colours = (stream or sys.stderr).isatty()
        last += [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)]
    handler = handler or logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Any stranger can make uvicorn warn, line by line: of requests that are none.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    for noisy in ("urllib3", "alembic", "watchfiles"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # It warns of a job that is still at work when it is due again; the clockwork says that in its own words.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def log_what_nobody_catches() -> None:
    """Whatever ends a thread or the program becomes a line of the log like any other, instead of text on its own."""
    log = structlog.get_logger()

    def ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.critical("not caught", exc_info=(kind, error, trace))

    def thread_ended(said: threading.ExceptHookArgs) -> None:
        if said.exc_value is not None:
            thread = said.thread.name if said.thread else None
            log.critical("thread ended", thread=thread, exc_info=(said.exc_type, said.exc_value, said.exc_traceback))

    sys.excepthook = ended
    threading.excepthook = thread_ended
