"""What of a configuration waits for a restart: where records are kept, when children are expected, what feeds them."""

from __future__ import annotations

from collections.abc import Iterator

from daemon.config.models import Config
from daemon.config.source import Place, dotted
from daemon.config.sources import FeedConfig
from daemon.config.table import Table

_WAITING: dict[str, tuple[str, ...]] = {
    "service": ("district", "timezone", "country", "database"),
    "calendar": (),
    "feed": (),
    "privacy": (),
    "console": ("listen",),
}
"""By section its keys that wait; without any, all of it does."""


def in_force(running: Config, written: Config) -> tuple[Config, tuple[str, ...]]:
    """`written` as far as it can take effect while `running` does, and the keys that wait for a restart."""
    feeds = tuple(feed.within(running.service.dialled_from) for feed in written.feed)  # their country waits, too
    written = written.model_copy(update={"feed": feeds})
    running = running.model_copy(update={"feed": _reached_anew(running, written)})
    kept: dict[str, object] = {}
    waiting: list[Place] = []
    for section, keys in _WAITING.items():
        was, said = getattr(running, section), getattr(written, section)
        kept[section] = said.model_copy(update={key: getattr(was, key) for key in keys}) if keys else was
        waiting += _differences(kept[section], said, (section,))
    return written.model_copy(update=kept), tuple(dotted(place) for place in waiting)


def _reached_anew(running: Config, written: Config) -> tuple[FeedConfig, ...]:
    """The feeds that run, reached as is written now: that needs no restart."""
    said = {feed.id: feed for feed in written.feed}
    return tuple(feed.over(written.network, said.get(feed.id)) for feed in running.feed)


def _differences(kept: object, said: object, place: Place) -> Iterator[Place]:
    """The innermost places where two parts of a configuration differ."""
    if kept == said:
        return
    inside = [found for step, was, now in _beside(kept, said) for found in _differences(was, now, (*place, step))]
    # A secret is no key of its own: where only that differs, its table does.
    yield from inside or [place]


def _beside(kept: object, said: object) -> Iterator[tuple[str | int, object, object]]:
    """What lies in both, step by step, where they are of one shape."""
    if isinstance(kept, Table) and isinstance(said, Table):
        for name in type(kept).model_fields:
            yield name.removesuffix("_"), getattr(kept, name), getattr(said, name)
    elif isinstance(kept, tuple) and isinstance(said, tuple) and len(kept) == len(said):
        yield from ((number, was, now) for number, (was, now) in enumerate(zip(kept, said, strict=True)))
