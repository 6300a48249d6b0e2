"""The quick way out over HTTP: libcurl, which keeps very many requests on their way in one thread."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import pycurl

from notifiers.answers import Answer, Request
from notifiers.contract import DeliveryError
from notifiers.network import DIRECT, Network
from notifiers.wire import Ended, Terms, Wire

_EVENTS = {pycurl.POLL_IN: select.EPOLLIN, pycurl.POLL_OUT: select.EPOLLOUT}
_LONGEST_REST = 1.0


class CurlSender:
    """One thread and as many connections as there are requests on their way, kept for the next; does not retry.

    `timeout` bounds connecting, and twice as long the whole exchange. Otherwise, and in what it calls doubtful, like
    HttpSender: no redirects, one proxy or none, no cookies, at most `max_answer` bytes of an answer. The
    thread begins with the first request.
    """

    def __init__(
        self,
        *,
        timeout: dt.timedelta,
        now: Callable[[], dt.datetime],
        network: Network = DIRECT,
        max_answer: int = 64 * 1024,
    ) -> None:
        authorities = network.trust.joined()
        self._terms = Terms(int(timeout.total_seconds() * 1000), now, network, authorities, max_answer)
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


class _Loop:
    """The thread: begins what it is given and follows the sockets libcurl names; calls back with every end."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._given: deque[tuple[Request, Ended]] = deque()
        self._ending = False
        self.lives = True
        self._rests = False
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._sockets = select.epoll()
        self._watched: set[int] = set()
        self._wakes_at: float | None = None
        self._flying: dict[pycurl.Curl, Wire] = {}
        self._spare: list[Wire] = []
        self._thread = threading.Thread(target=self._run, name="curl", daemon=True)
        self._thread.start()

    def take(self, request: Request, ended: Ended) -> None:
        """Begin a request as soon as the thread comes to it."""
        self._given.append((request, ended))
        if self._rests:  # a bell rung for each would cost a turn of the threads for each
            self._rests = False
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
        fault = DeliveryError("libcurl failed unexpectedly", doubtful=True)
        for ended in [*(wire.ended for wire in self._flying.values()), *(ended for _, ended in self._given)]:
            ended(fault)
        for wire in (*self._flying.values(), *self._spare):
            wire.curl.close()

    def _begin(self, multi: pycurl.CurlMulti) -> None:
        while self._given:
            wire = self._spare.pop() if self._spare else Wire(self._terms)  # should it fail, nothing is taken yet
            request, ended = self._given.popleft()
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
