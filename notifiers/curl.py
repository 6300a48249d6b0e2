"""The quick way out over HTTP: libcurl, which keeps very many requests on their way in one thread."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import certifi
import pycurl

from notifiers.answers import (
    NOT_KNOWN,
    NOT_REACHED,
    NOT_SECURE,
    REFUSED,
    Answer,
    Request,
    lost,
    malformed,
    place_of,
    refusal,
    unsent,
    unspeakable,
)
from notifiers.contract import DeliveryError

Ended = Callable[[Answer | DeliveryError], None]

_MALFORMED = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_URL_MALFORMAT})
_NOT_SECURE = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_ENGINE_INITFAILED,
    }
)
_EVENTS = {pycurl.POLL_IN: select.EPOLLIN, pycurl.POLL_OUT: select.EPOLLOUT}
_TAKEN = range(200, 300)
"""Lower statuses announce an answer and are none."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_ALWAYS = (b"Expect:", b"Accept-Encoding: identity")
_LONGEST_REST = 1.0


class CurlSender:
    """One thread and as many connections as there are requests on their way, kept for the next; does not retry.

    `timeout` bounds connecting, and twice as long the whole exchange. Otherwise, and in what it calls doubtful, like
    HttpSender: no redirects, nothing from the environment, no cookies, at most `max_answer` bytes of an answer. The
    thread begins with the first request.
    """

    def __init__(
        self,
        *,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
        ca_file: str | None = None,
        max_answer: int = 64 * 1024,
    ) -> None:
        self._terms = _Terms(int(timeout.total_seconds() * 1000), now, ca_file or certifi.where(), max_answer)
        self._loop: _Loop | None = None
        self._lock = threading.Lock()
        self._closed = False

    def send(self, request: Request) -> Answer:
        """Send once and return a 2xx answer; raise DeliveryError for anything else."""
        came: Future[Answer | DeliveryError] = Future()
        self.begin(request, came.set_result)
        answer = came.result()
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    def begin(self, request: Request, ended: Ended) -> None:
        """Send once; `ended` is called with what came of it, in a thread that has no time."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the sender is closed")
            if self._loop is None or not self._loop.lives:
                self._loop = _Loop(self._terms)
            self._loop.take(request, ended)

    def close(self) -> None:
        """Begin nothing more; what is on its way comes to its end, and with the last of it the thread."""
        with self._lock:
            self._closed = True
            if self._loop is not None:
                self._loop.end()
                self._loop = None


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for every request."""

    timeout_ms: int
    now: Callable[[], dt.datetime]
    ca_file: str
    max_answer: int


class _Loop:
    """The thread: begins what it is given and follows the sockets libcurl names; calls back with every end."""

    def __init__(self, terms: _Terms) -> None:
        self._terms = terms
        self._given: deque[tuple[Request, Ended]] = deque()
        self._ending = False
        self.lives = True
        self._rests = False
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._sockets = select.epoll()
        self._watched: set[int] = set()
        self._wakes_at: float | None = None
        self._flying: dict[pycurl.Curl, _Wire] = {}
        self._spare: list[_Wire] = []
        self._thread = threading.Thread(target=self._run, name="curl", daemon=True)
        self._thread.start()

    def take(self, request: Request, ended: Ended) -> None:
        """Begin a request as soon as the thread comes to it."""
        self._given.append((request, ended))
        if self._rests:  # a bell rung for each would cost a turn of the threads for each
            os.eventfd_write(self._bell, 1)

    def end(self) -> None:
        """Take nothing more."""
        self._ending = True
        os.eventfd_write(self._bell, 1)

    # ---- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._sockets.register(self._bell, select.EPOLLIN)
        try:
            while not self._ending or self._given or self._flying:
                self._begin(multi)
                self._look(multi)
                self._land(multi)
        finally:
            self.lives = False
            self._give_up()
            multi.close()
            self._sockets.close()
            os.close(self._bell)

    def _give_up(self) -> None:
        """Should the thread ever fail, nobody waits for it: what it was given is in doubt."""
        fault = DeliveryError("libcurl failed unexpectedly", permanent=False, doubtful=True)
        for ended in [*(wire.ended for wire in self._flying.values()), *(ended for _, ended in self._given)]:
            ended(fault)
        for wire in (*self._flying.values(), *self._spare):
            wire.curl.close()

    def _begin(self, multi: pycurl.CurlMulti) -> None:
        while self._given:
            request, ended = self._given.popleft()
            wire = self._spare.pop() if self._spare else _Wire(self._terms)
            fault = wire.carry(request, ended)
            if fault is None:
                self._flying[wire.curl] = wire
                multi.add_handle(wire.curl)
            else:
                self._spare.append(wire)
                ended(fault)

    def _look(self, multi: pycurl.CurlMulti) -> None:
        """Wait for a socket, the timer or the bell, and let libcurl go on."""
        rest = _LONGEST_REST if self._wakes_at is None else min(self._wakes_at - time.monotonic(), _LONGEST_REST)
        self._rests = True
        ready = self._sockets.poll(0 if self._given or self._ending else max(rest, 0))
        self._rests = False
        for socket, event in ready:
            if socket == self._bell:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._bell)
                continue
            reads = event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR)
            writes = event & (select.EPOLLOUT | select.EPOLLERR)
            multi.socket_action(socket, (pycurl.CSELECT_IN if reads else 0) | (pycurl.CSELECT_OUT if writes else 0))
        if self._wakes_at is not None and self._wakes_at <= time.monotonic():
            self._wakes_at = None
            multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _land(self, multi: pycurl.CurlMulti) -> None:
        left = 1
        while left:
            left, whole, broken = multi.info_read()
            for curl, code in [*((one, pycurl.E_OK) for one in whole), *((one, code) for one, code, _ in broken)]:
                multi.remove_handle(curl)
                wire = self._flying.pop(curl)
                answer, ended = wire.came(code), wire.ended
                self._spare.append(wire)
                ended(answer)

    def _watch(self, what: int, socket: int, _multi: object, _attached: object) -> None:
        if what == pycurl.POLL_REMOVE:
            if socket in self._watched:
                self._watched.discard(socket)
                with contextlib.suppress(OSError):  # closed already, and so gone from the list
                    self._sockets.unregister(socket)
            return
        events = sum(mask for bit, mask in _EVENTS.items() if what & bit)
        if socket in self._watched:
            self._sockets.modify(socket, events)
        else:
            self._watched.add(socket)
            self._sockets.register(socket, events)

    def _set_timer(self, milliseconds: int) -> None:
        self._wakes_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


class _Wire:
    """One handle of libcurl, used again and again, and the request it carries; never shows what libcurl says."""

    def __init__(self, terms: _Terms) -> None:
        self._terms = terms
        self._request: Request | None = None
        self._at = 0
        self._given = False
        self._wait: str | None = None
        self._cut = False
        self._answer = bytearray()
        self.ended: Ended = lambda _: None
        self.curl = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),  # otherwise the environment names one
            (pycurl.CAINFO, terms.ca_file),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.CONNECTTIMEOUT_MS, terms.timeout_ms),
            (pycurl.TIMEOUT_MS, 2 * terms.timeout_ms),
            (pycurl.POST, 1),
            # Without a way to rewind it libcurl cannot send again, by itself, what a kept connection swallowed.
            (pycurl.READFUNCTION, self._read),
            (pycurl.WRITEFUNCTION, self._write),
            (pycurl.HEADERFUNCTION, self._head),
        ):
            self.curl.setopt(option, value)

    def carry(self, request: Request, ended: Ended) -> DeliveryError | None:
        """Be ready for a request; why it cannot be sent, if so."""
        self.ended, self._request = ended, request
        self._at, self._given, self._wait, self._cut = 0, False, None, False
        self._answer.clear()
        lines = [f"{name}: {value}" for name, value in request.headers.items()]
        if any(map(_CONTROLS.search, (request.url, *lines))):
            return malformed(place_of(request.url))
        try:
            self.curl.setopt(pycurl.URL, request.url)
            self.curl.setopt(pycurl.HTTPHEADER, [*(line.encode("latin-1") for line in lines), *_ALWAYS])
        except UnicodeError:
            return unspeakable(place_of(request.url))
        self.curl.setopt(pycurl.CUSTOMREQUEST, request.method)
        self.curl.setopt(pycurl.POSTFIELDSIZE, len(request.body))
        return None

    def came(self, code: int) -> Answer | DeliveryError:
        """What came of it."""
        request, self._request = self._request, None
        assert request is not None
        status = self.curl.getinfo(pycurl.RESPONSE_CODE)
        whole = code == pycurl.E_OK or self._cut
        if whole and status in _TAKEN:
            return Answer(status, bytes(self._answer))
        place = place_of(request.url)
        error = refusal(place, status, self._wait, self._terms.now) if status >= _TAKEN.start else None
        return error or self._fault(place, code)

    def _fault(self, place: str, code: int) -> DeliveryError:
        if code in _MALFORMED:
            return malformed(place)
        late = code == pycurl.E_OPERATION_TIMEDOUT
        if self._given or self.curl.getinfo(pycurl.REQUEST_SIZE):
            return lost(place, late=late)
        if late:
            return unsent(place, NOT_REACHED)
        if code == pycurl.E_COULDNT_RESOLVE_HOST:
            return unsent(place, NOT_KNOWN)
        return unsent(place, NOT_SECURE if code in _NOT_SECURE else REFUSED)

    def _read(self, size: int) -> bytes:
        assert self._request is not None
        self._given = True
        part = self._request.body[self._at : self._at + size]
        self._at += len(part)
        return part

    def _write(self, part: bytes) -> int:
        room = self._terms.max_answer - len(self._answer)
        self._answer += part[:room]
        self._cut = len(part) >= room
        return 0 if self._cut else len(part)

    def _head(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name.lower() == b"retry-after":
            self._wait = value.decode("latin-1").strip()
