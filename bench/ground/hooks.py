"""Webhooks by the thousand: a county with messages due, and a receiver in a process of its own."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bench.ground import CONFIG, Keyring, build, open_house
from daemon.clock import wall_clock
from daemon.clockwork.pools import Pools, places_of
from daemon.jobs.house import House
from daemon.jobs.send import send_side_by_side
from daemon.store import enrolment, outbox
from daemon.store.outbox import AlertDraft
from notifiers.webhook import SwiftWebhook, Webhook, WebhookEndpoint, WebhookSettings
from rules.records import ContactRecord

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK, SLOW = "quick", "slow"
SLOW_SECONDS = 1.0
TRANSPORTS = {"requests": Webhook, "curl": SwiftWebhook}


def lay_out(folder: Path, port: int, transport: str = "requests") -> House:
    """A small county with two offices, each with a webhook: one answers at once, the other after a second."""
    key = Keyring.generate()
    (folder / "bench.key").write_text(key, encoding="ascii")
    build(folder, 2_000, CONFIG, Keyring.parse(key))
    house = open_again(folder, port, transport)
    offices = [
        ContactRecord(one, "education_office", "county", None, one, None, None, one, None, 1) for one in (QUICK, SLOW)
    ]
    with house.store.write() as tx:
        enrolment.upsert_contacts(tx, offices, wall_clock(), source="bench")
    return house


def open_again(folder: Path, port: int, transport: str) -> House:
    """The county in `folder`, with what carries its webhooks."""
    keyring = Keyring.parse((folder / "bench.key").read_text(encoding="ascii"))
    endpoints = {name: WebhookEndpoint(f"http://127.0.0.1:{port}/{name}", SECRET) for name in (QUICK, SLOW)}
    return open_house(folder, keyring, {"webhook": TRANSPORTS[transport](WebhookSettings(endpoints), wall_clock)})


def fill(house: House, name: str, count: int, office: str = QUICK) -> float:
    """So many messages about reports, due now; the instant, in seconds since 1970."""
    now = wall_clock()
    with house.store.write() as tx:
        outbox.draft(tx, [_alert(f"{name}/{n}", n, office, now) for n in range(count)], now)
    return time.time()


def send(house: House) -> int:
    """Send what is due, as the daemon does; how many were claimed."""
    pools = Pools.of(1, ["webhook"])
    width, each = places_of("webhook")
    count = send_side_by_side(house, "webhook", pools.hands["webhook"].threads, width, each=each)
    pools.end_within(5, 5)
    return count


def _alert(key: str, n: int, office: str, now: dt.datetime) -> AlertDraft:
    facts = {
        "case": f"2026-{n:06}",
        "school": "学校",
        "class": "k",
        "grade": None,
        "town": "镇",
        "residence_assumed": False,
        "run_from": 1_780_000_000_000_000,
        "reported_at": 1_780_200_000_000_000,
        "days_absent": 2,
        "unconfirmed": False,
        "reason": None,
        "episode": 1,
    }
    return AlertDraft(
        key=key,
        case_id=None,
        student_id=f"s-{n:07}",
        unit_id="county",
        contact_id=office,
        role="education_office",
        channel="webhook",
        kind="report",
        episode=1,
        rung=0,
        due_at=now,
        raised_at=now,
        facts=facts,
        group_key=None,
    )


# ---- a receiver in a process of its own ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Got:
    """A webhook that came: when, at which path, under which id (empty where it has none)."""

    at: float
    path: str
    message_id: str


class Receiver:
    """Takes everything that is posted to `port`; what came is asked for, and then forgotten there."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.port = port
        self._pipe = pipe

    def got(self) -> list[Got]:
        """What came since it was last asked for, in order."""
        self._pipe.send(None)
        return [Got(*one) for one in sorted(self._pipe.recv())]

    def waits_for(self, count: int, patience: float = 30) -> list[Got]:
        """So many, and what else came with them; fewer when nothing came for so many seconds."""
        got, last = self.got(), time.monotonic()
        while len(got) < count and time.monotonic() - last < patience:
            time.sleep(0.1)
            if more := self.got():
                got, last = got + more, time.monotonic()
        return got


@contextmanager
def receiver() -> Iterator[Receiver]:
    """An asyncio server in a process of its own; what is posted to /slow is answered after a second."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Receiver(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


def _receive(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    arrivals: list[tuple[float, str, str]] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _read_head(reader):
            path, length, message_id = _parsed(head)
            await reader.readexactly(length)
            arrivals.append((time.time(), path, message_id))
            if path == SLOW:
                await asyncio.sleep(SLOW_SECONDS)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0, backlog=4096)
    pipe.send(server.sockets[0].getsockname()[1])

    def tell() -> None:
        pipe.recv()
        pipe.send(list(arrivals))
        arrivals.clear()

    asyncio.get_running_loop().add_reader(pipe.fileno(), tell)
    await server.serve_forever()


def _parsed(head: bytes) -> tuple[str, int, str]:
    """The path, the length and the id of a request."""
    first, *lines = head.split(b"\r\n")
    length, message_id = 0, ""
    for line in lines:
        if line[:9].lower() == b"content-l":
            length = int(line.partition(b":")[2])
        elif line[:11].lower() == b"webhook-id:":
            message_id = line[11:].strip().decode()
    return first.split(b" ")[1].decode().strip("/"), length, message_id


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def lost(what: str) -> None:
    """Nothing measured is of any worth where something was lost."""
    print(what, file=sys.stderr)
    raise SystemExit(1)
