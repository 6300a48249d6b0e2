"""A thousand messages due at one instant: how soon the first is with its receiver, and how soon the last."""

from __future__ import annotations

import asyncio
import datetime as dt
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import CONFIG, Keyring, build, open_house, show
from daemon.clock import wall_clock
from daemon.clockwork.memory import collect_seldom, take_short_turns
from daemon.clockwork.pools import SENDERS, Pools
from daemon.jobs.house import House
from daemon.jobs.send import send_side_by_side
from daemon.store import enrolment, outbox
from daemon.store.outbox import AlertDraft
from notifiers.webhook import Webhook, WebhookEndpoint, WebhookSettings
from rules.records import ContactRecord

MESSAGES = 1_000
SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OFFICE = ContactRecord("office", "education_office", "county", None, "office", None, None, "edu", None, 1)


def main() -> None:
    """Print the figures of the outbox."""
    collect_seldom()
    take_short_turns()
    with tempfile.TemporaryDirectory() as name, receiver() as (port, arrivals):
        house = lay_out(Path(name), port)
        print(f"{MESSAGES} webhooks due at one instant, in a store on disk, to one receiver")
        for number in range(3):
            due = fill(house, number)
            pools = Pools.of(1, ["webhook"])
            send_side_by_side(house, "webhook", pools.hands["webhook"].threads, SENDERS)
            pools.end_within(5)
            arrivals.send(None)
            at = sorted(arrivals.recv())
            with house.store.read() as tx:
                settled = len(outbox.deliveries(tx, state="sent", limit=10 * MESSAGES))
            if len(at) != MESSAGES or settled != MESSAGES * (number + 1):
                raise SystemExit(f"{len(at)} came, {settled} are known to be sent")
            print(f"  run {number + 1}: {MESSAGES / (at[-1] - due):.0f} messages a second")
        show("the first with its receiver", at[0] - due, 0.2, "s")
        show("the last with its receiver", at[-1] - due, 1.5, "s")


def lay_out(folder: Path, port: int) -> House:
    """A small county whose education office has a webhook."""
    build(folder, 2_000, CONFIG, keyring := Keyring.parse(Keyring.generate()))
    endpoints = {"edu": WebhookEndpoint(f"http://127.0.0.1:{port}/hook", SECRET)}
    house = open_house(folder, keyring, {"webhook": Webhook(WebhookSettings(endpoints), wall_clock)})
    with house.store.write() as tx:
        enrolment.upsert_contacts(tx, [OFFICE], wall_clock(), source="outbox bench")
    return house


def fill(house: House, number: int) -> float:
    """So many messages about reports, due now; the instant, in seconds since 1970."""
    now = wall_clock()
    with house.store.write() as tx:
        outbox.draft(tx, [_alert(f"{number}/{n}", n, now) for n in range(MESSAGES)], now)
    return time.time()


def _alert(key: str, n: int, now: dt.datetime) -> AlertDraft:
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
        contact_id="office",
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


@contextmanager
def receiver() -> Iterator[tuple[int, Connection]]:
    """A port on which everything is taken, and whom to ask when it came (which forgets it)."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        process.terminate()


def _receive(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    arrivals: list[float] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _read_head(reader):
            length = next(
                int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l")
            )
            await reader.readexactly(length)
            arrivals.append(time.time())
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    loop = asyncio.get_running_loop()

    def tell() -> None:
        pipe.recv()
        pipe.send(list(arrivals))
        arrivals.clear()

    loop.add_reader(pipe.fileno(), tell)
    await server.serve_forever()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


if __name__ == "__main__":
    main()
