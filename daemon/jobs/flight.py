"""What of one channel is on its way: so many at once and no more, and of those only some to any one addressee."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Lock

from daemon.store.sending import Outcome, Places, Started
from notifiers.contract import DeliveryError, Message

INSTANT_SECONDS = 0.25
MOST_AHEAD = 16
"""So many times as many as have a place are claimed at the very most."""
GATHER_SECONDS = 0.05
"""What ends within so short a time is written down together."""
FURTHER_SECONDS = 0.25
"""So long at most waits unseen what was queued behind very much for others."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message whose attempt is noted, with its words; not to be begun after `until` (monotonic)."""

    started: Started
    words: Message | DeliveryError
    until: float

    @property
    def addressee(self) -> str:
        """Whom it is for."""
        return self.started.message.addressee


@dataclass(frozen=True, slots=True)
class Landed:
    """What came of a message, and the seconds it was on its way."""

    addressee: str
    outcome: Outcome
    seconds: float


class Flight:
    """Launches what is put into it as places become free, in turns between the addressees; gathers what comes of it.

    `launch` is told to hand a message over, and that or somebody else calls `land` once for it, from any thread. At
    most `each` messages to one addressee are on their way at once, so that a slow one holds its own places only, and
    `total` to all. `bell` is rung by whoever queued something.
    """

    def __init__(self, launch: Callable[[Ready], None], total: int, each: int, bell: Event) -> None:
        self._launch = launch
        self._total = total
        self._each = each
        self._bell = bell
        self._lock = Lock()
        self._lines: dict[str, deque[Ready]] = {}
        self._next: OrderedDict[str, None] = OrderedDict()
        self._flying: Counter[str] = Counter()
        self._aloft = 0
        self._landed: list[Landed] = []
        self._since: dict[int, float] = {}
        self._going: dict[int, Ready] = {}
        self._lifting = False
        self._still = Event()
        self._still.set()

    @property
    def held(self) -> Counter[str]:
        """How many messages of each addressee are on their way or wait for a place."""
        with self._lock:
            return self._flying + Counter({key: len(line) for key, line in self._lines.items()})

    @property
    def is_still(self) -> bool:
        """Whether nothing is on its way or waits, and everything that is over was gathered."""
        return self._still.is_set() and not self._landed

    def put(self, ready: Sequence[Ready]) -> None:
        """Launch these as soon as each has a place."""
        with self._lock:
            for one in ready:
                self._lines.setdefault(one.addressee, deque()).append(one)
                self._still.clear()
            for addressee in dict.fromkeys(one.addressee for one in ready):
                self._line_up(addressee)
        self._lift()

    def land(self, one: Ready, outcome: Outcome) -> None:
        """`one` is over, and its place free."""
        with self._lock:
            self._aloft -= 1
            self._flying[one.addressee] -= 1
            if not self._flying[one.addressee]:
                del self._flying[one.addressee]
            self._going.pop(id(one), None)
            self._landed.append(Landed(one.addressee, outcome, time.monotonic() - self._since.pop(id(one))))
            self._line_up(one.addressee)
            if not self._lines and not self._flying:
                self._still.set()
        self._bell.set()
        self._lift()

    def landed(self, patience: float) -> list[Landed]:
        """What is over, and what else ends within a moment; waits at most `patience` for it, or until the bell."""
        self._bell.wait(patience)
        self._bell.clear()
        if self._landed:
            self._still.wait(GATHER_SECONDS)
        return self._gather()

    def all_landed(self, every: float, meanwhile: Callable[[Sequence[Ready]], object]) -> list[Landed]:
        """Wait for everything that is on its way or waits, and return what comes of it.

        `meanwhile` is called every so many seconds, with what is on its way.
        """
        while not self._still.wait(every):
            meanwhile(self.aloft)
        return self._gather()

    @property
    def aloft(self) -> list[Ready]:
        """Return the messages that are on their way or wait for a place."""
        with self._lock:
            return [*self._going.values(), *(one for line in self._lines.values() for one in line)]

    def _gather(self) -> list[Landed]:
        with self._lock:
            landed, self._landed = self._landed, []
        return landed

    def _lift(self) -> None:
        with self._lock:
            if self._lifting:  # whoever does it looks once more
                return
            self._lifting = True
        while (one := self._pop()) is not None:
            self._launch(one)

    def _pop(self) -> Ready | None:
        with self._lock:
            if not self._next or self._aloft >= self._total:
                self._lifting = False
                return None
            addressee, _ = self._next.popitem(last=False)
            line = self._lines[addressee]
            one = line.popleft()
            self._aloft += 1
            self._flying[addressee] += 1
            self._since[id(one)] = time.monotonic()
            self._going[id(one)] = one
            if not line:
                del self._lines[addressee]
            self._line_up(addressee)
            return one

    def _line_up(self, addressee: str) -> None:
        """Let an addressee have its turn, if something waits for it and it has a place."""
        if addressee in self._lines and self._flying[addressee] < self._each:
            self._next.setdefault(addressee)


class Pace:
    """How many to claim at most: what has a place, or what is handed over in an instant at the pace of the last look.

    After a crash whatever is claimed is in doubt, so it must not be much; each claim costs, so it must not be little.
    """

    def __init__(self, total: int, each: int | None) -> None:
        self._total = total
        self._each = each
        self._ahead = total
        self._quick: dict[str, int] = {}
        self._looked = 0.0

    def note(self, landed: Sequence[Landed]) -> None:
        """These are over since the last look."""
        self._ahead = _ahead(self._total, [one.seconds for one in landed])
        taken: dict[str, list[float]] = {}
        if self._each is not None:
            for one in landed:
                taken.setdefault(one.addressee, []).append(one.seconds)
            self._quick = {key: _ahead(self._each, seconds) for key, seconds in taken.items()}

    def room(self, held: Counter[str]) -> Places | None:
        """What may be claimed beside what is on its way; None while less than half of it is free."""
        ahead = max(self._ahead if self._each is None else self._total, *self._quick.values(), 0)
        room = ahead - held.total()
        if room * 2 < ahead:
            return None
        if self._each is None:
            return Places(room)
        known = self._quick.keys() | held.keys()
        left = {key: self._quick.get(key, self._each) - held[key] for key in known}
        return Places(room, self._each, left, further=self._looks_further())

    def _looks_further(self) -> bool:
        now = time.monotonic()
        further = now - self._looked >= FURTHER_SECONDS
        self._looked = now if further else self._looked
        return further


def _ahead(places: int, seconds: Sequence[float]) -> int:
    """What that many places hand over in an instant, each message taking as long as these did in the mean."""
    mean = sum(seconds) / len(seconds) if seconds else INSTANT_SECONDS
    return max(places, min(int(places * INSTANT_SECONDS / max(mean, 0.0001)), places * MOST_AHEAD))
