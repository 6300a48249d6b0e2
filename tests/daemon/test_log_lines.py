"""The log of a daemon whose reader stops, dies or is slow: lines are lost then, and nothing else."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.log_lines import LineWriter
from tests.daemon.clockwork.running import OFFICE_PHONE, PATIENCE, TOWN_PHONE, Daemon, Place, until
from tests.phones import SmsGateway

_SMALLEST_PIPE = 4096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that holds one page."""
    reads, writes = os.pipe()
    fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, _SMALLEST_PIPE)
    yield reads, writes
    for end in (reads, writes):
        try:
            os.close(end)
        except OSError:
            continue


def logged(writer: LineWriter, count: int) -> None:
    for number in range(count):
        writer.emit(logging.LogRecord("t", logging.INFO, "", 0, f"line {number} " + "x" * 90, (), None))


def all_of(descriptor: int) -> list[str]:
    with os.fdopen(descriptor, encoding="utf-8") as file:
        return file.read().splitlines()


def test_every_line_is_written_when_the_end_comes(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    writer = LineWriter(writes)
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.extend(all_of(reads)))
    reader.start()
    logged(writer, 500)
    writer.close()
    os.close(writes)
    reader.join(PATIENCE)
    assert [line.split()[1] for line in taken] == [str(number) for number in range(500)]
    assert writer.dropped == 0


def test_lines_that_nobody_reads_are_dropped_and_counted_and_said_afterwards(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    writer = LineWriter(writes, most=10)
    said: list[int] = []
    writer.lost = said.append
    logged(writer, 200)
    assert writer.dropped > 100
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.extend(all_of(reads)))
    reader.start()
    until(lambda: said)
    writer.close()
    os.close(writes)
    reader.join(PATIENCE)
    assert said == [writer.dropped]
    assert len(taken) + writer.dropped == 200


def test_a_closed_pipe_costs_lines_and_nothing_else(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    os.close(reads)
    writer = LineWriter(writes)
    logged(writer, 3)
    writer.close()
    assert writer.dropped == 3


def test_a_pipe_that_does_not_wait_is_waited_for(pipe: tuple[int, int]) -> None:
    reads, writes = pipe
    os.set_blocking(writes, False)
    writer = LineWriter(writes)
    logged(writer, 200)
    taken: list[str] = []
    reader = threading.Thread(target=lambda: taken.extend(all_of(reads)))
    reader.start()
    writer.close()
    os.close(writes)
    reader.join(PATIENCE)
    assert len(taken) == 200


@pytest.mark.timeout(300)
def test_a_daemon_whose_log_nobody_reads_tells_and_stops_all_the_same(tmp_path: Path) -> None:
    with SmsGateway() as gateway:
        place = Place(tmp_path, gateway.url, due_in=3)
        place.marks("absent")
        daemon = Daemon(place, reads_log=False)
        assert daemon.process.stderr is not None
        gateway.expects(TOWN_PHONE, within=PATIENCE)
        gateway.expects(OFFICE_PHONE)
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(PATIENCE) == 0
        first = daemon.process.stderr.readline()
        daemon.process.stderr.close()
    assert first == "{}\n"
