"""Files a command was asked to write."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from daemon.cli.encoding import print_utf8


@contextmanager
def written(out: Path | None) -> Iterator[IO[str]]:
    """Give standard output, or a file that appears only when it is complete; UTF-8 either way.

    A device, a pipe or a link, such as /dev/stdout, stays what it is and is written into.
    """
    if out is None or str(out) == "-":
        print_utf8()
        yield sys.stdout
        sys.stdout.flush()
        return
    if not is_replaced(out):
        with out.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def is_replaced(file: Path) -> bool:
    """Return whether a whole new file may take this place: there is none yet, or a plain one."""
    return not file.is_symlink() and (file.is_file() or not file.exists())
