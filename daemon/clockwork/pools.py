"""Threads by kind of work, each kind with its own, so that slow feeds never hold up sending, nor either the sweep."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from apscheduler.executors.pool import BasePoolExecutor

from daemon.providers import OF_ENDPOINTS

SENDERS = 8
"""Messages of one channel under way at once, all of them through one gateway or mail server."""
TO_ENDPOINTS = 64
"""Where each addressee is a receiver of its own, so many at once, and SENDERS to each of them."""

_MOST_POLLS = 32
_MOST_LOOKS = 6
_WATCHES = 6


class Pool(BasePoolExecutor):
    """A thread pool as the scheduler wants it, which others may use as well."""

    def __init__(self, name: str, threads: int) -> None:
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        super().__init__(self.threads)  # type: ignore[no-untyped-call]

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - the scheduler's own signature
        """Start nothing more; what runs goes on."""
        del wait
        self.threads.shutdown(wait=False, cancel_futures=True)

    def ends_within(self, until: float) -> bool:
        """Wait for its threads to end, after `shutdown`, until an instant of the monotonic clock; whether they did."""
        threads = list(self.threads._threads)  # noqa: SLF001 - a pool can only wait for ever
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in threads)


def places_of(channel: str) -> tuple[int, int | None]:
    """How many messages of a channel are under way at once, and how many of those to any one addressee."""
    return (TO_ENDPOINTS, SENDERS) if channel in OF_ENDPOINTS else (SENDERS, None)


@dataclass(frozen=True)
class Pools:
    """Every thread the clockwork lends: for polls, sweeps, looks, reloads, watches, sending and hand-overs."""

    poll: Pool
    sweep: Pool
    reload: Pool
    send: Pool
    watch: Pool
    hands: dict[str, Pool]

    @classmethod
    def of(cls, feeds: int, channels: Sequence[str]) -> Pools:
        """Pools for so many feeds and these channels."""
        return cls(
            poll=Pool("poll", min(2 * feeds + 1, _MOST_POLLS)),
            sweep=Pool("sweep", _MOST_LOOKS),
            reload=Pool("reload", 3),
            send=Pool("send", 2 * len(channels) + 1),
            watch=Pool("watch", 2 * _WATCHES),
            hands={channel: Pool(f"send {channel}", places_of(channel)[0]) for channel in channels},
        )

    def end_within(self, seconds: float, sending_seconds: float) -> bool:
        """Start nothing more and wait at most so long for what runs; return whether everything came to its end.

        Sending has longer: a message whose end nobody awaits is sent again. Hands are the last: whoever is sending may
        need them until it has settled.
        """
        begun = time.monotonic()
        sending = (self.send, *self.hands.values())
        ended = True
        for pool in (self.send, self.sweep, self.reload, self.watch, self.poll, *self.hands.values()):
            pool.shutdown()
            ended &= pool.ends_within(begun + (sending_seconds if pool in sending else seconds))
        return ended
