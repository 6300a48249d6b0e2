"""Ten thousand webhooks due at one instant, beside Debian's Alertmanager; a slow receiver; a death in the middle."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import peer, show
from bench.ground.hooks import QUICK, SLOW, Got, Receiver, fill, lay_out, lost, open_again, receiver, send
from daemon.clockwork.memory import collect_seldom, spare, take_short_turns
from daemon.jobs.house import House
from daemon.store import sending

MESSAGES = int(os.environ.get("BAOXUE_BENCH_WEBHOOKS", "10000"))
LEAST_RATE = 1_500.0
MOST_MEGABYTES = 250.0
BESIDE = 200
"""So many messages wait for the slow receiver, each of which it takes a second for."""


def main() -> None:
    """Print the figures of many webhooks at once."""
    prepare()
    with receiver() as hearing:
        print(f"{MESSAGES} webhooks due at one instant, in a store on disk, to one receiver")
        rates = {transport: at_one_instant(hearing, transport) for transport in ("requests", "curl")}
        theirs = alertmanager(hearing)
        show("curl: seconds for 1 500 of them", LEAST_RATE / rates["curl"], 1.0, "s")
        if theirs is not None:
            ratios = ", ".join(f"{transport} {rate / theirs:.2f}" for transport, rate in rates.items())
            print(f"  our rate as a share of Alertmanager's: {ratios}")
        for transport in rates:
            beside_a_slow_one(hearing, transport)
        for transport in rates:
            killed_in_the_middle(hearing, transport)
    show("most memory this process ever held", peak(), MOST_MEGABYTES, "MB")


def prepare() -> None:
    """Go about memory and threads as the daemon does."""
    spare()
    collect_seldom()
    take_short_turns()


def peak() -> float:
    """The most memory this process ever held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def processor() -> float:
    """Seconds of a core this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def at_one_instant(hearing: Receiver, transport: str) -> float:
    """All to one receiver; how many a second."""
    with tempfile.TemporaryDirectory() as name:
        house = lay_out(Path(name), hearing.port, transport)
        fill(house, "warm", 100)
        send(house)
        hearing.got()
        due = fill(house, "all", MESSAGES)
        begun = processor()
        send(house)
        used = (processor() - begun) / MESSAGES
        got = hearing.got()
        sent = len(ids_of(house, "sent"))
        if len(got) != MESSAGES or sent != MESSAGES + 100:
            lost(f"{transport}: {len(got)} came, {sent} are known to be sent")
        return told(transport, due, got, f"{used * 1e6:.0f} µs of a core each, {peak():.0f} MB")


def ids_of(house: House, state: str) -> set[str]:
    """The messages in a state."""
    with house.store.read() as tx:
        asked = "SELECT message_id FROM message WHERE state = ?"
        return {row[0] for row in tx.connection.exec_driver_sql(asked, (state,))}


def alertmanager(hearing: Receiver) -> float | None:
    """The same to the same receiver by Alertmanager; how many a second, if it is there."""
    if not peer.is_here():
        print(f"  {peer.COMMAND} is not installed: left out (Debian: apt install prometheus-alertmanager)")
        return None
    with tempfile.TemporaryDirectory() as name:
        run = peer.runs(Path(name), hearing, MESSAGES)
    if len(run.got) != MESSAGES:
        print(f"  Alertmanager: {len(run.got)} came")
    return told("Alertmanager", run.due, run.got, f"not durable, {run.peak / 1e6:.0f} MB")


def told(who: str, due: float, got: list[Got], more: str) -> float:
    """One line; how many a second, from when all were due to the last."""
    rate = len(got) / (got[-1].at - due)
    first, last = got[0].at - due, got[-1].at - due
    print(f"  {who:<12} {rate:6.0f} a second, the first after {first:.3f} s, the last after {last:.3f} s; {more}")
    sys.stdout.flush()
    return rate


def beside_a_slow_one(hearing: Receiver, transport: str) -> None:
    """A receiver that takes a second for each answer, with many messages that were due before all others."""
    count = MESSAGES // 10
    with tempfile.TemporaryDirectory() as name:
        house = lay_out(Path(name), hearing.port, transport)
        alone = _last(hearing, fill(house, "alone", count), send(house))
        fill(house, "slow", BESIDE, SLOW)
        due = fill(house, "beside", count)
        send(house)
        got = hearing.got()
        quick = [one for one in got if one.path == QUICK]
        if (len(quick), len(got)) != (count, count + BESIDE):
            lost(f"beside a slow receiver {len(quick)} of {count} came, {len(got)} in all")
        last = max(one.at for one in quick) - due
    print(f"  {transport}: {count} beside {BESIDE} older ones for a receiver that takes 1 s for each answer:")
    print(
        f"    the last of them after {last:.3f} s, after {alone:.3f} s alone; the slow one's after {_span(got):.0f} s"
    )


def _last(hearing: Receiver, due: float, _: int) -> float:
    return hearing.got()[-1].at - due


def _span(got: list[Got]) -> float:
    return got[-1].at - got[0].at


def killed_in_the_middle(hearing: Receiver, transport: str) -> None:
    """A process that sends is killed outright and begun anew: everything arrives, what repeats under the same id."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = lay_out(folder, hearing.port, transport)
        fill(house, "all", MESSAGES)
        ids = ids_of(house, "queued")
        house.store.close()
        command = [sys.executable, __file__, name, str(hearing.port), transport]
        process = subprocess.Popen(command)  # noqa: S603 - ourselves
        got = hearing.waits_for(MESSAGES // 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        subprocess.run(command, check=True)  # noqa: S603 - likewise
        times = Counter(one.message_id for one in (*got, *hearing.got()))
    again = sum(count - 1 for count in times.values())
    print(f"  {transport}: killed after {len(got)}, begun anew: {len(times)} of {len(ids)} came, {again} of them twice")
    if times.keys() != ids:
        lost("a message was lost, or came under another id")


def carry_on(folder: str, port: str, transport: str) -> None:
    """Be the process that sends."""
    prepare()
    house = open_again(Path(folder), int(port), transport)
    with house.store.write() as tx:
        sending.free(tx)
    send(house)


if __name__ == "__main__":
    if sys.argv[1:]:
        carry_on(*sys.argv[1:])
    else:
        main()
