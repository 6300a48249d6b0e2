"""The daemon as a process: the metronome, the alarm clocks, the start and the end; decides nothing about children."""

from daemon.clockwork.life import run

__all__ = ["run"]
