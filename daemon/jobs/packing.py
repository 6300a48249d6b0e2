"""Packing: messages to one addressee that would be too many leave in as few as name every child."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from daemon.config import ChannelsConfig
from daemon.providers import children_in_one_text
from daemon.store import holding
from daemon.store.holding import Gathering
from daemon.store.sending import Claimed
from daemon.store.tx import Tx
from rules.pacing import bundle_of, kind_of

ALONE = frozenset({"webhook"})
"""Machines read one kind of event at a time: nothing is bundled for them but lists."""
LISTED = {"chat": 10}
"""How many children one message names, where not any number; of a text message see the channel."""


def fits(channels: ChannelsConfig, channel: str, kind: str) -> int | None:
    """How many alerts of a kind one message may hold; None: any number. A class list counts what it does not name."""
    if kind == "first_absence":
        return None
    return children_in_one_text(channels, kind) if channel == "sms" else LISTED.get(channel)


def is_fresh(one: Claimed) -> bool:
    """Whether nobody has tried to send it, so that it may still be packed otherwise."""
    return one.message.attempts == 0 and not one.message.doubtful and not one.repeated


def packed(tx: Tx, channels: ChannelsConfig, claimed: Sequence[Claimed], waiting: Iterable[Gathering]) -> list[Claimed]:
    """These messages to one addressee in as few as possible; what went into one of those `waiting` is left out."""
    rooms = {one.message_id: one for one in waiting}
    kept: dict[str, Claimed] = {}
    taken: dict[str, list[Claimed]] = {}
    for one in claimed:
        into = _room(channels, one, rooms.values()) if is_fresh(one) else None
        if into is not None:
            rooms[into.message_id] = _with(into, one)
            taken.setdefault(into.message_id, []).append(one)
            continue
        row = one.message
        kept[row.message_id] = one
        if is_fresh(one):
            rooms[row.message_id] = Gathering(row.message_id, row.addressee, row.kind, len(one.alerts))
    for message_id, those in taken.items():
        holding.merge(tx, message_id, rooms[message_id].kind, [one.message.message_id for one in those])
        if message_id in kept:
            kept[message_id] = _whole(kept[message_id], those, rooms[message_id].kind)
    return list(kept.values())


def _room(channels: ChannelsConfig, one: Claimed, rooms: Iterable[Gathering]) -> Gathering | None:
    bundle, most = _bundle(one), fits(channels, one.message.channel, one.message.kind)
    if bundle is None:
        return None
    alike = (room for room in rooms if bundle_of(room.kind, about_child=True) == bundle)
    return next((room for room in alike if most is None or room.alerts + len(one.alerts) <= most), None)


def _with(room: Gathering, one: Claimed) -> Gathering:
    become = kind_of({room.kind, one.message.kind}, about_children=_about_children(one))
    return replace(room, kind=become, alerts=room.alerts + len(one.alerts))


def _whole(kept: Claimed, taken: Sequence[Claimed], kind: str) -> Claimed:
    alerts = (*kept.alerts, *(row for one in taken for row in one.alerts))
    return replace(kept, alerts=alerts, message=replace(kept.message, kind=kind))


def _bundle(one: Claimed) -> str | None:
    if one.message.channel in ALONE or not one.alerts:
        return None
    return bundle_of(one.message.kind, about_child=_about_children(one))


def _about_children(one: Claimed) -> bool:
    return all(row.student_id for row in one.alerts)
