"""The command line: what an operator and scripts may ask of baoxue."""

from daemon.cli.main import baoxue, main

__all__ = ["baoxue", "main"]
