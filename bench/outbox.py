"""A thousand messages due at one instant: how soon the first is with its receiver, and how soon the last."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import show
from bench.ground.hooks import fill, lay_out, lost, receiver, send
from daemon.clockwork.memory import collect_seldom, take_short_turns
from daemon.store import outbox

MESSAGES = 1_000


def main() -> None:
    """Print the figures of the outbox."""
    collect_seldom()
    take_short_turns()
    with tempfile.TemporaryDirectory() as name, receiver() as hearing:
        house = lay_out(Path(name), hearing.port)
        print(f"{MESSAGES} webhooks due at one instant, in a store on disk, to one receiver")
        for number in range(3):
            due = fill(house, str(number), MESSAGES)
            send(house)
            at = [one.at for one in hearing.got()]
            with house.store.read() as tx:
                settled = len(outbox.deliveries(tx, state="sent", limit=10 * MESSAGES))
            if len(at) != MESSAGES or settled != MESSAGES * (number + 1):
                lost(f"{len(at)} came, {settled} are known to be sent")
            print(f"  run {number + 1}: {MESSAGES / (at[-1] - due):.0f} messages a second")
        show("the first with its receiver", at[0] - due, 0.2, "s")
        show("the last with its receiver", at[-1] - due, 1.5, "s")


if __name__ == "__main__":
    main()
