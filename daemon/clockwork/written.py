"""The files of a configuration: which they are, whether they changed, and one hash of them all; reads no secret."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from daemon.config import ConfigError
from daemon.config.scene import below
from daemon.config.source import read_source
from notifiers.own_words import template_files, template_folders

Print = tuple[tuple[str, tuple[int, ...]], ...]
"""By file its inode, size and times; nothing of its contents."""


class Written:
    """The configuration at `path` with the rule files and files of authorities it names, and the templates beside it.

    Key and secret files are none of it: they are read when all else is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._base = path.absolute().parent
        self._named: tuple[Path, ...] = ()
        self.name_files()

    def name_files(self) -> None:
        """Look which files the configuration names; where it cannot be read, they are those of before."""
        try:
            tree = read_source(self.path).tree
        except ConfigError:
            return
        named = below(tree, "rules", "files")
        files = [*(named if isinstance(named, list) else []), *_authorities_in(tree)]
        self._named = tuple(self._base / file for file in files if isinstance(file, str) and "\0" not in file)

    def files(self) -> list[Path]:
        """The files, those that are not there among them."""
        return [self.path.absolute(), *self._named, *template_files(self._base / "templates")]

    def folders(self) -> frozenset[Path]:
        """The folders in which a file may be saved, replaced or added."""
        inside = template_folders(self._base / "templates")
        return frozenset(one for one in {*inside, *(file.parent for file in self.files())} if one.is_dir())

    def print(self) -> Print:
        """What differs as soon as a file was written, replaced, added, taken away, or may be read."""
        return tuple((str(file), _stamp(file)) for file in self.files())

    def digest(self) -> str:
        """Twelve hexadecimal digits of SHA-256 over names and bytes of all files."""
        found = hashlib.sha256()
        for file in self.files():
            found.update(f"{file}\0".encode("utf-8", "surrogateescape"))
            found.update(hashlib.sha256(_bytes(file)).digest())
        return found.hexdigest()[:12]


def _authorities_in(tree: object) -> Iterator[object]:
    """Return what stands under `ca_file`, wherever it does."""
    if isinstance(tree, dict):
        yield from (tree[key] for key in tree if key == "ca_file")
    inside = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    for one in inside:
        yield from _authorities_in(one)


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
